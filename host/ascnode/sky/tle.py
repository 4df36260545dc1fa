"""Two-line element sets, with or without a line of name above each."""

import re

from sgp4.api import WGS72, Satrec

from ascnode.errors import ScenarioError

_COLUMNS = 69
# Columns as in CelesTrak's description of the format; the parser of sgp4 takes what it can of a field.
_LINE1 = re.compile(
    r"1 [\dA-Z ][\d ]{4}[A-Z ] .{8} [\d ]{2}[\d ]{3}\.[\d ]{8} [ +-][\d ]?\.[\d ]{7,8} [ +-][\d ]{5}[ +-]\d "
    r"[ +-][\d ]{5}[ +-]\d .[\d ]{5}\d"
)
_ANGLE = r"[\d ]{3}\.[\d ]{4}"
_LINE2 = re.compile(
    rf"2 [\dA-Z ][\d ]{{4}} {_ANGLE} {_ANGLE} [\d ]{{7}} {_ANGLE} {_ANGLE} [\d ]{{2}}\.[\d ]{{8}}[\d ]{{5}}\d"
)
_HYPATIA = re.compile(r"\d+ \d+\s*")


def parse_tle(text: str, checksums: bool = True) -> tuple[list[str], list[Satrec]]:
    """Names and records, in order; what follows column 69 is not looked at, and `#` begins a comment.

    A first line of two numbers, as Hypatia writes it (planes, satellites per plane), is passed over.
    Raises ScenarioError with the line that is wrong.
    """
    names: list[str] = []
    records: list[Satrec] = []
    name, first = "", (0, "")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#") or (number == 1 and _HYPATIA.fullmatch(line)):
            continue
        if first[1]:
            records.append(_record(*first, number, line, checksums))
            names.append(name or str(records[-1].satnum))
            name, first = "", (0, "")
        elif line.startswith("1 ") and len(line.rstrip()) >= _COLUMNS:
            first = number, line
        elif name or line.startswith("2 "):
            raise ScenarioError(f"line {number}: an element set's first line is expected here")
        else:
            name = line.removeprefix("0 ").strip()
    if first[1] or name:
        raise ScenarioError(f"line {number}: the file ends within an element set")
    if not records:
        raise ScenarioError("no element set is in it")
    return names, records


def _record(number1: int, line1: str, number2: int, line2: str, checksums: bool) -> Satrec:
    if not line2.startswith("2 "):
        raise ScenarioError(f"line {number2}: an element set's second line is expected here")
    _check(number1, line1, checksums)
    _check(number2, line2, checksums)
    if line1[2:7] != line2[2:7]:
        raise ScenarioError(f"line {number2}: it belongs to {line2[2:7]}, the line above to {line1[2:7]}")
    try:
        return Satrec.twoline2rv(line1[:_COLUMNS], line2[:_COLUMNS], WGS72)
    except ValueError as e:
        raise ScenarioError(f"line {number1}: {e}") from None


def _check(number: int, line: str, checksums: bool) -> None:
    line = line.rstrip()
    if len(line) < _COLUMNS:
        raise ScenarioError(
            f"line {number}: it has {len(line)} columns, an element set's line has {_COLUMNS}"
        )
    if not line.isascii():
        raise ScenarioError(f"line {number}: an element set is written in ASCII")
    total = sum(int(c) if c.isdecimal() else c == "-" for c in line[: _COLUMNS - 1]) % 10
    if not (_LINE1 if line[0] == "1" else _LINE2).fullmatch(line[:_COLUMNS]):
        raise ScenarioError(f"line {number}: its columns are not those of an element set")
    if checksums and line[_COLUMNS - 1] != str(total):
        raise ScenarioError(
            f"line {number}: its checksum is {line[_COLUMNS - 1]}, its characters sum to {total}"
        )
