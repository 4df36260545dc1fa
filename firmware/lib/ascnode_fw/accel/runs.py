"""Runs of a program: at a share of the top clock, within a deadline, and checked by the engine's own counters."""

from ascnode_fw.accel import causes
from ascnode_fw.accel import registers as r_
from ascnode_fw.accel.errors import InferenceError
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.flash import StreamFlash
    from ascnode_fw.accel.port import Port
    from ascnode_fw.accel.program import Program

CLOCK_MHZ = const(24)  # of the accelerator

_WATCHDOG = const(0x1000)  # units of 256 cycles: 44 ms, past the longest wait for the flash's pins
_SLACK_US = const(2000)
_POLLS = const(16)  # of the time that a run should take
_FULL = const(256)
_FLAGS = r_.IRQ_IRQ_DONE_MASK | r_.IRQ_IRQ_ERROR_MASK | r_.IRQ_IRQ_PAUSED_MASK


class Runs:
    """`measured`: cycles of the last run, `pixels`: words that go past the array in each, once one has told."""

    def __init__(self, port: "Port", program: "Program", flash: "StreamFlash | None") -> None:
        self.cycles = program.cycles
        self.measured = 0
        self.pixels = 0
        self._port = port
        self._program = program
        self._flash = flash
        self._throttle = 0
        self._due = 0  # cycles that the run should take at its speed
        self._owed = 0  # cycles by which earlier runs were too fast
        self._left_us = 0  # until the deadline

    # --- speed

    def set_speed(self, clock_khz: int, top_khz: int) -> None:
        # THROTTLE holds back words on their way past the array, in 256ths; the rest of a run takes its time. What a run
        # is too fast or too slow, the next one makes good.
        slower = min(_FULL << 10, (top_khz << 10) // max(1, clock_khz))
        self._due = (self.cycles >> 10) * slower + ((self.cycles & 1023) * slower >> 10) + self._owed
        pixels = self.pixels or self.cycles
        held = self._due - (self.cycles - pixels)
        self._throttle = _FULL - max(1, min(_FULL, pixels * _FULL // max(1, held)))

    def _most(self) -> int:
        # Cycles of a run with that throttle, or some more.
        return self.cycles + self._stands(self.pixels or self.cycles)

    def done(self) -> None:
        # The run counts.
        self._owed = max(-self.cycles, min(self.cycles, self._due - self.measured))

    # --- a run

    def start(self) -> None:
        port = self._port
        port.set_register(r_.IRQ, _FLAGS)
        port.set_register(r_.WATCHDOG, _WATCHDOG)
        if self._flash is not None:
            self._aim(self._flash)
        port.set_register(r_.THROTTLE, self._throttle)
        port.set_register(r_.PROGRAM, self._program.start)
        port.set_register(r_.CONTROL, r_.CONTROL_START_MASK | r_.CONTROL_IRQ_ENABLE_MASK)
        self._left_us = 2 * self._expected_us() + _SLACK_US

    def _expected_us(self) -> int:
        return self._most() // CLOCK_MHZ + 1

    def _aim(self, flash: "StreamFlash") -> None:
        # Where the stream comes from, and where it goes.
        port = self._port
        port.set_register(r_.RING_BASE, self._program.ring_base)
        port.set_register(r_.RING_BLOCKS, self._program.ring_blocks)
        port.set_register(r_.FLASH_ADDRESS, flash.address)
        port.set_register(r_.FLASH_BLOCKS, flash.blocks)

    def await_layers(self, count: int) -> None:
        # Until so many layers are done, or all.
        step_us = self._expected_us() // _POLLS + 1
        while 0 <= self._layers() < count:
            self._wait(step_us)
            step_us += step_us >> 1

    def await_end(self, from_start: bool) -> None:
        # The predicted time, unless some of it has passed already, then as long again in small steps.
        if from_start:
            self._wait(self._expected_us())
        while self._layers() >= 0:
            self._wait((self._expected_us() + _SLACK_US) // _POLLS)

    def _wait(self, us: int) -> None:
        if self._left_us <= 0:
            raise InferenceError(causes.HUNG)
        self._port.bus.wait_us(us)
        self._left_us -= us

    def _layers(self) -> int:
        # Layers that are done; -1: the whole program is.
        status = self._port.register(r_.STATUS)
        if status & r_.STATUS_ERROR_MASK:
            raise InferenceError(causes.STOPPED)
        if status & r_.STATUS_DONE_MASK:
            return -1
        if not status & r_.STATUS_BUSY_MASK:
            raise InferenceError(causes.RESET)
        return (status & r_.STATUS_LAYER_MASK) >> r_.STATUS_LAYER_SHIFT

    def check(self) -> None:
        # Whether it was this program that ran, at this speed: a reset takes its address and the throttle away.
        port = self._port
        self.measured = port.register(r_.CYCLES)
        pixels = port.register(r_.PIXELS)
        stood = port.register(r_.THROTTLED)
        most = self._most()
        if not self.cycles - (self.cycles >> 4) <= self.measured <= most + (most >> 3):
            raise InferenceError(causes.RESET)
        if not 0 < pixels <= self.measured or pixels != (self.pixels or pixels):
            raise InferenceError(causes.RESET)
        if abs(stood - self._stands(pixels)) > (most >> 4) + _FULL:
            raise InferenceError(causes.RESET)
        self.pixels = pixels

    def _stands(self, pixels: int) -> int:
        # Cycles that the throttle takes from a run.
        stands: int = pixels * self._throttle // (_FULL - self._throttle)
        return stands
