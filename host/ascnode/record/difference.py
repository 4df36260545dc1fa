"""The first difference between two records, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from ascnode.record import rows
from ascnode.record.packed import FLEET_COLUMNS
from ascnode.record.reader import Reader
from ascnode.record.words import content, difference
from ascnode.session import messages
from ascnode_fw import link
from ascnode_fw.wire import dictionary as d

NAMES = ("A", "B")
_DONE = bytes((d.SIM, link.DONE))
_AT_END_US = 1 << 62
_DERIVED = {
    "seed",
    "length_s",
    "lasers",
    "ascnode",
    "versions",
}  # of `run`: from the scenario; or no input of the run
_Pairs = Iterable[tuple[Any, Any]]


class Found(NamedTuple):
    """A difference: when it happened, and where and how in words."""

    time_us: int
    words: str


@dataclass
class Comparison:
    """`inputs`: what of scenario and payload differs; `first`: the first difference of what came of them, "" for
    none; `compared`: rows that are the same, by table; `versions`: what they were made with, where that differs."""

    inputs: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    first: str = ""
    compared: dict[str, int] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.inputs and not self.first


def compare(a: Reader, b: Reader) -> Comparison:
    """Inputs key by key, and the earliest difference of the rest. What depends on wall time is not looked at."""
    versions = _keys("version", a.run.get("versions"), b.run.get("versions"))
    result = Comparison(list(_inputs(a, b)), list(versions))
    found = [one for one in _all(a, b, result.compared) if one is not None]
    if found:
        # at one time the cause comes before what follows from it: frames first
        first = min(found, key=lambda one: one.time_us)
        when = "at the end" if first.time_us >= _AT_END_US else f"t = {first.time_us / 1e6:.3f} s"
        result.first = f"{when}: {first.words}"
    return result


def _all(a: Reader, b: Reader, compared: dict[str, int]) -> Iterator[Found | None]:
    yield _boards(a, b)
    names = {board.node: board.name for board in [*a.boards, *b.boards]}
    for node, name in names.items():
        yield _frames(a, b, node, name, compared)
        yield _telemetry(a, b, node, name, compared)
    yield _rows("fault", _counted("faults", compared, a.faults(), b.faults()), "time_us")
    yield _slots(a, b, compared)
    yield _fleet(a, b)
    yield _queries(a, b, compared)
    for table in ("nodes", "measurements"):
        yield _rows(table[:-1], _counted(table, compared, getattr(a, table), getattr(b, table)))
    yield from (Found(_AT_END_US, words) for words in _keys("figure", a.figures, b.figures))


# --- what the runs follow from


def _inputs(a: Reader, b: Reader) -> Iterator[str]:
    for key in sorted({*a.run, *b.run} - _DERIVED):
        yield from _keys(key, a.run.get(key), b.run.get(key))


def _keys(name: str, mine: Any, its: Any) -> Iterator[str]:
    # Every key of nested tables and lists whose values differ.
    if isinstance(mine, dict) and isinstance(its, dict):
        for key in sorted({*mine, *its}):
            yield from _keys(f"{name}.{key}", mine.get(key), its.get(key))
    elif isinstance(mine, list) and isinstance(its, list) and len(mine) == len(its):
        for number, pair in enumerate(zip(mine, its, strict=True)):
            yield from _keys(f"{name}.{number}", *pair)
    elif mine != its:
        yield f"{name} is {_said(mine)} in A and {_said(its)} in B"


def _said(value: Any) -> str:
    if value is None:
        return "absent"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- what came of them


def _boards(a: Reader, b: Reader) -> Found | None:
    for mine, its in zip_longest(a.boards, b.boards):
        if mine is None or its is None:
            where = NAMES[mine is None]
            return Found(0, f"board {(mine or its).name} is in {where} alone")
        if words := _columns(mine, its, ("kind",)):  # a board and a twin alone say the same
            return Found(0, f"board {mine.name}: {words}")
    return None


def _columns(mine: Any, its: Any, besides: tuple[str, ...] = ()) -> str:
    for name, one, other in zip(mine._fields, mine, its, strict=True):
        if one != other and name not in besides:
            return f"{name} is {_said(one)} in A and {_said(other)} in B"
    return ""


def _counted(table: str, compared: dict[str, int], mine: Iterable[Any], its: Iterable[Any]) -> _Pairs:
    for pair in zip_longest(mine, its):
        yield pair
        compared[table] = compared.get(table, 0) + 1


def _frames(a: Reader, b: Reader, node: int, name: str, compared: dict[str, int]) -> Found | None:
    # What differs in an exchange happened after the end of the one before.
    steps = since_us = 0
    for mine, its in _counted("frames", compared, a.frames(node), b.frames(node)):
        if words := _frame_words(mine, its):
            return Found(since_us, f"{name}, after step {steps}: {words}")
        if mine.direction == "down":
            since_us = mine.time_us
        if mine.body[:2] == _DONE:
            steps += messages.parse_done(mine.body).steps
    return None


def _frame_words(mine: rows.Frame | None, its: rows.Frame | None) -> str:
    if mine is None or its is None:
        return f"{NAMES[mine is None]} alone has more frames"
    if mine.direction != its.direction:
        return f"a frame goes {mine.direction} in A and {its.direction} in B"
    return difference(mine.body, its.body) if content(mine.body) != content(its.body) else ""


def _telemetry(a: Reader, b: Reader, node: int, name: str, compared: dict[str, int]) -> Found | None:
    for mine, its in _counted("telemetry", compared, a.telemetry(node), b.telemetry(node)):
        if mine is None or its is None:
            one = mine or its
            return Found(
                one.sent_us, f"{name}: a packet of kind {one.name} was heard in {NAMES[mine is None]} alone"
            )
        if mine != its:
            words = next(_keys(mine.name, mine.fields, its.fields), "") or _columns(mine, its, ("packet",))
            if words:  # a record of an older version has no packets
                return Found(min(mine.sent_us, its.sent_us), f"{name}, telemetry: {words}")
    return None


def _rows(what: str, pairs: _Pairs, time: str = "") -> Found | None:
    for mine, its in pairs:
        one = mine or its
        at_us = getattr(one, time) if time else _AT_END_US
        if mine is None or its is None:
            return Found(at_us, f"{what} {_label(one)} is in {NAMES[mine is None]} alone")
        if mine != its:
            return Found(
                min(at_us, getattr(its, time, at_us)), f"{what} {_label(one)}: {_columns(mine, its)}"
            )
    return None


def _label(row: Any) -> str:
    match row:
        case rows.Query():
            return f"{row.job} from {row.place or 'a satellite'}"
        case rows.Fault():
            return f"{row.kind} {row.target} of board {row.node}"
        case rows.Slot():
            return str(row.number)
    return str(row.name)


def _slots(a: Reader, b: Reader, compared: dict[str, int]) -> Found | None:
    return _rows("slot", _counted("slots", compared, a.slots(), b.slots()), "end_us")


def _fleet(a: Reader, b: Reader) -> Found | None:
    for slot in a.slots():
        mine, its = a.fleet_cells(slot.number), b.fleet_cells(slot.number)
        if mine is None or its is None or mine.shape != its.shape:
            continue  # an older version; other satellites are another scenario
        if not np.array_equal(mine, its):
            satellite, column = np.argwhere(mine != its)[0]
            values = mine[satellite, column], its[satellite, column]
            name = FLEET_COLUMNS[column]
            return Found(
                slot.end_us,
                f"satellite {satellite}: {name} (as a byte) is {values[0]} in A and {values[1]} in B",
            )
    return None


def _queries(a: Reader, b: Reader, compared: dict[str, int]) -> Found | None:
    # All are looked at: one that was sent early may differ in what came late.
    found = None
    for mine, its in _counted("queries", compared, a.queries(), b.queries()):
        if mine is not None and its is not None and mine.job == its.job:
            mine, its = mine._replace(revision=0), its._replace(revision=0)
            if mine == its:
                continue
            one = Found(
                min(mine.known_until_us, its.known_until_us), f"query {_label(mine)}: {_columns(mine, its)}"
            )
        else:
            row = min((one for one in (mine, its) if one is not None), key=lambda one: (one.sent_us, one.job))
            return _earlier(found, Found(row.sent_us, f"query {_label(row)} is in {NAMES[row is its]} alone"))
        found = _earlier(found, one)
    return found


def _earlier(found: Found | None, other: Found) -> Found:
    return found if found is not None and found.time_us <= other.time_us else other
