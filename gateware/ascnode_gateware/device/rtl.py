"""The accelerator's own Verilog at its pins, under Verilator, with the interface of the golden device."""

import struct
from pathlib import Path

from ascnode_gateware.device.flash_chip import FLASH_BYTES, FlashChip
from ascnode_gateware.device.interface import GAP_CYCLES, RESET_CYCLES, Clock, Rates
from ascnode_gateware.sim.device import RUN_DEADLINE_S
from ascnode_gateware.sim.flash import Flash, Socket
from ascnode_gateware.sim.process import Process

_DEADLINE_S = 60.0
_PHASE = 0.3  # of a cycle, where CS falls: at no edge of the clock


class RtlDevice:
    """`executable` comes from `sim.build.build_spi_accelerator`; memory starts as the simulator's noise of `seed`.

    The flash's contents are the chip model's; the streamer reads them from the pins, as of the last frame on the SPI
    port. SimulationError when the simulator dies or does not answer in time.
    """

    def __init__(
        self, executable: Path, *, rates: Rates | None = None, flash: FlashChip | None = None, seed: int = 1
    ) -> None:
        timing = rates or Rates()
        self.flash = flash or FlashChip()
        self._clock, self._clock_hz, self._cycles = Clock(timing), timing.clock_hz, 0
        self._selected = False
        self._plugged: tuple[int, bool, bool] | None = None
        self._process = Process(executable, seed)
        ratio = timing.sck_hz / timing.clock_hz
        self._ask("K", struct.pack("<ddI", ratio, _PHASE, GAP_CYCLES), "set its clocks")
        self.reset()

    def begin(self) -> None:
        self._plug()
        self._selected = True
        self._ask("O", b"", "select its port")
        self._cycles += GAP_CYCLES

    def exchange(self, sent: bytes) -> bytes:
        if not self._selected:
            return bytes(len(sent))
        self._cycles += self._clock.of_bytes(len(sent))
        return self._ask("Y", sent, f"exchange {len(sent)} bytes")

    def end(self) -> None:
        if self._selected:
            self._selected = False
            self._ask("P", b"", "deselect its port")

    def transfer(self, frame: bytes) -> bytes:
        self._plug()
        self._cycles += GAP_CYCLES + self._clock.of_bytes(len(frame))
        return self._ask("X", frame, f"transfer a frame of {len(frame)} bytes")

    def reset(self) -> None:
        self._ask("Z", struct.pack("<I", RESET_CYCLES), "reset")
        self._cycles += RESET_CYCLES

    def wait_us(self, microseconds: int) -> bool:
        self._plug()
        cycles = self._clock.of_us(microseconds)
        self._cycles += cycles
        answer = self._ask("T", struct.pack("<Q", cycles), f"wait {cycles} cycles", RUN_DEADLINE_S)
        return bool(answer[0])

    def flash_frame(self, sent: bytes) -> bytes | None:
        if self._ask("H", b"", "tell who has the flash")[0]:
            return None
        cycles = self._clock.of_bytes(len(sent))
        self._cycles += cycles
        self._ask("T", struct.pack("<Q", cycles), f"wait {cycles} cycles")
        return self.flash.frame(sent, self._now_us)

    def close(self) -> None:
        self._process.close()

    @property
    def _now_us(self) -> float:
        return self._cycles * 1e6 / self._clock_hz

    def _plug(self) -> None:
        """Has the chip on the pins as its host has left it."""
        flash = self.flash
        state = (flash.version, flash.quad, flash.answers(self._now_us))
        if state != self._plugged:
            chip = Flash(quad=flash.quad, socket=Socket.FLASH if state[2] else Socket.PULLED_UP)
            contents = flash.contents.ljust(FLASH_BYTES, b"\xff")
            self._ask("F", chip.pack(contents), "take a flash")
            self._plugged = state

    def _ask(self, command: str, payload: bytes, what: str, deadline_s: float = _DEADLINE_S) -> bytes:
        return self._process.ask(command, payload, what, deadline_s)
