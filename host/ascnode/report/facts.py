"""All that a report tells, read from a record once."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ascnode.ground.limits import SEVERITIES
from ascnode.record.reader import Reader, event_of
from ascnode.record.rows import Board, Event, Node, Query, Slot
from ascnode.report.consequences import Consequence, consequences
from ascnode.report.outcomes import Outcomes, outcomes
from ascnode.report.series import Fleet, Housekeeping, fleet, housekeeping

_BOARDS = 6  # whose telemetry is plotted: those with the least charge
_GRAVE = 3  # severity from which events are listed
_EVENTS = 40


@dataclass(frozen=True)
class Facts:
    """What happened. `events` counts by (severity, name); `grave` are the first of medium and high severity."""

    reader: Reader
    slots: Sequence[Slot]
    outcomes: Outcomes
    nodes: Sequence[Node]
    fleet: Fleet | None
    boards: Sequence[tuple[Board, Housekeeping]]
    faults: Sequence[Consequence]
    events: Mapping[tuple[int, str], int]
    grave: Sequence[Event]

    @property
    def name(self) -> str:
        """Of the scenario, or of the file."""
        return str(self.reader.scenario.get("name") or self.reader.path.stem)

    @property
    def end_us(self) -> int:
        """How far the record goes."""
        return self.slots[-1].end_us if self.slots else self.reader.newest_us


def gather(reader: Reader) -> Facts:
    """Reads the record. RecordError when it is damaged."""
    found = outcomes(reader.queries())
    lost: dict[int, list[Query]] = defaultdict(list)
    for query in found.lost:
        lost[query.node].append(query)
    slots, nodes = reader.slots(), reader.nodes
    events = [event_of(one) for one in reader.telemetry(name="event")]
    return Facts(
        reader,
        slots,
        found,
        nodes,
        fleet(reader, slots, [node.node for node in nodes]),
        _boards(reader),
        consequences(reader, lost),
        Counter((event.severity, event.name) for event in events),
        [event for event in events if event.severity >= _GRAVE][:_EVENTS],
    )


def _boards(reader: Reader) -> list[tuple[Board, Housekeeping]]:
    found = [
        (board, told)
        for board in reader.boards
        if (told := housekeeping(reader.telemetry(board.node, "housekeeping"), board.power_scale))
    ]
    worst = sorted(found, key=lambda one: float(one[1].columns["charge"].min()))[:_BOARDS]
    return sorted(worst, key=lambda one: one[0].node)


def severity(number: int) -> str:
    """Its word."""
    return SEVERITIES.get(number, f"severity {number}")
