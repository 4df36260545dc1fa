"""What a test leaves for the report, as plain values that travel from a worker to the controller."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ascnode_hil.measure import Measurement

if TYPE_CHECKING:
    from ascnode.session.realtime import Jitter

PASS, FAIL, MARGINAL, BLOCKED, SKIPPED = OUTCOMES = ("pass", "fail", "marginal", "blocked", "skipped")
# What injected faults came to when the test says nothing, or did not get to say anything.
_OF_FAULTS = {FAIL: "failed", BLOCKED: "blocked"}


@dataclass
class Evidence:
    """Filled while a test runs; `faults` are (fault, mode) of what was injected."""

    name: str
    requirements: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    boards: dict[str, str] = field(default_factory=dict)  # versions by name
    traces: list[Any] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    fault_outcome: str = "tolerated"
    jitter: list[tuple[str, int]] = field(default_factory=list)
    missed_deadlines: int = 0
    repeat: str = ""
    blocked: str = ""
    rig_broke: bool = False
    closing: list[Callable[[], None]] = field(
        default_factory=list
    )  # what is looked at when the test has ended

    def close(self) -> None:
        """The test has ended."""
        while self.closing:
            self.closing.pop()()

    def paced(self, jitter: "Jitter | None") -> None:
        """How late the periods of one board were."""
        if jitter:
            self.jitter = jitter.bins()
            self.missed_deadlines += len(jitter.missed)

    def plain(self, outcome: str) -> dict[str, Any]:
        """As the report takes it."""
        return {
            "name": self.name,
            "outcome": outcome,
            "requirements": self.requirements,
            "measurements": [{**asdict(m), "outcome": m.outcome} for m in self.measurements],
            "boards": self.boards,
            "traces": [trace.plain() for trace in self.traces],
            "faults": [[*fault, _OF_FAULTS.get(outcome, self.fault_outcome)] for fault in self.faults],
            "jitter": [list(bin_) for bin_ in self.jitter],
            "missed_deadlines": self.missed_deadlines,
            "repeat": self.repeat,
            "blocked": self.blocked,
            "rig_broke": self.rig_broke,
        }

    def properties(self, outcome: str) -> list[tuple[str, str]]:
        """As JUnit's testcase properties."""
        return [
            ("ascnode_outcome", outcome),
            *(("ascnode_requirement", name) for name in self.requirements),
            *((f"ascnode_measurement_{m.name}", f"{m} {m.outcome}") for m in self.measurements),
            *(("ascnode_board", f"{name}: {version}") for name, version in self.boards.items()),
            *([("ascnode_blocked", self.blocked)] if self.blocked else []),
        ]


def outcome_of(passed: bool, skipped: bool, evidence: Evidence) -> str:
    """One of the five."""
    if evidence.blocked:
        return BLOCKED
    if skipped:
        return SKIPPED
    if not passed:
        return FAIL
    return MARGINAL if any(m.outcome == MARGINAL for m in evidence.measurements) else PASS
