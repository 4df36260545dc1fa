"""Reads the record of a run: while it is written, after a kill, and those of older versions."""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from ascnode.record import database, rows, schema
from ascnode.record.file import RecordFile
from ascnode.record.packed import Bytes, FleetState, fleet_state, inflate, unpack_fleet, unpack_json
from ascnode.record.rows import Cursor, Integers, News
from ascnode.session.telemetry import EVENT_NAMES

_AT_ONCE = 20_000  # rows of a table that `follow` gives in one go
_Row = TypeVar("_Row", bound=NamedTuple)

_STATUS = {
    "answered": "answered_us IS NOT NULL",
    "lost": "answered_us IS NULL AND cause != ''",
    "open": "answered_us IS NULL AND cause = ''",
}


def open_record(path: Path | str) -> "Reader":
    """RecordError, in one sentence, for what is not there, is no record, is damaged, or is newer than this code."""
    return Reader(RecordFile(Path(path)))


class Reader:
    """One record. What an older version lacks reads as empty. Times in us since the scenario's epoch.

    Lists are whole; iterators read as they go, and a long one keeps the writer from folding its WAL into the file
    meanwhile. RecordError whenever the file proves damaged. For one thread at a time.
    """

    def __init__(self, file: RecordFile) -> None:
        self.path = file.path
        self.version = file.version
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the file back."""
        self._file.close()

    # --- what it is

    def values(self, table: str) -> dict[str, Any]:
        """All of `run`, `figures` or `wall`."""
        with self._file.guarded():
            return {key: json.loads(value) for key, value in self._file.select(table)}

    @cached_property
    def run(self) -> dict[str, Any]:
        """What the run follows from: scenario, seed, versions, lasers and more."""
        return self.values("run")

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario's keys; empty when the record does not say."""
        scenario: dict[str, Any] = self.run.get("scenario", {})
        return scenario

    @property
    def figures(self) -> dict[str, Any]:
        """What the run came to; empty until it has ended."""
        return self.values("figures")

    @property
    def wall(self) -> dict[str, Any]:
        """What depends on wall time."""
        return self.values("wall")

    @property
    def whole(self) -> bool:
        """Whether the run has ended; else it is under way, or was interrupted."""
        return next(self._file.select("figures", "LIMIT 1"), None) is not None

    @property
    def length_us(self) -> int:
        """How long the run is to be, 0 where the record does not say."""
        return int(self.run.get("length_s", 0)) * 1_000_000

    @property
    def newest_us(self) -> int:
        """How far it has come: the end of the last slot, or the last packet or frame of a board."""
        ends = [row[2] for row in self._file.select("slots", "ORDER BY start_us DESC LIMIT 1")]
        for board in self.boards:
            for table in ("frames", "telemetry"):
                last = self._file.select(table, "WHERE node = ? ORDER BY number DESC LIMIT 1", (board.node,))
                ends += [row[2] for row in last]
        return max(ends, default=0)

    @property
    def boards(self) -> list[rows.Board]:
        """The scenario's boards, in order."""
        return self._all(rows.Board, "boards", "ORDER BY node")

    @property
    def nodes(self) -> list[rows.Node]:
        """Compute nodes over the whole run; empty until it has ended."""
        return self._all(rows.Node, "nodes", "ORDER BY node")

    @property
    def measurements(self) -> list[rows.Measured]:
        """Figures with their limits."""
        return self._all(rows.Measured, "measurements", "ORDER BY name")

    # --- slots

    def slots(self, start_us: int = 0, end_us: int | None = None) -> list[rows.Slot]:
        """Those that begin within start_us..end_us, in order."""
        return self._all(rows.Slot, "slots", *_between("start_us", start_us, end_us), order="start_us")

    def slot_at(self, time_us: int) -> rows.Slot | None:
        """The slot that is under way then, or the last one before; None before the first."""
        found = self._all(
            rows.Slot, "slots", "WHERE start_us <= ? ORDER BY start_us DESC LIMIT 1", (time_us,)
        )
        return found[0] if found else None

    def fleet_cells(self, slot: int) -> Bytes | None:
        """Bytes (n, 6) of every satellite at the end of the slot of that number: packed.FLEET_COLUMNS."""
        for _, _, state in self._file.select("fleet", "WHERE slot = ?", (slot,)):
            with self._file.guarded():
                return unpack_fleet(state)
        return None

    def fleet_state(self, slot: int) -> FleetState | None:
        """The same in units; None when the record does not have it."""
        cells = self.fleet_cells(slot)
        return None if cells is None else fleet_state(cells)

    def served(self, slot: int) -> rows.Service | None:
        """Who was served by whom, over which lasers; None when the record does not have it."""
        for _, blob in self._file.select("service", "WHERE slot = ?", (slot,)):
            with self._file.guarded():
                return self._service(unpack_json(blob))
        return None

    def _service(self, value: dict[str, Any]) -> rows.Service:
        lost, more = _pairs(value["lasers_out"]), _pairs(value["lasers_more"])
        planned = self._planned
        kept = planned[~np.isin(planned @ _KEY, lost @ _KEY)] if len(lost) else planned
        return rows.Service(
            np.array(value["serving"], np.int64),
            dict(zip(*value["gateway"], strict=True)),
            np.concatenate([kept, more]) if len(more) else kept,
            lost,
            frozenset(value["out"]),
            frozenset(value["gateways_out"]),
        )

    @cached_property
    def _planned(self) -> Integers:
        return _pairs(self.run.get("lasers", []))

    # --- boards

    def telemetry(
        self,
        node: int | None = None,
        name: str | None = None,
        start_us: int = 0,
        end_us: int | None = None,
    ) -> Iterator[rows.Telemetry]:
        """Packets that were heard, of one board or all, of one kind or all, sent within the times; in order of
        time."""
        where, given = _between("sent_us", start_us, end_us)
        for column, value in (("node", node), ("name", name)):
            if value is not None:
                where, given = f"{where} AND {column} = ?", (*given, value)
        order = "number" if node is not None else "sent_us, node, number"
        for row in self._file.select("telemetry", f"{where} ORDER BY {order}", given):
            yield self._packet(row)

    def _packet(self, row: tuple[Any, ...]) -> rows.Telemetry:
        with self._file.guarded():
            node, number, sent_us, made_us, name, fields, data, packet = row
            return rows.Telemetry(node, number, sent_us, made_us, name, json.loads(fields), data, packet)

    def events(self, severity: int = 1, node: int | None = None) -> Iterator[rows.Event]:
        """What boards told of, at least that severe; in order of time."""
        for one in self.telemetry(node, "event"):
            if one.fields["severity"] >= severity:
                yield event_of(one)

    def faults(self, node: int | None = None) -> list[rows.Fault]:
        """What was injected, and what came of it, in order of time."""
        where, given = ("WHERE node = ? ", (node,)) if node is not None else ("", ())
        return self._all(rows.Fault, "faults", f"{where}ORDER BY time_us, node, number", given)

    def frames(self, node: int, start: int = 0, table: str = "frames") -> Iterator[rows.Frame]:
        """SIM frames of a board both ways, from a number on; `link_frames` are all others."""
        rest = "WHERE node = ? AND number >= ? ORDER BY number"
        return (rows.Frame(*row) for row in self._file.select(table, rest, (node, start)))

    def snapshots(self, node: int) -> Iterator[rows.Snapshot]:
        """A board's flash files and state as recorded, in order of time."""
        for row in self._file.select("snapshots", "WHERE node = ? ORDER BY time_us, name", (node,)):
            with self._file.guarded():
                _, time_us, name, blob = row
                yield rows.Snapshot(node, time_us, name, None if blob is None else inflate(blob))

    # --- queries

    def queries(
        self,
        node: int | None = None,
        kind: str | None = None,
        status: str | None = None,
        start_us: int = 0,
        end_us: int | None = None,
    ) -> Iterator[rows.Query]:
        """Those sent within the times, of one satellite, one kind, or one status (answered, lost, open), by time."""
        where, given = _between("sent_us", start_us, end_us)
        for column, value in (("node", node), ("kind", kind)):
            if value is not None:
                where, given = f"{where} AND {column} = ?", (*given, value)
        if status is not None:
            where += f" AND {_STATUS[status]}"
        found = self._file.select("queries", f"{where} ORDER BY sent_us, job", given)
        return (rows.Query(*row) for row in found)

    def raw_rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """All rows of a table as they lie there, in the order of its key."""
        return self._file.select(table, f"ORDER BY {schema.BY_NAME[table].key}")

    def count(self, table: str, where: str = "") -> int:
        """Rows of a table; `where` is SQL of this version's columns."""
        if not self._file.has(table):
            return 0
        found = self._file.one(f"SELECT count(*) FROM {table} {where and 'WHERE '}{where}")
        return int(found[0]) if found else 0

    # --- as it grows

    def end(self) -> Cursor:
        """Past all that is there now: what `follow` gives from then on is new."""
        with self._file.at_one_time():
            telemetry, faults = self._next_numbers("telemetry"), self._next_numbers("faults")
            slots = self._all(rows.Slot, "slots", "ORDER BY start_us DESC LIMIT 1")
            return Cursor(telemetry, faults, slots[0].start_us if slots else -1, self._last_revision())

    def _next_numbers(self, table: str) -> dict[int, int]:
        rest = "WHERE node = ? ORDER BY number DESC LIMIT 1"
        last = [row for board in self.boards for row in self._file.select(table, rest, (board.node,))]
        return {node: number + 1 for node, number, *_ in last}

    def _last_revision(self) -> int:
        if not self._file.has("queries", "revision"):
            return 0
        last = self._file.one("SELECT max(revision) FROM queries")
        return int(last[0] or 0) if last else 0

    def follow(self, cursor: Cursor) -> tuple[News, Cursor]:
        """What has come since, up to 20,000 rows a table, all of one commit; and the cursor to go on from."""
        with self._file.at_one_time():
            telemetry = self._since(cursor.telemetry, "telemetry")
            news = News(
                [self._packet(row) for row in telemetry],
                [rows.Fault(*row) for row in self._since(cursor.faults, "faults")],
                self._all(
                    rows.Slot,
                    "slots",
                    f"WHERE start_us > ? ORDER BY start_us LIMIT {_AT_ONCE}",
                    (cursor.slots_us,),
                ),
                self._revised(cursor.queries),
                self.whole,
            )
        return news, _after(cursor, news)

    def _since(self, numbers: dict[int, int], table: str) -> list[tuple[Any, ...]]:
        rest = f"WHERE node = ? AND number >= ? ORDER BY number LIMIT {_AT_ONCE}"
        return [
            row
            for board in self.boards
            for row in self._file.select(table, rest, (board.node, numbers.get(board.node, 0)))
        ]

    def _revised(self, revision: int) -> list[rows.Query]:
        if not self._file.has("queries", "revision"):
            return []
        return self._all(
            rows.Query, "queries", f"WHERE revision > ? ORDER BY revision LIMIT {_AT_ONCE}", (revision,)
        )

    # --- whether it is sound

    def check(self) -> None:
        """Reads the whole file; RecordError when it is damaged, or is not what its writer took the digest of."""
        self._file.check()
        told = self.wall.get("record_sha256")
        if told and self.version == schema.VERSION and self.digest() != told:
            raise self._file.damaged("its rows are not those that were written")

    def digest(self) -> str:
        """SHA-256 over the deterministic tables, as Record.digest; of records of this version."""
        sha = hashlib.sha256()
        with self._file.at_one_time() as db:
            for row in database.digested(db):
                sha.update(repr(row).encode())
        return sha.hexdigest()

    def _all(
        self, kind: type[_Row], table: str, rest: str = "", given: tuple[Any, ...] = (), order: str = ""
    ) -> list[_Row]:
        sorted_by = f" ORDER BY {order}" if order else ""
        return [kind(*row) for row in self._file.select(table, f"{rest}{sorted_by}", given)]


def event_of(packet: rows.Telemetry) -> rows.Event:
    """From a telemetry packet of that name."""
    fields = packet.fields
    name = EVENT_NAMES.get(fields["event"], f"event {fields['event']}")
    return rows.Event(*packet[:4], name, fields["severity"], fields["value"])


def _after(cursor: Cursor, news: News) -> Cursor:
    telemetry = {**cursor.telemetry, **{one.node: one.number + 1 for one in news.telemetry}}
    faults = {**cursor.faults, **{one.node: one.number + 1 for one in news.faults}}
    slots_us = news.slots[-1].start_us if news.slots else cursor.slots_us
    return Cursor(telemetry, faults, slots_us, news.queries[-1].revision if news.queries else cursor.queries)


_KEY = np.array([1 << 32, 1])


def _pairs(value: Any) -> Integers:
    return np.array(value, np.int64).reshape(-1, 2)


def _between(column: str, start_us: int, end_us: int | None) -> tuple[str, tuple[Any, ...]]:
    if end_us is None:
        return f"WHERE {column} >= ?", (start_us,)
    return f"WHERE {column} >= ? AND {column} < ?", (start_us, end_us)
