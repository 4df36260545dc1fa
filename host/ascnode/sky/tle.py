"""Two-line element sets, with or without a line of name above each."""

from sgp4.api import WGS72, Satrec

from ascnode.errors import ScenarioError

_COLUMNS = 69


def parse_tle(text: str) -> tuple[list[str], list[Satrec]]:
    """Names and records, in order; what follows column 69 is not looked at, and `#` begins a comment.

    Raises ScenarioError with the line that is wrong.
    """
    lines = [(n, line.rstrip()) for n, line in enumerate(text.splitlines(), 1)]
    lines = [(n, line) for n, line in lines if line.strip() and not line.startswith("#")]
    names: list[str] = []
    records: list[Satrec] = []
    name = ""
    while lines:
        number, line = lines.pop(0)
        if not line.startswith("1 "):
            name = line.removeprefix("0 ").strip()
            continue
        if not lines or not lines[0][1].startswith("2 "):
            raise ScenarioError(f"line {number}: the second line of this element set is missing")
        records.append(_record(number, line, *lines.pop(0)))
        names.append(name or str(records[-1].satnum))
        name = ""
    if not records:
        raise ScenarioError("no element set is in it")
    return names, records


def _record(number: int, line1: str, number2: int, line2: str) -> Satrec:
    for n, line in ((number, line1), (number2, line2)):
        _check(n, line)
    if line1[2:7] != line2[2:7]:
        raise ScenarioError(f"line {number2}: it belongs to {line2[2:7]}, the line above to {line1[2:7]}")
    try:
        return Satrec.twoline2rv(line1[:_COLUMNS], line2[:_COLUMNS], WGS72)
    except ValueError as e:
        raise ScenarioError(f"line {number}: {e}") from None


def _check(number: int, line: str) -> None:
    if len(line) < _COLUMNS:
        raise ScenarioError(
            f"line {number}: it has {len(line)} columns, an element set's line has {_COLUMNS}"
        )
    sum_ = sum(int(c) if c.isdecimal() else c == "-" for c in line[: _COLUMNS - 1])
    if line[_COLUMNS - 1] != str(sum_ % 10):
        raise ScenarioError(
            f"line {number}: its checksum is {line[_COLUMNS - 1]}, its characters sum to {sum_ % 10}"
        )
