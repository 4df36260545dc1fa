"""Finds records: by path, by name, by number; and tells whether their runs have ended."""

import re
from pathlib import Path

import psutil

from ascnode.errors import RecordError
from ascnode.record.reader import Reader

FOLDER = Path("runs")
WHOLE, UNDER_WAY, INTERRUPTED = "whole", "under way", "interrupted"
_CLOSE_S = 1.0  # between two looks at when a process began


def records(folder: Path = FOLDER) -> list[Path]:
    """The records of a folder, the newest file first."""
    found = folder.glob("*.sqlite") if folder.is_dir() else ()
    return sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))


def find_record(run: str, folder: Path = FOLDER) -> Path:
    """The record that a path, a name (demo-0003) or a number (3) means; RecordError says what there is."""
    path = Path(run)
    if path.suffix or len(path.parts) > 1:
        if path.is_file():
            return path
        raise RecordError(f"{run}: there is no such record")
    there = records(folder)
    named = [one for one in there if one.stem == run]
    numbered = [one for one in there if run.isdecimal() and _number(one) == int(run)]
    found = named or numbered
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(one.stem for one in found))
        raise RecordError(f"{len(found)} runs have the number {run}: {names}")
    known = (
        "the newest there are " + ", ".join(one.stem for one in there[:5]) if there else "no run is there yet"
    )
    raise RecordError(f"no run {run!r} in {folder}/: {known}")


def _number(path: Path) -> int | None:
    match = re.search(r"-(\d+)$", path.stem)
    return int(match[1]) if match else None


def process_mark() -> list[float]:
    """Who writes a record: this process, and when it began. A number alone may come again."""
    process = psutil.Process()
    return [process.pid, process.create_time()]


def state_of(reader: Reader) -> str:
    """whole, under way, or interrupted."""
    if reader.whole:
        return WHOLE
    mark = reader.wall.get("process")
    return UNDER_WAY if isinstance(mark, list) and len(mark) == 2 and _alive(*mark) else INTERRUPTED


def _alive(pid: float, began_s: float) -> bool:
    try:
        return abs(psutil.Process(int(pid)).create_time() - began_s) < _CLOSE_S
    except (psutil.Error, ValueError, TypeError):
        return False


def verdict_of(reader: Reader) -> str:
    """fail, marginal or pass by the measurements; "" without any."""
    outcomes = {one.outcome for one in reader.measurements}
    return next((one for one in ("fail", "marginal", "pass") if one in outcomes), "")
