"""Rows of a record that may still be written, read one query at a time, tables of later schemas empty in old files."""

import sqlite3
import time
from pathlib import Path
from typing import Any

from ascnode.errors import RecordError

BUSY_S = 5.0
_QUIET_S = 15.0  # a writer commits every second; compiling and the like may hold it up


class Rows:
    """A read-only view of the file. RecordError, naming the file, when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise RecordError(f"{path}: there is no such record")
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, check_same_thread=False
            )
        except sqlite3.Error as e:
            raise self._error(e) from None
        tables = self._all("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._tables = {name for (name,) in tables}
        if "run" not in self._tables:
            raise RecordError(f"{path} is not the record of a run")

    def all(self, table: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on `table`; none where the file has no such table."""
        return self._all(query, *values) if table in self._tables else []

    def one(self, table: str, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        rows = self.all(table, query, *values)
        return rows[0] if rows else None

    def seems_written(self) -> bool:
        """Whether its log has changed of late: the only sign of a writer in another process."""
        log = self.path.with_name(f"{self.path.name}-wal")
        try:
            return time.time() - log.stat().st_mtime < _QUIET_S
        except FileNotFoundError:
            return False

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as e:
            raise self._error(e) from None

    def _error(self, e: Exception) -> RecordError:
        return RecordError(f"the record {self.path} cannot be read: {e}")

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()
