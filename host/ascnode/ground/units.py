"""The dictionary's units as others know them: scaled to W, K and %, notes and named values apart."""

import re
from dataclasses import dataclass, field

_NAMED_VALUE = re.compile(r"(\d) (.+)")
_MULTIPLE = re.compile(r"(\d{2,}) (.+)")  # "1000 cycles"


@dataclass(frozen=True)
class Unit:
    """What the dictionary says of a number: value times `scale` is in `unit`; `labels` name its values."""

    raw: str = ""
    unit: str = ""
    scale: float = 1.0
    note: str = ""
    labels: dict[int, str] = field(default_factory=dict)


def parse_unit(text: str, power_scale: int = 0) -> Unit:
    """A unit as the dictionary writes it, such as "pw, 0 is none" or "0 contacts, 1 eclipses".

    `power_scale` is the node's k: power words are units of 2^k mW.
    """
    parts = text.split(", ")
    named = [_NAMED_VALUE.fullmatch(part) for part in parts]
    if len(parts) > 1 and all(named):
        return Unit(labels={int(one[1]): one[2] for one in named if one})
    if named[0]:
        return Unit(note=text)
    unit, scale = _engineering(parts[0], power_scale)
    if " " in unit:  # words, such as "of a firmware's trial"
        return Unit(note=text)
    return Unit(parts[0], unit, scale, ", ".join(parts[1:]))


def _engineering(raw: str, power_scale: int) -> tuple[str, float]:
    if raw == "cK":
        return "K", 0.01
    if raw == "1/1000":
        return "%", 0.1
    if raw == "pw" or raw.startswith("pw/"):
        return "W" + raw[2:], 2**power_scale / 1000
    if raw.startswith("2^k "):
        return raw[4:], float(2**power_scale)
    multiple = _MULTIPLE.fullmatch(raw)
    return (multiple[2], float(multiple[1])) if multiple else (raw, 1.0)
