"""What followed each fault, until five minutes after it: what the board told, what the twin found, what was lost.

Time alone ties a fault to mode, events and losses; restarts follow board faults and upsets, differences from the twin
upsets alone.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ascnode.record.reader import Reader, event_of
from ascnode.record.rows import Board, Fault, Query, Telemetry
from ascnode_fw.wire import dictionary as d

WINDOW_US = 300_000_000
_PERIOD_US = 1_000_000  # what arrives in the period in which a board goes off meets none
_APART = 5  # faults of one kind that are told one by one; of more the report tells together
_CHARGE_STEP = 10  # 1/1000: a change that is told


@dataclass(frozen=True)
class Consequence:
    """Faults of one kind that struck a board, from the first to the last, and what followed in words."""

    board: str
    what: str
    detail: str
    count: int
    first_us: int
    last_us: int
    mode: str
    followed: tuple[str, ...]


@dataclass(frozen=True)
class _Life:
    # All that is known of one board, in order of time.
    board: Board
    faults: list[Fault]
    housekeeping: list[Telemetry]
    events: list[Telemetry]
    lost: list[Query]


def consequences(reader: Reader, lost: Mapping[int, Sequence[Query]]) -> list[Consequence]:
    """Of all faults in order of time; `lost` are the lost queries by satellite."""
    found = []
    for board in reader.boards:
        faults = reader.faults(board.node)
        if faults:
            packets = list(reader.telemetry(board.node))
            life = _Life(
                board,
                faults,
                [one for one in packets if one.name == "housekeeping"],
                [one for one in packets if one.name == "event"],
                list(lost.get(board.satellite, ())),
            )
            found += [_consequence(life, group) for group in _groups(faults)]
    return sorted(found, key=lambda one: (one.first_us, one.board, one.what))


def _groups(faults: Sequence[Fault]) -> Iterator[list[Fault]]:
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        if not _follows(fault):
            kinds.setdefault((fault.kind, _what(fault)), []).append(fault)
    for group in kinds.values():
        yield from ([one] for one in group) if len(group) <= _APART else [group]


def _follows(fault: Fault) -> bool:
    # What comes of another fault.
    return fault.kind == "divergence" or (fault.kind == "board" and fault.target in ("off", "boot"))


def _what(fault: Fault) -> str:
    if fault.kind in ("radio", "wire"):
        return f"{fault.kind} {fault.target}: {fault.detail.partition(':')[0]}"
    return f"{fault.kind} {fault.target}"


def _consequence(life: _Life, group: Sequence[Fault]) -> Consequence:
    first, last = group[0], group[-1]
    start_us, end_us = first.time_us, last.time_us + WINDOW_US
    followed = [*_followers(life, first.kind, start_us, end_us)]
    if len(group) == 1:
        followed += _changes(life.housekeeping, start_us, end_us)
    followed += _told(life.events, start_us, end_us)
    followed += _lost(life.lost, start_us, end_us)
    return Consequence(
        life.board.name,
        _what(first),
        first.detail if len(group) == 1 else "",
        len(group),
        start_us,
        last.time_us,
        ", ".join(sorted({one.mode for one in group})),
        tuple(followed),
    )


_FOLLOWERS = {"board": ("boot", "off"), "upset": ("boot", "off", "divergence")}
"""What may follow a kind of fault, by target, or kind for a difference from the twin."""


def _followers(life: _Life, kind: str, start_us: int, end_us: int) -> Iterator[str]:
    mine: dict[str, list[Fault]] = {name: [] for name in _FOLLOWERS.get(kind, ())}
    for one in life.faults:
        name = one.kind if one.kind == "divergence" else one.target
        if name in mine and _follows(one) and start_us - _PERIOD_US <= one.time_us <= end_us:
            mine[name].append(one)
    for one in mine.get("divergence", []):
        yield f"found by comparison with the twin: {one.detail.partition(': ')[2]}"
    for one in mine.get("boot", []):
        yield f"back after {(one.time_us - start_us) / 1e6:.0f} s ({one.detail})"
    if unheard := len(mine.get("off", [])):
        yield f"{unheard:,} packets met no board"


def _changes(housekeeping: Sequence[Telemetry], start_us: int, end_us: int) -> Iterator[str]:
    before = [one for one in housekeeping if one.made_us <= start_us]
    after = [one for one in housekeeping if start_us < one.made_us <= end_us]
    if not before or not after:
        return
    modes = [before[-1].fields["mode"], *(one.fields["mode"] for one in after)]
    passed = [modes[0], *(new for old, new in itertools.pairwise(modes) if new != old)]
    if len(passed) > 1:
        yield "mode " + " → ".join(_mode(mode) for mode in passed[:6])
    old, new = before[-1].fields["charge"], after[-1].fields["charge"]
    if abs(new - old) >= _CHARGE_STEP:
        yield f"charge {old / 10:.0f} % → {new / 10:.0f} %"


def _mode(mode: int) -> str:
    return d.MODES[mode] if mode < len(d.MODES) else f"mode {mode}"


def _told(events: Sequence[Telemetry], start_us: int, end_us: int) -> Iterator[str]:
    names = Counter(event_of(one).name for one in events if start_us <= one.made_us <= end_us)
    if names:
        yield "events: " + ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))


def _lost(lost: Sequence[Query], start_us: int, end_us: int) -> Iterator[str]:
    # under way then: between being sent and being due
    causes = Counter(
        one.cause for one in lost if one.sent_us <= end_us and one.deadline_s * 1_000_000 >= start_us
    )
    if causes:
        words = ", ".join(f"{count:,} {cause}" for cause, count in causes.most_common())
        yield f"queries lost here: {words}"
