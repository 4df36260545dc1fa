"""The record of a run: one SQLite file, readable while it is written; its tables are those of record/schema.py.

All tables but `wall` and `link_frames` follow from scenario and seed alone, and `digest()` is taken over them, row by
row in the order of (time, node, sequence) where they have those. Rows are committed about every second.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ascnode.errors import RecordError
from ascnode.record import schema

_COMMIT_EVERY_S = 1.0
_ROWS_AT_ONCE = 512
_VERB = {
    "queries": "REPLACE",
    "snapshots": "REPLACE",
}  # a query is written again; a node may begin twice at a time


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
            marks = f"PRAGMA application_id={schema.APPLICATION_ID}; PRAGMA user_version={schema.VERSION};"
            self._db.executescript(f"BEGIN; {marks} {schema.SQL} COMMIT;")
            # The tables lie in the main file before any row does: whatever happens to the WAL, it opens.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
            self._db.executemany(f"{_VERB.get(table, 'INSERT')} INTO {table} VALUES ({marks})", rows)
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
        for row in digested(self._db):
            sha.update(repr(row).encode())
        return sha.hexdigest()

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


def digested(db: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """The rows that a digest is taken over, in their order; of a record of this version."""
    for table in schema.TABLES:
        if table.order:
            where = f" WHERE NOT {table.skipped}" if table.skipped else ""
            yield from db.execute(f"SELECT * FROM {table.name}{where} ORDER BY {table.order}")


def next_path(folder: Path, name: str) -> Path:
    """A name that no earlier run has: NAME-0001.sqlite, NAME-0002.sqlite and so on."""
    taken = {path.stem for path in folder.glob(f"{name}-*.sqlite")} if folder.is_dir() else set()
    number = 1
    while f"{name}-{number:04d}" in taken:
        number += 1
    return folder / f"{name}-{number:04d}.sqlite"
