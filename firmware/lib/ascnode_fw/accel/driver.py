"""The accelerator's driver: loads a program, runs inferences, checks them, mends what went wrong, or says why not."""

from binascii import crc32

from ascnode_fw.accel import causes
from ascnode_fw.accel import program as p_
from ascnode_fw.accel import registers as r_
from ascnode_fw.accel.errors import InferenceError
from ascnode_fw.accel.port import MAX_WORDS, LinkError, Port
from ascnode_fw.accel.program import Program, ProgramError
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.flash import StreamFlash
    from ascnode_fw.protocols import AcceleratorBus, Engine, FindBus, Store

CLOCK_MHZ = const(24)  # of the accelerator

_TRIES = const(3)
_MOST_BYTES = const(1020)  # of a frame's words
_WATCHDOG = const(0x1000)  # units of 256 cycles: 44 ms, past the longest wait for the flash's pins
_SLACK_US = const(2000)
_POLLS = const(16)  # of the time that a run should take, until it has taken as much again
_FULL = const(256)
_FLAGS = const(r_.IRQ_IRQ_DONE_MASK | r_.IRQ_IRQ_ERROR_MASK | r_.IRQ_IRQ_PAUSED_MASK)
_IDENTITY = b"ASCN"


def make_engine(find: "FindBus", store: "Store", name: str) -> "Engine":
    # The driver of what `find()` finds, with the program in that file; or what says why there is none, as often as
    # it is asked.
    try:
        program = Program(store, name)
    except ProgramError:
        return NoEngine(causes.PROGRAM)
    try:
        bus = find()
    except OSError:
        bus = None
    return NoEngine(causes.LINK, program.cycles) if bus is None else Driver(bus, program)


def stream_flash(bus: "AcceleratorBus", program: Program) -> "StreamFlash | None":
    # Of a program with a stream; its module loads only then.
    if not program.stream_bytes:
        return None
    from ascnode_fw.accel.flash import StreamFlash

    return StreamFlash(bus, program)


class NoEngine:
    """An accelerator that cannot be used."""

    def __init__(self, cause: int, cycles: int = 1) -> None:
        self.cycles = cycles
        self.code = cause
        self.repairs = self.resent = self.measured = 0
        self.verify_every = 0

    def run(
        self,
        data: memoryview,
        output: bytearray,
        clock_khz: int,
        top_khz: int,
        following: "memoryview | None" = None,
    ) -> int:
        return self.code

    def recover(self) -> int:
        return self.code


class Driver:
    """One program on one accelerator, which it does not touch before the first run. See protocols.Engine."""

    def __init__(self, bus: "AcceleratorBus", program: Program, verify_every: int = 1) -> None:
        self.cycles = program.cycles
        self.code = self.repairs = self.resent = self.measured = 0
        self.pixels = 0  # words past the array in a run, once one has told
        self.verify_every = verify_every
        self._bus = bus
        self._port = Port(bus)
        self._program = program
        self._flash = stream_flash(bus, program)
        self._ready = False
        self._placed = 0  # CRC of the input that lies in memory, with its bytes behind it
        self._is_placed = False
        self._throttle = 0
        self._due = 0  # cycles that the run should take at its speed
        self._owed = 0  # cycles by which earlier runs were too fast
        self._unverified = 0

    # --- an inference

    def run(
        self,
        data: memoryview,
        output: bytearray,
        clock_khz: int,
        top_khz: int,
        following: "memoryview | None" = None,
    ) -> int:
        self.repairs = self.measured = 0
        before = self._port.resent
        self._set_speed(clock_khz, top_khz)
        for _ in range(_TRIES):
            self.code = self._attempt(data, output, following)
            if self.code == causes.OK:
                self._owed = max(-self.cycles, min(self.cycles, self._due - self.measured))
                break
            self.repairs |= 1 << self.code
        self.resent = self._port.resent - before
        return self.code

    def _attempt(self, data: memoryview, output: bytearray, following: "memoryview | None") -> int:
        # OK, or the cause; after any but a mended memory the next attempt starts afresh.
        try:
            self._infer(data, output, following)
            return causes.OK
        except InferenceError as error:
            cause: int = error.args[0]
        except (LinkError, OSError):
            cause = causes.LINK
        except ProgramError:
            cause = causes.PROGRAM
        self._is_placed = False
        self._ready = self._ready and cause == causes.WEIGHTS
        return cause

    def _infer(self, data: memoryview, output: bytearray, following: "memoryview | None") -> None:
        if not self._ready:
            self._prepare()
        self._place(data)
        self._start()
        self._await(following)
        self._check_run()
        self._take(output)
        self._unverified += 1
        if self.verify_every and self._unverified >= self.verify_every:
            self._verify()
            self._unverified = 0

    def _set_speed(self, clock_khz: int, top_khz: int) -> None:
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

    # --- start

    def _prepare(self) -> None:
        # From reset to a program in memory.
        self._is_placed = False
        self._bus.reset()
        port = self._port
        port.set_register(r_.IRQ, 0)  # may be lost: see Port
        if port.read(r_.ID, 1) != _IDENTITY:
            raise InferenceError(causes.IDENTITY)
        version = port.register(r_.VERSION)
        if (version & r_.VERSION_MAJOR_MASK) >> r_.VERSION_MAJOR_SHIFT != r_.VERSION_MAJOR_EXPECTED:
            raise InferenceError(causes.IDENTITY)
        for at in range(0, len(self._program.segments), p_.SEGMENT_WORDS):
            self._load(at)
        if self._flash is not None:
            self._flash.store()
        self._ready = True

    def _load(self, at: int) -> None:
        # Writes a segment of the program.
        address, words, expected, offset = self._program.segments[at : at + p_.SEGMENT_WORDS]
        crc = self._program.seed(address, words)
        for done in range(0, words, MAX_WORDS):
            count = min(MAX_WORDS, words - done)
            piece = self._port.data[: 4 * count]
            self._program.piece(offset + 4 * done, piece)
            crc = crc32(piece, crc)
            self._port.write(address + done, count)
        if crc != expected:
            raise InferenceError(causes.PROGRAM)

    # --- input and output

    def _place(self, data: memoryview) -> None:
        # Writes the input as the first layer reads it, unless it is there.
        crc = crc32(data)
        if self._is_placed and self._placed == crc:
            return
        program = self._program
        self._is_placed = False
        address = program.input_address
        held = 0
        size = 4 * program.groups
        for pixel in range(program.rows * program.columns):
            row = pixel // program.columns
            first = pixel % program.columns * program.step + program.first
            line = data[row * program.row_bytes : (row + 1) * program.row_bytes]
            for done in range(0, size, _MOST_BYTES):
                count = min(_MOST_BYTES, size - done)
                if held + count > _MOST_BYTES:
                    self._port.write(address, held // 4)
                    address += held // 4
                    held = 0
                self._fill(line, first + done, held, count)
                held += count
        self._port.write(address, held // 4)
        self._placed = crc
        self._is_placed = True

    def _fill(self, line: memoryview, first: int, at: int, count: int) -> None:
        # Bytes of a row from `first` on, with padding where it has none.
        target = self._port.data
        low = max(0, -first)
        high = min(count, len(line) - first)
        if low > 0 or high < count:
            pad = self._program.pad & 0xFF
            for k in range(at, at + count):
                target[k] = pad
        if high > low:
            target[at + low : at + high] = line[first + low : first + high]

    def _take(self, output: bytearray) -> None:
        program = self._program
        channels = program.channels
        groups = (channels + 3) // 4
        pixels = max(1, MAX_WORDS // groups)
        for done in range(0, program.pixels, pixels):
            count = min(pixels, program.pixels - done)
            words = self._port.read(program.output_address + done * groups, count * groups)
            for pixel in range(count):
                at = (done + pixel) * channels
                output[at : at + channels] = words[pixel * groups * 4 : pixel * groups * 4 + channels]

    # --- a run

    def _start(self) -> None:
        port = self._port
        self._is_placed = False  # later layers may write over it
        port.set_register(r_.IRQ, _FLAGS)
        port.set_register(r_.WATCHDOG, _WATCHDOG)
        if self._flash is not None:
            self._aim(self._flash)
        port.set_register(r_.THROTTLE, self._throttle)
        port.set_register(r_.PROGRAM, self._program.start)
        port.set_register(r_.CONTROL, r_.CONTROL_START_MASK | r_.CONTROL_IRQ_ENABLE_MASK)

    def _aim(self, flash: "StreamFlash") -> None:
        # Where the stream comes from, and where it goes.
        port = self._port
        port.set_register(r_.RING_BASE, self._program.ring_base)
        port.set_register(r_.RING_BLOCKS, self._program.ring_blocks)
        port.set_register(r_.FLASH_ADDRESS, flash.address)
        port.set_register(r_.FLASH_BLOCKS, flash.blocks)

    def _await(self, following: "memoryview | None") -> None:
        # The predicted time, then as long again in small steps.
        expected_us = self._most() // CLOCK_MHZ + 1
        self._bus.wait_us(expected_us)
        step_us = expected_us // _POLLS + _SLACK_US // _POLLS
        for _ in range(_POLLS + 1):
            status = self._port.register(r_.STATUS)
            if status & r_.STATUS_ERROR_MASK:
                raise InferenceError(causes.STOPPED)
            if status & r_.STATUS_DONE_MASK:
                return
            if not status & r_.STATUS_BUSY_MASK:
                raise InferenceError(causes.RESET)
            self._bus.wait_us(step_us)
        raise InferenceError(causes.HUNG)

    def _check_run(self) -> None:
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

    # --- what lies in memory

    def _verify(self) -> None:
        # A segment that is not the program's any more is written again; the answer may be wrong.
        bad = 0
        for at in range(0, len(self._program.segments), p_.SEGMENT_WORDS):
            if not self._intact(at):
                self._load(at)
                bad += 1
        if bad:
            raise InferenceError(causes.WEIGHTS)

    def _intact(self, at: int) -> bool:
        address, words, expected, _ = self._program.segments[at : at + p_.SEGMENT_WORDS]
        crc = self._program.seed(address, words)
        for done in range(0, words, MAX_WORDS):
            crc = crc32(self._port.read(address + done, min(MAX_WORDS, words - done)), crc)
        return bool(crc == expected)

    # --- after a fall-back

    def recover(self) -> int:
        self.repairs = self.measured = 0
        before = self._port.resent
        self._ready = False
        self.code = self._restart()
        self.resent = self._port.resent - before
        return self.code

    def _restart(self) -> int:
        try:
            self._prepare()
            return causes.OK
        except InferenceError as error:
            cause: int = error.args[0]
            return cause
        except (LinkError, OSError):
            return causes.LINK
        except ProgramError:
            return causes.PROGRAM
