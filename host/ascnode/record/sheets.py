"""A record as sheets for other tools: one a table, telemetry one a kind of packet, units in the columns' names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ascnode.record import schema
from ascnode.record.reader import Reader
from ascnode.session.telemetry import EVENT_NAMES
from ascnode_fw.wire import dictionary as d

_OPENED = ("fleet", "service", "telemetry")  # tables that are not written as they lie
_SUFFIXES = {"us": "us", "s": "s", "B": "bytes", "K": "k", "J": "j", "W": "w"}
_KINDS: dict[str, type] = {"INTEGER": int, "REAL": float, "TEXT": str, "BLOB": bytes}
_FLEET = (
    *(("charge_share", float), ("accelerator_k", float), ("radiator_k", float)),
    *((name, int) for name in ("operating_point", "jobs", "mode")),
    *((name, int) for name in ("sunlit", "out", "throttled", "shed", "tripped", "board")),
)
# Units of the dictionary: what ends a column's name, and a value from one with the k of the board's power words.
_UNITS: dict[str, tuple[str, Callable[[int, int], float]]] = {
    "pw": ("_mw", lambda value, k: value << k),
    "2^k mJ": ("_mj", lambda value, k: value << k),
    "cK": ("_k", lambda value, k: value / 100),
    "1/1000": ("_share", lambda value, k: value / 1000),
    "1000 cycles": ("_cycles", lambda value, k: value * 1000),
    "s": ("_s", lambda value, k: value),
    "ms": ("_ms", lambda value, k: value),
}


class Column(NamedTuple):
    """`kind`: int, float, str or bytes; any value may be None."""

    name: str
    kind: type


@dataclass(frozen=True)
class Sheet:
    """One file: its name without suffix, its columns, its rows."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Any]]


def sheets(reader: Reader) -> Iterator[Sheet]:
    """One for every table, whether or not it has rows, and one for every kind of packet."""
    for table in schema.TABLES:
        if table.name not in _OPENED:
            columns = tuple(Column(_named(one), _KINDS[one.kind.split()[0]]) for one in table.columns)
            yield Sheet(table.name, columns, reader.raw_rows(table.name))
    yield Sheet(
        "fleet", _columns(("slot", int), ("end_us", int), ("satellite", int), *_FLEET), _fleet(reader)
    )
    served = ("slot", "start_us", "user", "satellite", "gateway")
    yield Sheet("service", tuple(Column(name, int) for name in served), _service(reader))
    for packet in d.TELEMETRY:
        yield _telemetry(reader, packet)


def _columns(*columns: tuple[str, type]) -> tuple[Column, ...]:
    return tuple(Column(*one) for one in columns)


def _named(column: schema.Column) -> str:
    suffix = _SUFFIXES.get(column.unit)
    return column.name if suffix is None or suffix in column.name.split("_") else f"{column.name}_{suffix}"


def _fleet(reader: Reader) -> Iterator[Sequence[Any]]:
    for slot in reader.slots():
        fleet = reader.fleet_state(slot.number)
        if fleet is not None:
            columns = (values.tolist() for values in fleet)
            for satellite, values in enumerate(zip(*columns, strict=True)):
                cells = (kind(value) for value, (_, kind) in zip(values, _FLEET, strict=True))
                yield (slot.number, slot.end_us, satellite, *cells)


def _service(reader: Reader) -> Iterator[Sequence[Any]]:
    for slot in reader.slots():
        service = reader.served(slot.number)
        if service is not None:
            for user, satellite in enumerate(service.serving.tolist()):
                if satellite >= 0:
                    yield slot.number, slot.start_us, user, satellite, service.gateway.get(satellite)


def _telemetry(reader: Reader, packet: Any) -> Sheet:
    _, name, _, fields, rest = packet
    columns = [("node", int), ("name", str), ("sent_us", int), ("made_us", int)]
    columns += [
        (field + _UNITS[unit][0], float) if unit in _UNITS else (field, int) for field, unit in fields
    ]
    columns += [("event_name", str)] if name == "event" else []
    columns += [("data", bytes)] if rest else []
    return Sheet(f"telemetry-{name}", _columns(*columns), _packets(reader, name, fields, bool(rest)))


def _packets(
    reader: Reader, name: str, fields: Sequence[tuple[str, str]], rest: bool
) -> Iterator[Sequence[Any]]:
    boards = {board.node: board for board in reader.boards}
    for one in reader.telemetry(name=name):
        board = boards[one.node]
        row = [one.node, board.name, one.sent_us, one.made_us]
        row += [_scaled(one.fields.get(field), unit, board.power_scale) for field, unit in fields]
        row += [EVENT_NAMES.get(one.fields["event"], "")] if name == "event" else []
        yield [*row, one.data] if rest else row


def _scaled(value: int | None, unit: str, k: int) -> float | None:
    if value is None or unit not in _UNITS:  # None: the dictionary of an older record did not have it
        return value
    return _UNITS[unit][1](value, k)
