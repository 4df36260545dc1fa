"""What the page asks of a record: scene, slots, charts, events, queries, search. Times in s since the run's epoch."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ascnode.errors import RecordError, ScenarioError
from ascnode.mesh.slots import SLOT_S
from ascnode.record.packed import unpack_fleet, unpack_json
from ascnode.scenario.scenario import Scenario
from ascnode.view.page import events, queries, series
from ascnode.view.page.rows import Rows
from ascnode.view.page.scene import scene_of

_MOST_SLOTS = 64
_OVERVIEW_POINTS = 300
_SLOT_COLUMNS = (
    *("number", "start_us", "links", "users_served", "satellites_out", "parcels_waiting", "bytes_waiting"),
    *("jobs", "charge_min", "charge_mean", "accelerator_max_k", "radiator_max_k", "load_w"),
)
_SLOTS = f"SELECT {', '.join(_SLOT_COLUMNS)} FROM slots WHERE number >= ? AND number < ? ORDER BY number"


class Source:
    """One record, whole or growing. RecordError when it is none; ScenarioError when its constellation is gone."""

    def __init__(self, path: Path) -> None:
        self._rows = Rows(path)
        self.scenario = self._scenario()
        self._boards = {
            satellite: (node, 2**scale)
            for node, satellite, scale in self._rows.all("boards", "SELECT node, satellite, power_scale FROM boards")
        }

    def close(self) -> None:
        """Lets go of the file."""
        self._rows.close()

    def _scenario(self) -> Scenario:
        row = self._rows.one("run", "SELECT value FROM run WHERE key = 'scenario'")
        if row is None:
            raise RecordError(f"{self._rows.path} holds no scenario: its run has not begun")
        try:
            # files that it names lie where the record's reader says, or where it flew
            return Scenario.model_validate({**json.loads(row[0]), "folder": self._rows.path.parent})
        except (ValidationError, ValueError) as e:
            raise RecordError(f"{self._rows.path}: its scenario is not one of this version: {e}") from None

    def scene(self) -> dict[str, Any]:
        """All that does not change while it flies."""
        return {**self._scene, "run": self._run}

    @cached_property
    def _scene(self) -> dict[str, Any]:
        return scene_of(self.scenario)

    @cached_property
    def _run(self) -> str:
        # tells one run from another that is served at the same address later
        said = self._rows.all("run", "SELECT key, value FROM run ORDER BY key")
        return hashlib.sha256(repr((str(self._rows.path), said)).encode()).hexdigest()[:16]

    def progress(self, writing: Callable[[], bool] | None = None) -> dict[str, Any]:
        """How far it is: `state` is running, ended or interrupted."""
        newest = self._rows.one("slots", "SELECT start_us, number FROM slots ORDER BY number DESC LIMIT 1")
        ended = self._rows.one("figures", "SELECT 1 FROM figures LIMIT 1") is not None
        alive = writing() if writing is not None else self._rows.seems_written()
        return {
            "run": self._run,
            "state": "ended" if ended else "running" if alive else "interrupted",
            "newest_s": self._end_s(newest[1]) if newest else 0.0,
        }

    def slots(self, first: int, count: int) -> dict[str, Any]:
        """`count` slots from the run's `first` on, as far as they are recorded, with fleet and service."""
        base = self._base + max(0, first)
        last = base + min(_MOST_SLOTS, count)
        fleet = dict(self._rows.all("fleet", "SELECT slot, state FROM fleet WHERE slot >= ? AND slot < ?", base, last))
        served = dict(
            self._rows.all("service", "SELECT slot, served FROM service WHERE slot >= ? AND slot < ?", base, last)
        )
        found = (dict(zip(_SLOT_COLUMNS, row, strict=True)) for row in self._rows.all("slots", _SLOTS, base, last))
        return {
            "slots": [
                {
                    **slot,
                    "index": slot["number"] - self._base,
                    "fleet": _text(fleet.get(slot["number"])),
                    "served": _service(served.get(slot["number"])),
                }
                for slot in found
            ]
        }

    def series(self, node: int, start_s: float, end_s: float, points: int) -> dict[str, Any]:
        """A satellite's quantities over a span, by at most `points` places."""
        span = (start_s, end_s, max(2, min(2000, points)))
        if node in self._boards:
            board, scale = self._boards[node]
            told = series.of_board(self._rows, board, scale, *span)
        else:
            told = series.of_fleet(self._rows, node, SLOT_S, *span)
        return {**told, "from": start_s, "to": end_s}

    def overview(self) -> dict[str, Any]:
        """Jobs in nodes over the whole run, and times of what had severity high."""
        rows = self._rows.all("slots", "SELECT number, jobs FROM slots ORDER BY number")
        every = max(1, len(rows) // _OVERVIEW_POINTS)
        groups = [rows[i : i + every] for i in range(0, len(rows), every)]
        return {
            "t": [self._end_s(group[-1][0]) for group in groups],
            "jobs": [max(jobs for _, jobs in group) for group in groups],
            "alarms": events.alarms(self._rows, _OVERVIEW_POINTS),
        }

    def events(self, until_s: float, least: int, most: int) -> dict[str, Any]:
        """The newest events up to a time."""
        return events.until(self._rows, until_s, least, max(1, min(500, most)))

    def queries(self, start_s: float, end_s: float) -> dict[str, Any]:
        """Queries that are under way at some time of a span."""
        return queries.between(self._rows, start_s, end_s)

    def query(self, job: int) -> dict[str, Any]:
        """One query with where its time went; RecordError when there is none."""
        return queries.one(self._rows, job)

    def search(self, text: str) -> dict[str, Any]:
        """Queries by number or place, events by word; the page knows its nodes itself."""
        wanted = text[:60].strip()
        return {"found": [*queries.search(self._rows, wanted), *events.search(self._rows, wanted)] if wanted else []}

    @cached_property
    def _base(self) -> int:
        return int(self._scene["slots"]["first"])

    def _end_s(self, number: int) -> float:
        slots = self._scene["slots"]
        return float(min(self.scenario.length_s, slots["start_s"] + (number - self._base + 1) * SLOT_S))


def _text(blob: bytes | None) -> str | None:
    return None if blob is None else b64encode(unpack_fleet(blob).tobytes()).decode()


def _service(blob: bytes | None) -> dict[str, Any] | None:
    return None if blob is None else unpack_json(blob)
