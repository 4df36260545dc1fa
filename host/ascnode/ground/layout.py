"""The dictionary's packets and commands field by field: what all exports are made of."""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.ground.limits import SEVERITIES, Limit, limits_of
from ascnode.ground.units import Unit, parse_unit
from ascnode_fw.wire import dictionary as d

LABELS = {
    "mode": dict(enumerate(d.MODES)),
    "command": {row[0]: row[1] for row in d.COMMANDS},
    "code": dict(d.CODES),
    "event": {row[0]: row[1] for row in d.EVENTS},
    "severity": SEVERITIES,
    "parameter": {row[0]: row[1] for row in d.PARAMETERS},
}
"""What the values of a telemetry field are called, by the field's name."""

_ARTICLES = ("a", "an", "the")
_ITEM = re.compile(r"(\d*)([a-zA-Z])")


@dataclass(frozen=True)
class Field:
    """One field: big-endian, `bits` wide, `at` bytes from the first one. `kind` is struct's letter; "s" is bytes."""

    name: str
    at: int
    kind: str
    bits: int
    unit: Unit
    limits: tuple[Limit, ...] = ()

    @property
    def signed(self) -> bool:
        """Two's complement."""
        return self.kind in "bhiq"

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest number that it can hold."""
        half = 1 << self.bits - 1
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)


@dataclass(frozen=True)
class Layout:
    """A telemetry packet's data, or a telecommand's arguments; `rest` says what follows the fields, if anything."""

    number: int
    name: str
    fields: tuple[Field, ...]
    rest: str

    @property
    def size(self) -> int:
        """Bytes of the fields."""
        return sum(field.bits for field in self.fields) // 8

    @property
    def rest_name(self) -> str:
        """A name for what follows: the first word that is said of it, articles aside."""
        return next((word for word in re.findall(r"\w+", self.rest) if word not in _ARTICLES), "")


def telemetry(power_scale: int = 0) -> list[Layout]:
    """All telemetry packets; `power_scale` is the node's k (power words are units of 2^k mW)."""
    return [_layout(row, power_scale, report=True) for row in d.TELEMETRY]


def commands(power_scale: int = 0) -> list[Layout]:
    """All telecommands."""
    return [_layout(row, power_scale, report=False) for row in d.COMMANDS]


def _layout(
    row: tuple[int, str, str, Sequence[tuple[str, str]], str], power_scale: int, report: bool
) -> Layout:
    number, name, form, names, rest = row
    fields, at = [], 0
    for (field, unit), (kind, bits) in zip(names, _items(form), strict=True):
        known = parse_unit(unit, power_scale)
        if (report or field == "parameter") and field in LABELS:
            known = Unit(labels=LABELS[field])
        fields.append(Field(field, at, kind, bits, known, limits_of(name, field) if report else ()))
        at += bits // 8
    return Layout(number, name, tuple(fields), rest)


def _items(form: str) -> list[tuple[str, int]]:
    # (letter, bits) of each field of a struct format; "8s" is one field, "3H" are three.
    found = []
    for count, kind in _ITEM.findall(form):
        bits = 8 * struct.calcsize(f">{count if kind == 's' else ''}{kind}")
        found += [(kind, bits)] * (1 if kind == "s" else int(count or 1))
    return found
