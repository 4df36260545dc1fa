"""A record's SQLite file opened for reading alone, with one clear error for whatever is wrong with it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ascnode.errors import RecordError
from ascnode.record import schema

_BUSY_S = 5.0  # while another process recovers what a killed writer left
_MAGIC = b"SQLite format 3\0"
_EMPTY = {"INTEGER": "0", "REAL": "0.0", "TEXT": "''", "BLOB": "x''"}
# What earlier versions called a column.
_OLD_NAMES = {
    ("telemetry", "sent_us"): "heard_us",
    ("queries", "place"): "city",
    ("slots", "end_us"): "start_us",
}


class RecordFile:
    """Selects rows from the tables of schema.py. What an older version lacks reads as empty: no rows, 0, no text.

    RecordError names the file and what is wrong with it. For one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _look_at(path)
        self._db = self._open()
        try:
            with self.guarded():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> sqlite3.Connection:
        # Without a WAL nobody writes, and no index of one need be put beside the file.
        options = "" if _wal(self.path).exists() else "&immutable=1"
        name = f"file:{quote(str(self.path.absolute()))}?mode=ro{options}"
        with self.guarded():
            db = sqlite3.connect(name, _BUSY_S, isolation_level=None, uri=True, check_same_thread=False)
        try:
            db.execute("PRAGMA schema_version")
        except sqlite3.Error as e:
            db.close()
            if not options and e.sqlite_errorcode & 0xFF in (
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_READONLY,
            ):
                raise RecordError(
                    f"{self.path} cannot be read in a folder that cannot be written, since its last rows lie in "
                    f"{_wal(self.path).name}: copy both elsewhere"
                ) from None
            raise RecordError(f"{self.path} {_said(e)}") from None
        return db

    def _prepare(self) -> None:
        # What lies in the file must not act: no views or triggers that call functions, no writes.
        for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        (self.version,) = self._db.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if self.version > schema.VERSION:
            raise RecordError(
                f"{self.path} was written by a newer ascnode (schema {self.version}; this one reads up to "
                f"{schema.VERSION})"
            )
        if "run" not in tables or not self.version:
            raise RecordError(f"{self.path} is not a record of a run")
        self._columns = {
            table: {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
            for table in tables & schema.BY_NAME.keys()
        }

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Whatever reading finds damaged becomes a RecordError."""
        try:
            yield
        except sqlite3.Error as e:
            raise RecordError(f"{self.path} {_said(e)}") from None
        except (ValueError, TypeError, KeyError) as e:
            raise self.damaged(str(e)) from None

    def damaged(self, what: str) -> RecordError:
        """The error that says so."""
        return RecordError(f"{self.path} is damaged: {what}")

    def has(self, table: str, column: str = "") -> bool:
        """Whether this record has a table, and a column of it."""
        columns = self._columns.get(table, set())
        return bool(columns) and (not column or column in columns)

    def select(self, table: str, rest: str = "", values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a table, all its columns in the order of schema.py; `rest` is SQL after FROM."""
        if not self.has(table):
            return
        columns = ", ".join(map(self.column, [table] * len(schema.BY_NAME[table].columns), _names(table)))
        with self.guarded():
            # no `yield from`: it would close the cursor of a generator that outlives the file
            for row in self._db.execute(f"SELECT {columns} FROM {table} {rest}", values):  # noqa: UP028
                yield row

    def column(self, table: str, name: str) -> str:
        """SQL for a column, also where this record calls it otherwise or lacks it."""
        here = self._columns[table]
        old = _OLD_NAMES.get((table, name), name)
        if name in here or old in here:
            return name if name in here else f"{old} AS {name}"
        kind = next(one.kind for one in schema.BY_NAME[table].columns if one.name == name)
        return f"{_EMPTY[kind.split()[0]] if 'NOT NULL' in kind else 'NULL'} AS {name}"

    def one(self, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query of this version's tables."""
        with self.guarded():
            row: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
            return row

    @contextmanager
    def at_one_time(self) -> Iterator[sqlite3.Connection]:
        """All that is read within is of one commit."""
        with self.guarded():
            self._db.execute("BEGIN")
        try:
            yield self._db
        finally:
            with self.guarded():
                self._db.execute("COMMIT")

    def check(self) -> None:
        """Reads the whole file; RecordError when SQLite finds it damaged."""
        with self.guarded():
            found = [row[0] for row in self._db.execute("PRAGMA integrity_check(1)")]
        if found != ["ok"]:
            raise self.damaged(" ".join(str(found[0]).split()))

    def close(self) -> None:
        """Gives the file back."""
        self._db.close()


def _names(table: str) -> list[str]:
    return [one.name for one in schema.BY_NAME[table].columns]


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _look_at(path: Path) -> None:
    # What SQLite would say less clearly.
    try:
        with path.open("rb") as file:
            head = file.read(100)
            size = file.seek(0, 2)
    except OSError as e:
        raise RecordError(f"{path}: {e.strerror}") from None
    if not head:
        raise RecordError(f"{path} is empty: the run was stopped before it began, or this is no record")
    if not head.startswith(_MAGIC):
        raise RecordError(f"{path} is not a record: it is no SQLite file")
    if not _wal(path).exists():
        _whole(path, head, size)


def _whole(path: Path, head: bytes, size: int) -> None:
    # The header counts the pages (sqlite.org/fileformat2.html, 1.3); a WAL may still hold some of them.
    page = int.from_bytes(head[16:18], "big")
    due = int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page)
    if size < due:
        raise RecordError(f"{path} is damaged: cut short at {size} of {due} bytes")


def _said(error: sqlite3.Error) -> str:
    text = str(error)
    if isinstance(error, sqlite3.OperationalError) and any(
        one in text for one in ("locked", "unable to open", "readonly")
    ):
        return f"cannot be read: {text}"
    return f"is damaged: {text}"
