"""What a record says in short, as plain values: for `ascnode runs list` and `show`."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ascnode.record.catalogue import state_of, verdict_of
from ascnode.record.reader import Reader

SEVERITIES = {1: "info", 2: "low", 3: "medium", 4: "high"}


def headline(reader: Reader) -> dict[str, Any]:
    """One line of a list: cheap, and right for a run that is under way or was interrupted."""
    length_us = reader.length_us or reader.newest_us
    return {
        "name": reader.path.stem,
        "path": str(reader.path),
        "started": reader.wall.get("started"),
        "state": state_of(reader),
        "flown_s": reader.newest_us / 1e6,
        "length_s": length_us / 1e6,
        "satellites": satellites_of(reader),
        "boards": len(reader.boards),
        "queries_sent": reader.count("queries"),
        "queries_answered": reader.count("queries", "answered_us IS NOT NULL"),
        "verdict": verdict_of(reader),
        "bytes": _size(reader.path),
    }


def _size(path: Path) -> int:
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def satellites_of(reader: Reader) -> int | None:
    """How many satellites the constellation has; None when the record does not say."""
    slot = reader.slot_at(reader.newest_us)
    cells = reader.fleet_cells(slot.number) if slot else None
    if cells is not None:
        return len(cells)
    mesh = reader.figures.get("mesh", {})
    return mesh.get("satellites") if isinstance(mesh, dict) else None


def summary(reader: Reader) -> dict[str, Any]:
    """The headline, and counts by what happened."""
    return {
        **headline(reader),
        "schema": reader.version,
        "seed": reader.run.get("seed", reader.scenario.get("seed")),
        "scenario": reader.scenario.get("name"),
        "versions": reader.run.get("versions", {"ascnode": reader.run.get("ascnode")}),
        "wall_s": reader.wall.get("wall_s"),
        "record_sha256": reader.wall.get("record_sha256"),
        "command": reader.wall.get("command"),
        "board_rows": [_board(reader, board.node) for board in reader.boards],
        **_queries(reader),
        "events": _events(reader),
        "faults": _counted(f"{one.kind} {one.target}" for one in reader.faults()),
        "measurements": [one._asdict() for one in reader.measurements],
    }


def _board(reader: Reader, node: int) -> dict[str, Any]:
    board = next(one for one in reader.boards if one.node == node)
    return {
        **{key: getattr(board, key) for key in ("node", "name", "satellite", "kind", "unique_id", "version")},
        "frames": reader.count("frames", f"node = {node}"),
        "packets": reader.count("telemetry", f"node = {node}"),
    }


def _queries(reader: Reader) -> dict[str, Any]:
    latencies, causes, late = [], Counter[str](), 0
    under_way = 0
    for one in reader.queries():
        if one.answered_us is not None:
            latencies.append((one.answered_us - one.sent_us) / 1e6)
            late += one.late
        elif one.cause:
            causes[one.cause] += 1
        else:
            under_way += 1
    return {
        "queries_late": late,
        "queries_under_way": under_way,
        "causes": dict(sorted(causes.items())),
        "latency_s": _percentiles(latencies),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    # As in a run's closing figures, whose module takes a second to import.
    if not values:
        return {}
    points = {"p5": 5, "p50": 50, "p90": 90, "p95": 95, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, q)), 3) for name, q in points.items()}


def _events(reader: Reader) -> dict[str, int]:
    names = (
        (one.severity, f"{SEVERITIES.get(one.severity, one.severity)}: {one.name}") for one in reader.events()
    )
    counts = Counter(names)
    return {
        name: counts[severity, name] for severity, name in sorted(counts, key=lambda one: (-one[0], one[1]))
    }


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
