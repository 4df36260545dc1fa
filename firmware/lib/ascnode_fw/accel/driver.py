"""The accelerator's driver: loads a program, runs inferences, checks them, mends what went wrong, or says why not."""

from ascnode_fw.accel import causes
from ascnode_fw.accel import program as p_
from ascnode_fw.accel import registers as r_
from ascnode_fw.accel.errors import InferenceError
from ascnode_fw.accel.memory import Memory
from ascnode_fw.accel.port import Port
from ascnode_fw.accel.runs import Runs
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.flash import StreamFlash
    from ascnode_fw.accel.program import Program
    from ascnode_fw.protocols import AcceleratorBus

_TRIES = const(3)
_IDENTITY = b"ASCN"


class Driver:
    """One program on one accelerator, which it does not touch before the first run. See protocols.Engine."""

    def __init__(self, bus: "AcceleratorBus", program: "Program", verify_every: int = 1) -> None:
        self.cycles = program.cycles
        self.code = self.repairs = self.resent = self.measured = 0
        self.verify_every = verify_every
        self._unverified = 0
        self._bus = bus
        self._program = program
        self._port = Port(bus)
        self._memory = Memory(self._port, program)
        self._flash = stream_flash(bus, program)
        self._runs = Runs(self._port, program, self._flash)
        self._ready = False  # the program is in memory, as far as is known

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
        self._runs.set_speed(clock_khz, top_khz)
        for _ in range(_TRIES):
            self.code = self._attempt(data, output, following)
            if self.code == causes.OK:
                self.measured = self._runs.measured
                self._runs.done()
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
        except OSError:
            cause = causes.LINK
        self._memory.forget_input()
        self._ready = self._ready and cause in (causes.WEIGHTS, causes.INPUT)
        return cause

    def _infer(self, data: memoryview, output: bytearray, following: "memoryview | None") -> None:
        if not self._ready:
            self._prepare()
        memory = self._memory
        memory.place(data)
        self._runs.start()
        memory.forget_input()  # later layers may write over it
        self._unverified += 1
        verify = 0 < self.verify_every <= self._unverified
        self._await(following, verify)
        self._runs.check()
        memory.take(output)
        if verify:
            memory.verify()
            self._unverified = 0

    def _await(self, following: "memoryview | None", verify: bool) -> None:
        # Where no later layer touches the input, it is looked at after its run, and the next one takes its place early.
        free_after = self._program.free_after
        if free_after == p_.NEVER:
            self._runs.await_end(True)
            return
        if following is not None:
            self._runs.await_layers(free_after)
        else:
            self._runs.await_end(True)
        if verify:
            self._memory.check_input()
        if following is not None:
            self._memory.place(following)
            self._runs.await_end(False)

    def upset(self, at: int, mask: int) -> None:
        if self._ready:
            self._memory.upset(at, mask)

    # --- start

    def _prepare(self) -> None:
        # From reset to a program in memory.
        self._memory.forget_input()
        self._bus.reset()
        port = self._port
        port.set_register(r_.IRQ, 0)  # may be lost: see Port
        if port.read(r_.ID, 1) != _IDENTITY:
            raise InferenceError(causes.IDENTITY)
        version = port.register(r_.VERSION)
        if (version & r_.VERSION_MAJOR_MASK) >> r_.VERSION_MAJOR_SHIFT != r_.VERSION_MAJOR_EXPECTED:
            raise InferenceError(causes.IDENTITY)
        self._memory.load()
        if self._flash is not None:
            self._flash.store()
        self._ready = True

    # --- after a fall-back

    def recover(self) -> int:
        self.repairs = self.measured = 0
        before = self._port.resent
        self._ready = False
        self.code = self._test()
        self.resent = self._port.resent - before
        return self.code

    def _test(self) -> int:
        # Starts afresh, and puts the program's own question; zeros where it has none.
        program = self._program
        data, answer = program.self_test() or (bytes(program.input_size), b"")
        output = bytearray(program.output_size)
        self._runs.set_speed(1, 1)
        code = self._attempt(memoryview(data), output, None)
        if code == causes.OK and answer and bytes(output) != answer:
            return causes.SELF_TEST
        return code


def stream_flash(bus: "AcceleratorBus", program: "Program") -> "StreamFlash | None":
    # Of a program with a stream; its module loads only then.
    if not program.stream_bytes:
        return None
    from ascnode_fw.accel.flash import StreamFlash

    return StreamFlash(bus, program)
