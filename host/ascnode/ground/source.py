"""A run's frames as its record has them, also while it is being written."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ascnode.errors import RecordError

Frame = tuple[int, int, str, bytes]
"""Number, time in us, direction, body."""


class Source:
    """Reads a record; writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise RecordError(f"{path}: there is no such record")
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def nodes(self) -> dict[int, str]:
        """The boards by their number."""
        return dict(self._rows("SELECT node, name FROM boards ORDER BY node"))

    def frames(self, node: int, after: int = -1) -> Iterator[Frame]:
        """A board's frames that follow a number."""
        query = "SELECT number, time_us, direction, body FROM frames WHERE node = ? AND number > ? ORDER BY number"
        return self._rows(query, node, after)

    def end_us(self, node: int) -> int:
        """The time of a board's last frame, 0 without one."""
        query = "SELECT time_us FROM frames WHERE node = ? ORDER BY number DESC LIMIT 1"
        return next((int(row[0]) for row in self._rows(query, node)), 0)

    def finished(self) -> bool:
        """The run has written its figures."""
        return next(self._rows("SELECT key FROM figures LIMIT 1"), None) is not None

    def _rows(self, query: str, *values: int) -> Iterator[Any]:
        try:
            yield from self._db.execute(query, values)
        except sqlite3.DatabaseError as e:
            raise RecordError(f"the record {self.path} cannot be read: {e}") from None

    def close(self) -> None:
        """Gives the file back."""
        self._db.close()
