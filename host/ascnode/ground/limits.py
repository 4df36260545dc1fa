"""When a telemetry value is of concern: thresholds that the flight software itself acts on, by their defaults."""

from dataclasses import dataclass

from ascnode_fw.wire import dictionary as d

_DEFAULTS = {row[0]: row[2] for row in d.PARAMETERS}
_NAMES = {row[0]: row[1] for row in d.PARAMETERS}


@dataclass(frozen=True)
class Limit:
    """Beyond `value` (raw, as in the packet) a field is of that concern; `parameter` is where the value comes from."""

    concern: str  # XTCE's levels: watch, warning, critical
    side: str  # low or high
    value: int
    parameter: str


_OF = {
    ("housekeeping", "charge"): (
        ("warning", "low", d.P_SOC_CHARGE),
        ("critical", "low", d.P_SOC_SAFE),
    ),
    ("housekeeping", "accelerator"): (
        ("watch", "high", d.P_TEMP_TARGET),
        ("critical", "high", d.P_TEMP_TRIP),
    ),
}

SEVERITIES = {d.INFO: "info", d.LOW: "low", d.MEDIUM: "medium", d.HIGH: "high"}
LABEL_CONCERNS = {
    "severity": {"low": "watch", "medium": "warning", "high": "critical"},
    "mode": {"SAFE": "critical", "CHARGE": "warning"},
}
"""Concern of a named value, by the field that has it."""


def limits_of(packet: str, field: str) -> tuple[Limit, ...]:
    """The limits of a telemetry field; none for most."""
    rows = _OF.get((packet, field), ())
    return tuple(Limit(concern, side, _DEFAULTS[p], _NAMES[p]) for concern, side, p in rows)


def concern(packet: str, field: str, value: int) -> str:
    """The gravest concern of a raw value, or "normal"."""
    found = "normal"
    for limit in limits_of(packet, field):
        if value < limit.value if limit.side == "low" else value > limit.value:
            found = limit.concern
    return found
