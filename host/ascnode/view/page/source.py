"""What the page asks of a record: scene, slots, charts, events, queries, search. Times in s since the run's epoch."""

import hashlib
import json
from base64 import b64encode
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ascnode.errors import RecordError
from ascnode.mesh.slots import SLOT_S
from ascnode.record.catalogue import state_of
from ascnode.record.file import RecordFile
from ascnode.record.packed import unpack_fleet, unpack_json
from ascnode.record.reader import Reader
from ascnode.record.rows import Slot
from ascnode.scenario.scenario import Scenario
from ascnode.view.page import events, queries, series
from ascnode.view.page.scene import scene_of

_MOST_SLOTS = 64
_OVERVIEW_POINTS = 300


class Source:
    """One record, whole or growing, for one thread at a time.

    `folders` are where else a file of element sets may lie. RecordError when it is none, or does not say what flew.
    """

    def __init__(self, path: Path, *folders: Path) -> None:
        self.path = path
        self._folders = folders
        self.file = RecordFile(path)
        self.reader = Reader(self.file)
        self.scenario = self._scenario()

    def close(self) -> None:
        """Lets go of the file."""
        self.reader.close()

    def _scenario(self) -> Scenario:
        keys = self.reader.scenario
        if not keys:
            raise RecordError(f"{self.path} holds no scenario: its run has not begun")
        try:
            return Scenario.model_validate({**keys, "folder": self._folder(keys)})
        except ValidationError as e:
            raise RecordError(
                f"{self.path}: its scenario is not one of this version: {e.errors()[0]['msg']}"
            ) from None

    def _folder(self, keys: dict[str, Any]) -> Path:
        # A record names its element sets, and not where they lay: beside it, or where a run was started.
        named = keys.get("constellation", {}).get("file")
        folders = (self.path.parent, *self._folders, Path(), self.path.parent.parent)
        return next((folder for folder in folders if named and (folder / named).is_file()), self.path.parent)

    def scene(self) -> dict[str, Any]:
        """All that does not change while it flies."""
        return {**self._scene, "run": self._run}

    @cached_property
    def _scene(self) -> dict[str, Any]:
        return scene_of(self.scenario, self.reader.run.get("lasers"))

    @cached_property
    def _run(self) -> str:
        # tells one run from another that is served at the same address later
        said = json.dumps([str(self.path), self.reader.run], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def progress(self) -> dict[str, Any]:
        """How far it is: `state` is whole, under way or interrupted."""
        return {
            "run": self._run,
            "state": state_of(self.reader),
            "newest_s": next((self._end_s(Slot(*row)) for row in self._last_slot()), 0.0),
        }

    def _last_slot(self) -> Any:
        return self.file.select("slots", "ORDER BY number DESC LIMIT 1")

    def slots(self, first: int, count: int) -> dict[str, Any]:
        """`count` slots from the run's `first` on, as far as they are recorded, with fleet and service."""
        base = self._base + max(0, first)
        span = (base, base + min(_MOST_SLOTS, count))
        fleet = {
            slot: state for slot, _, state in self.file.select("fleet", "WHERE slot >= ? AND slot < ?", span)
        }
        served = dict(self.file.select("service", "WHERE slot >= ? AND slot < ?", span))
        found = self.file.select("slots", "WHERE number >= ? AND number < ? ORDER BY number", span)
        with self.file.guarded():
            return {"slots": [self._slot(Slot(*row), fleet, served) for row in found]}

    def _slot(self, slot: Slot, fleet: dict[int, bytes], served: dict[int, bytes]) -> dict[str, Any]:
        state, service = fleet.get(slot.number), served.get(slot.number)
        return {
            **slot._asdict(),
            "index": slot.number - self._base,
            "fleet": None if state is None else b64encode(unpack_fleet(state).tobytes()).decode(),
            "served": None if service is None else unpack_json(service),
        }

    def series(self, node: int, start_s: float, end_s: float, points: int) -> dict[str, Any]:
        """A satellite's quantities over a span, by at most `points` places."""
        board = next((one for one in self.reader.boards if one.satellite == node), None)
        span = (start_s, end_s, max(2, min(2000, points)))
        if board is not None:
            told = series.of_board(self.reader, board, *span)
        elif 0 <= node < self.scenario.space.count:
            told = series.of_fleet(self.file, node, *span)
        else:
            raise RecordError(f"there is no satellite {node} in this run")
        return {**told, "from": start_s, "to": end_s}

    def overview(self) -> dict[str, Any]:
        """Jobs in nodes over the whole run, and times of what had severity high."""
        rows = self.reader.slots()
        every = max(1, len(rows) // _OVERVIEW_POINTS)
        groups = [rows[i : i + every] for i in range(0, len(rows), every)]
        return {
            "t": [self._end_s(group[-1]) for group in groups],
            "jobs": [max(slot.jobs for slot in group) for group in groups],
            "alarms": events.alarms(self.file, _OVERVIEW_POINTS),
        }

    def events(self, until_s: float, least: int, most: int) -> dict[str, Any]:
        """The newest events up to a time."""
        return events.until(self.file, self._satellites, until_s, least, max(1, min(500, most)))

    def queries(self, start_s: float, end_s: float) -> dict[str, Any]:
        """Queries that are under way at some time of a span."""
        newest_s = next((Slot(*row).start_us / 1e6 for row in self._last_slot()), 0.0)
        return queries.between(self.file, start_s, end_s, newest_s)

    def query(self, job: int) -> dict[str, Any]:
        """One query with where its time went; RecordError when there is none."""
        return queries.one(self.file, job)

    def search(self, text: str) -> dict[str, Any]:
        """Queries by number or place, events by word; the page knows its nodes itself."""
        wanted = text[:60].strip()
        found = [*queries.search(self.file, wanted), *events.search(self.file, self._satellites, wanted)]
        return {"found": found if wanted else []}

    @property
    def _satellites(self) -> list[int]:
        return [board.satellite for board in self.reader.boards]

    @cached_property
    def _base(self) -> int:
        return int(self._scene["slots"]["first"])

    def _end_s(self, slot: Slot) -> float:
        slots = self._scene["slots"]
        return float(min(self.scenario.length_s, slots["start_s"] + (slot.number - self._base + 1) * SLOT_S))
