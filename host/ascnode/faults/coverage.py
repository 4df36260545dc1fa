"""Which faults were injected in which mode, and what came of it; and what a fault may do to the parity of a twin."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ascnode.faults.schedule import Fault, Injection, Upset
from ascnode_fw.wire import dictionary as d

Outcome = Literal["tolerated", "detected", "recovered", "failed", "blocked"]
"""tolerated: nothing that a user sees; detected: refused, or told of, by node or twin; recovered: lost and back;
failed: a requirement was broken; blocked: the rig could not do it, or its cable was down."""

OUTCOMES: tuple[Outcome, ...] = ("tolerated", "detected", "recovered", "failed", "blocked")
MODES = d.MODES


def expected_divergence(fault: Fault) -> str:
    """Why a board and its twin may differ after this fault; "" when a difference is a mistake of ours.

    A twin sees every input of the board: radio, light, lock, sensor words, time, resets. What it does not see is a
    fault in the board's own memory.
    """
    if not isinstance(fault, Upset) or fault.common:
        return ""
    return f"an upset of the {fault.target} is in the board alone"


def fault_name(fault: Fault) -> str:
    """As "radio drop": what a row of the table is called."""
    what = getattr(fault, "target", None) or getattr(fault, "effect", None) or "drift"
    return f"{fault.kind} {what}"


@dataclass
class Coverage:
    """Counts of (fault, mode, outcome)."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def note(self, fault: str, mode: str, outcome: Outcome, count: int = 1) -> None:
        """A fault came to that outcome in that mode; ValueError for a mode or an outcome that there is not."""
        if mode not in MODES or outcome not in OUTCOMES:
            raise ValueError(f"no mode {mode!r} or no outcome {outcome!r}")
        self.counts[fault, mode, outcome] += count

    def note_run(self, fault: Fault, injections: Iterable[Injection], outcome: Outcome) -> None:
        """All modes in which that fault acted in a run, once each."""
        for mode in {one.mode for one in injections if one.kind == fault.kind and one.mode}:
            self.note(fault_name(fault), mode, outcome)

    def merge(self, other: "Coverage") -> None:
        """Adds another run's counts."""
        self.counts.update(other.counts)

    def rows(self) -> list[tuple[str, ...]]:
        """(fault, cell of each mode): as "3 tolerated, 1 failed", the worst last; "" where it was never injected."""
        faults = sorted({fault for fault, _, _ in self.counts})
        return [(fault, *(self._cell(fault, mode) for mode in MODES)) for fault in faults]

    def gaps(self, faults: Iterable[str]) -> list[tuple[str, str]]:
        """(fault, mode) pairs that nothing was injected in."""
        seen = {(fault, mode) for fault, mode, _ in self.counts}
        return [(fault, mode) for fault in faults for mode in MODES if (fault, mode) not in seen]

    def _cell(self, fault: str, mode: str) -> str:
        found = [(self.counts[fault, mode, outcome], outcome) for outcome in OUTCOMES]
        return ", ".join(f"{count} {outcome}" for count, outcome in found if count)
