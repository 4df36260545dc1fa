"""What the boards' faults did in a run: rows of its record, and counts by what came of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ascnode.faults.schedule import Injection
from ascnode.record.database import Record

WENT_ON, RECOVERED, OFF, DETECTED, NO_TRACE = "went on", "recovered", "off at the end", "detected", "no trace"
"""What comes of a fault: the run went on (what it cost is in the queries' causes); the board came back; it had not by
the end; the twin's comparison found it; an upset that nothing told of."""

_ENDS = ("ends", "heard again")  # of a fault of the sky


@dataclass(frozen=True)
class FaultFigures:
    """One kind of fault: how often it struck, and what came of that."""

    kind: str
    what: str
    injected: int
    outcomes: dict[str, int]


class Injected:
    """Listens to the injectors of a run's boards.

    The frames that a bad cable hits depend on wall time: they are counted in `wire`, and are no rows of the record's
    table `faults`.
    """

    def __init__(self, record: Record) -> None:
        self.wire: Counter[str] = Counter()
        self._record = record
        self._came: Counter[tuple[str, str, str]] = Counter()
        self._off: dict[int, tuple[str, str]] = {}
        self._upsets: dict[int, list[tuple[str, str]]] = {}

    def listener(self, node: int) -> Callable[[Injection], None]:
        """For the injector of the node-th board."""

        def heard(one: Injection) -> None:
            if one.kind == "wire":
                self.wire[f"{one.node} {one.target} {one.detail.partition(':')[0]}"] += 1
            else:
                self._record.numbered("faults", node, one.time_us, one.kind, one.target, one.detail, one.mode)
            self._count(node, one)

        return heard

    def _count(self, node: int, one: Injection) -> None:
        name = one.kind, _what(one)
        if one.kind == "divergence":
            self._upset_ends(node, DETECTED)
        elif one.kind == "upset":
            self._upsets.setdefault(node, []).append(name)
        elif one.target == "boot":
            if node in self._off:
                self._came[*self._off.pop(node), RECOVERED] += 1
            self._upset_ends(node, RECOVERED)
        elif one.kind == "board" and one.target != "off":
            self._off[node] = name
        elif one.kind != "board" and one.detail not in _ENDS:
            self._came[*name, WENT_ON] += 1

    def _upset_ends(self, node: int, outcome: str) -> None:
        for name in self._upsets.pop(node, []):
            self._came[*name, outcome] += 1

    def figures(self) -> list[FaultFigures]:
        """As they stand, by kind."""
        came = self._came.copy()
        came.update((*name, OFF) for name in self._off.values())
        came.update((*name, NO_TRACE) for names in self._upsets.values() for name in names)
        kinds: dict[tuple[str, str], dict[str, int]] = {}
        for (kind, what, outcome), count in sorted(came.items()):
            kinds.setdefault((kind, what), {})[outcome] = count
        return [FaultFigures(*name, sum(counts.values()), counts) for name, counts in kinds.items()]


def _what(one: Injection) -> str:
    # As "drop up", "array noise", "power_cut".
    match one.kind:
        case "radio":
            return f"{one.detail} {one.target}"
        case "wire":
            return f"{one.detail.partition(':')[0]} {one.target}"
        case "sensor":
            return f"{one.target} {one.detail.partition(' ')[0]}"
        case "clock":
            return "drift"
    return one.target
