"""The record of a run: one SQLite file, readable while it is written.

All tables but `wall` follow from scenario and seed alone, and `digest()` is taken over them, row by row in the order of
(time, node, sequence) where they have those; wall-clock values live in `wall`. Rows are committed about every second.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ascnode.errors import RecordError

SCHEMA_VERSION = 3
# Times in us since the epoch; the parts of a query's latency in us. `node` numbers the boards in frames,
# telemetry and faults, and the constellation's satellites elsewhere.
_SCHEMA = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE boards (
  node INTEGER PRIMARY KEY, satellite INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  unique_id TEXT NOT NULL, version TEXT NOT NULL, dictionary TEXT NOT NULL, power_scale INTEGER NOT NULL);
CREATE TABLE frames (
  node INTEGER NOT NULL, number INTEGER NOT NULL, time_us INTEGER NOT NULL, direction TEXT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE telemetry (
  node INTEGER NOT NULL, number INTEGER NOT NULL, sent_us INTEGER NOT NULL, made_us INTEGER NOT NULL,
  name TEXT NOT NULL, fields TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE faults (
  node INTEGER NOT NULL, number INTEGER NOT NULL, time_us INTEGER NOT NULL, kind TEXT NOT NULL,
  target TEXT NOT NULL, detail TEXT NOT NULL, mode TEXT NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE queries (
  job INTEGER PRIMARY KEY, kind TEXT NOT NULL, node INTEGER NOT NULL, place TEXT NOT NULL,
  image INTEGER NOT NULL, label INTEGER NOT NULL, priority INTEGER NOT NULL,
  sent_us INTEGER NOT NULL, deadline_s INTEGER NOT NULL, uplink_us INTEGER NOT NULL, mesh_us INTEGER NOT NULL,
  queue_us INTEGER NOT NULL, compute_us INTEGER NOT NULL, wait_us INTEGER NOT NULL, downlink_us INTEGER NOT NULL,
  answered_us INTEGER, guess INTEGER, energy_j REAL, tries INTEGER NOT NULL, cause TEXT NOT NULL);
CREATE TABLE slots (
  number INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, links INTEGER NOT NULL, users_served INTEGER NOT NULL,
  satellites_out INTEGER NOT NULL, parcels_waiting INTEGER NOT NULL, bytes_waiting INTEGER NOT NULL,
  jobs INTEGER NOT NULL, charge_min REAL NOT NULL, charge_mean REAL NOT NULL, accelerator_max_k REAL NOT NULL,
  radiator_max_k REAL NOT NULL, load_w REAL NOT NULL);
CREATE TABLE nodes (
  node INTEGER PRIMARY KEY, name TEXT NOT NULL, answers INTEGER NOT NULL, bytes INTEGER NOT NULL,
  charge_min REAL NOT NULL, charge_end REAL NOT NULL, accelerator_max_k REAL NOT NULL,
  radiator_max_k REAL NOT NULL);
CREATE TABLE figures (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE wall (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_DETERMINISTIC = {
    "run": "key",
    "boards": "node",
    "frames": "time_us, node, number",
    "telemetry": "sent_us, node, number",
    "faults": "time_us, node, number",
    "queries": "sent_us, node, job",
    "slots": "start_us, number",
    "nodes": "node",
    "figures": "key",
}
_COMMIT_EVERY_S = 1.0
_ROWS_AT_ONCE = 512


class Record:
    """Writes one run. RecordError, in one sentence, when the disk does not take it; what was committed stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: dict[str, list[Sequence[Any]]] = {}
        self._committed = time.monotonic()
        self._numbers: dict[tuple[str, int], int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except (OSError, sqlite3.Error) as e:
            raise self._error(e) from None

    def _error(self, e: Exception) -> RecordError:
        return RecordError(f"the record {self.path} cannot be written: {e}")

    def add(self, table: str, *row: Any) -> None:
        """Queues a row; written with others, committed within a second of wall time."""
        rows = self._waiting.setdefault(table, [])
        rows.append(row)
        if len(rows) >= _ROWS_AT_ONCE:
            self._write(table)
            self.commit_when_due()

    def numbered(self, table: str, node: int, *row: Any) -> None:
        """As `add`, for tables that number a node's rows."""
        number = self._numbers.get((table, node), 0)
        self._numbers[table, node] = number + 1
        self.add(table, node, number, *row)

    def values(self, table: str, values: Mapping[str, Any]) -> None:
        """Key and value rows, values as JSON."""
        for key, value in values.items():
            self.add(table, key, json.dumps(value, sort_keys=True))

    def _write(self, table: str) -> None:
        rows = self._waiting.pop(table, [])
        if not rows:
            return
        marks = ",".join("?" * len(rows[0]))
        try:
            self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        except sqlite3.Error as e:
            raise self._error(e) from None

    def commit_when_due(self) -> None:
        """Commits when the last commit is a second of wall time ago; a run calls it in every round."""
        if time.monotonic() - self._committed > _COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Writes what waits, durably."""
        for table in list(self._waiting):
            self._write(table)
        try:
            self._db.commit()
        except sqlite3.Error as e:
            raise self._error(e) from None
        self._committed = time.monotonic()

    def digest(self) -> str:
        """SHA-256 over all deterministic tables in their order: the same scenario and seed give the same."""
        self.commit()
        sha = hashlib.sha256()
        for table, order in _DETERMINISTIC.items():
            for row in self._rows(f"SELECT * FROM {table} ORDER BY {order}"):
                sha.update(repr(row).encode())
        return sha.hexdigest()

    def _rows(self, query: str) -> Iterable[tuple[Any, ...]]:
        return self._db.execute(query)

    def close(self) -> None:
        """Commits and closes; a full disk here is reported, what was committed before stays readable."""
        try:
            self.commit()
        finally:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        try:
            self.close()
        except RecordError:
            pass  # the error under way says more


def next_path(folder: Path, name: str) -> Path:
    """A name that no earlier run has: NAME-0001.sqlite, NAME-0002.sqlite and so on."""
    taken = {path.stem for path in folder.glob(f"{name}-*.sqlite")} if folder.is_dir() else set()
    number = 1
    while f"{name}-{number:04d}" in taken:
        number += 1
    return folder / f"{name}-{number:04d}.sqlite"
