"""Writes sheets as CSV or Parquet files."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ascnode.errors import RecordError
from ascnode.record.sheets import Column, Sheet

_AT_ONCE = 50_000  # rows of a batch in a Parquet file
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(sheet: Sheet, folder: Path) -> int:
    """NAME.csv with blobs in hexadecimal; how many rows. Without rows there is no file."""
    rows = iter(sheet.rows)
    count = 0
    if (first := next(rows, None)) is None:
        return count
    with (folder / f"{sheet.name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in sheet.columns])
        for count, row in enumerate(chain([first], rows), 1):  # noqa: B007
            writer.writerow([_cell(value) for value in row])
    return count


def _cell(value: Any) -> Any:
    # What a spreadsheet would take for a formula gets a quote before it (OWASP, "CSV Injection").
    if isinstance(value, bytes):
        return value.hex()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def check_parquet() -> None:
    """RecordError, with what to install, without the library."""
    try:
        import arro3.io  # noqa: F401
    except ModuleNotFoundError:
        raise RecordError("Parquet needs arro3-io: pip install 'ascnode[parquet]'") from None


def write_parquet(sheet: Sheet, folder: Path) -> int:
    """NAME.parquet; how many rows. Without rows there is no file."""
    from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
    from arro3.io import write_parquet

    types = {
        int: DataType.int64(),
        float: DataType.float64(),
        str: DataType.string(),
        bytes: DataType.binary(),
    }
    arrow = Schema([Field(one.name, types[one.kind]) for one in sheet.columns])
    count = 0

    def batches(chunk: list[Sequence[Any]], rows: Iterator[Sequence[Any]]) -> Iterator[RecordBatch]:
        nonlocal count
        while chunk:
            count += len(chunk)
            columns = zip(sheet.columns, zip(*chunk, strict=True), strict=True)
            yield RecordBatch.from_arrays(
                [Array(_typed(column, values), type=types[column.kind]) for column, values in columns],
                schema=arrow,
            )
            chunk = list(islice(rows, _AT_ONCE))

    rows = iter(sheet.rows)
    if first := list(islice(rows, _AT_ONCE)):
        stream = RecordBatchReader.from_batches(arrow, batches(first, rows))
        write_parquet(stream, folder / f"{sheet.name}.parquet")
    return count


def _typed(column: Column, values: Sequence[Any]) -> list[Any]:
    # SQLite keeps whatever type was written.
    return [None if value is None else column.kind(value) for value in values]
