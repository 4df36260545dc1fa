"""A twin's accelerator: what a board's is expected to do, or has done."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ascnode.session.messages import Outcome
from ascnode.twin.store import MemoryStore
from ascnode_fw.accel import causes
from ascnode_fw.accel.errors import ProgramError
from ascnode_fw.accel.program import Program
from ascnode_fw.node import PROGRAM_FILE

Answer = Callable[[bytes], bytes]


class LoggedEngine:
    """Answers as `answer` does, an implementation of its own. That a run succeeds, and in how many cycles, is foreseen
    from the last one at that clock, or follows a board's log (see ascnode_fw.protocols.Engine)."""

    def __init__(self, cycles: int, answer: Answer) -> None:
        self.cycles = cycles
        self.code = self.repairs = self.resent = 0
        self.measured = cycles
        self.verify_every = 1
        self._answer = answer
        self._expected: dict[int, int] = {}  # cycles, by the clock
        self._log: deque[Outcome] = deque()

    def follow(self, outcomes: Sequence[Outcome]) -> None:
        """The next uses come to these; after them, and with none, to what is expected."""
        self._log = deque(outcomes)

    def run(
        self,
        data: memoryview,
        output: bytearray,
        clock_khz: int,
        top_khz: int,
        following: memoryview | None = None,
    ) -> int:
        """One inference; int8 in and out."""
        self._come_to(Outcome(causes.OK, 0, 0, self._expected.get(clock_khz, self.cycles)))
        if self.code == causes.OK:
            self._expected[clock_khz] = self.measured
            output[:] = self._answer(bytes(data))
        return self.code

    def recover(self) -> int:
        """The accelerator comes back, unless the log says otherwise."""
        self._come_to(Outcome(causes.OK, 0, 0, 0))
        return self.code

    def upset(self, at: int, mask: int) -> None:
        """Nothing: what becomes of it is in the board's log."""

    def _come_to(self, expected: Outcome) -> None:
        outcome = self._log.popleft() if self._log else expected
        self.code, self.repairs, self.resent, self.measured = outcome


def engine_of(files: Mapping[str, bytes], answer: Answer, name: str = PROGRAM_FILE) -> LoggedEngine | None:
    """What a node with these files on its flash has for its accelerator, as its firmware's main.py does; `name` is
    that of the program's file."""
    if name not in files:
        return None
    try:
        program = Program(MemoryStore(dict(files)), name)
    except ProgramError:
        return LoggedEngine(1, answer)
    return LoggedEngine(program.cycles, answer)
