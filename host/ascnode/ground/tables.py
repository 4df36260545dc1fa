"""The dictionary as CSV, a row a field, and as Markdown for people."""

import csv
import io
from collections.abc import Iterable, Sequence

from ascnode.ground.layout import Field, Layout, commands, telemetry
from ascnode.ground.limits import SEVERITIES, Limit
from ascnode.ground.units import Unit, parse_unit
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import HEADER_BYTES, MAC_BYTES, TC_BYTES, TM_BYTES

CSV_COLUMNS = (
    *("table", "id", "name", "field", "offset_bytes", "bits", "signed", "unit", "scale", "scaled_unit"),
    *("low", "high", "default", "limits", "values", "note"),
)
"""Numbers are as sent; times `scale` they are in `scaled_unit`. `offset_bytes` counts from the packet's first byte."""


def csv_table(power_scale: int = 0) -> str:
    """All rows, telemetry first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for layout in telemetry(power_scale):
        writer.writerows(_field_rows("telemetry", layout, TM_BYTES))
    for layout in commands(power_scale):
        writer.writerows(_field_rows("telecommand", layout, TC_BYTES - MAC_BYTES))
    for number, name, default, low, high, text in d.PARAMETERS:
        unit = parse_unit(text, power_scale)
        ends = (unit.raw, _number(unit.scale), unit.unit, low, high, default, "", "", unit.note)
        writer.writerow(("parameter", number, name, "", "", "", "", *ends))
    for number, name, severity, meaning in d.EVENTS:
        writer.writerow(("event", number, name, *11 * ("",), f"severity: {SEVERITIES[severity]}", meaning))
    for code, words in d.CODES:
        writer.writerow(("code", code, words, *13 * ("",)))
    for number, (name, low, high, unit_text) in enumerate(d.SENSORS):
        writer.writerow(("sensor", number, name, *4 * ("",), unit_text, "", "", low, high, *4 * ("",)))
    return out.getvalue()


def _field_rows(table: str, layout: Layout, first: int) -> Iterable[Sequence[object]]:
    for field in layout.fields:
        unit = field.unit
        yield (
            *(table, layout.number, layout.name, field.name, first + field.at, field.bits),
            *(str(field.signed).lower(), unit.raw, _number(unit.scale), unit.unit, *_range(field), ""),
            *(_limits(field.limits, unit), _values(unit), unit.note),
        )
    if layout.rest or not layout.fields:
        at = first + layout.size if layout.rest else ""
        yield table, layout.number, layout.name, layout.rest_name, at, *10 * ("",), layout.rest


def _range(field: Field) -> tuple[object, object]:
    return ("", "") if field.kind == "s" else field.range


def _number(scale: float) -> str:
    return f"{scale:.9g}"


def _limits(limits: Sequence[Limit], unit: Unit) -> str:
    words = {"low": "below", "high": "above"}
    return "; ".join(
        f"{one.concern} {words[one.side]} {one.value} ({one.value * unit.scale:g} {unit.unit}, {one.parameter})"
        for one in limits
    )


def _values(unit: Unit) -> str:
    return "; ".join(f"{value} {label}" for value, label in unit.labels.items())


# --- Markdown

_FEW = 6  # values that are named where they are used
_INTRODUCTION = """# Dictionary

Made by `ascnode dictionary export --md -o docs/dictionary.md` from `ascnode_fw/wire/dictionary.py`, digest `{digest}`.
Numbers are big-endian. A power word (`pw`) is 2^k mW, where k comes from the node's hardware (0 up to about 1 kW); `cK`
is 1/100 K. Limits are where the flight software acts, by the defaults of the parameters they name.
"""
_TELEMETRY = """
## Telemetry

Primary header ({header} bytes), time (CUC, 4 bytes of seconds and 2 of 1/65536 s, since the scenario's epoch), packet
id (1), then the fields at their offsets. The data goes on to the packet's end where it says so.
"""
_COMMANDS = """
## Telecommands

Primary header ({header} bytes), key index (2), sequence number (4), command (1), the arguments, and HMAC-SHA256 over
all before it, cut to {mac} bytes.
"""


def markdown() -> str:
    """The whole document."""
    parts = [_INTRODUCTION.format(digest=d.digest().hex()), _TELEMETRY.format(header=HEADER_BYTES)]
    parts += [_layout_text(layout, TM_BYTES) for layout in telemetry()]
    parts.append(_COMMANDS.format(header=HEADER_BYTES, mac=MAC_BYTES))
    parts += [_layout_text(layout, TC_BYTES - MAC_BYTES) for layout in commands()]
    parts.append("\n## Parameters\n\n" + _parameters())
    parts.append("\n## Events\n\n" + _events())
    parts.append("\n## Codes of acceptance, completion and result\n\n" + _grid(("code", "meaning"), d.CODES))
    sensors = ((name, f"{low} to {high} {unit}") for name, low, high, unit in d.SENSORS)
    parts.append(
        "\n## Sensors\n\nWords of 12 bits over this range.\n\n" + _grid(("sensor", "range"), sensors)
    )
    return "".join(parts)


def _layout_text(layout: Layout, first: int) -> str:
    rows: list[tuple[object, ...]] = [
        (first + field.at, field.name, _type(field), field.unit.raw or _names(field), _remarks(field))
        for field in layout.fields
    ]
    if layout.rest:
        rows.append((first + layout.size, layout.rest_name, "to the end", "", layout.rest))
    table = _grid(("at", "field", "type", "unit or values", "remarks"), rows) if rows else "No arguments.\n"
    return f"\n### {layout.number} {layout.name}\n\n{table}"


def _names(field: Field) -> str:
    labels = field.unit.labels
    return _values(field.unit) if len(labels) <= _FEW else "see below"


def _type(field: Field) -> str:
    if field.kind == "s":
        return f"{field.bits // 8} bytes"
    return f"{'i' if field.signed else 'u'}{field.bits}"


def _remarks(field: Field) -> str:
    return "; ".join(filter(None, (field.unit.note, _limits(field.limits, field.unit))))


def _parameters() -> str:
    head = ("id", "parameter", "default", "least", "greatest", "unit")
    return _grid(head, d.PARAMETERS)


def _events() -> str:
    rows = ((number, name, SEVERITIES[severity], meaning) for number, name, severity, meaning in d.EVENTS)
    return _grid(("id", "event", "severity", "value"), rows)


def _grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)
