"""Queries as the page shows them: those of a span of time, and one with where its time went."""

from typing import Any

from ascnode.errors import RecordError
from ascnode.record.file import RecordFile
from ascnode.record.rows import Query

_LONGEST_S = 600.0  # a query under way for longer is looked for no more
_MOST = 3000  # of a span; a map has no room for more
_FOUND = 4
_FLYING = "sent_us >= ? AND sent_us < ? AND (answered_us IS NULL OR answered_us >= ?)"


def between(file: RecordFile, start_s: float, end_s: float, newest_s: float) -> dict[str, Any]:
    """Queries under way at some time of start_s..end_s; `complete`: nothing will change about them."""
    span = (round((start_s - _LONGEST_S) * 1e6), round(end_s * 1e6), round(start_s * 1e6))
    found = [
        Query(*row) for row in file.select("queries", f"WHERE {_FLYING} ORDER BY sent_us LIMIT {_MOST}", span)
    ]
    flying = [(one, _end_s(one)) for one in found]
    return {
        "queries": [
            {"job": one.job, "user": one.place, "node": one.node, "sent_s": one.sent_us / 1e6, "end_s": ended}
            for one, ended in flying
            if ended is None or ended >= start_s
        ],
        "complete": newest_s >= end_s and all(ended is not None for _, ended in flying),
    }


def one(file: RecordFile, job: int) -> dict[str, Any]:
    """RecordError when the record has no such query."""
    for row in file.select("queries", "WHERE job = ?", (job,)):
        query = Query(*row)
        return {**query._asdict(), "user": query.place, "sent_s": query.sent_us / 1e6, "end_s": _end_s(query)}
    raise RecordError(f"query {job} is not in this record")


def search(file: RecordFile, text: str) -> list[dict[str, Any]]:
    """The query of that number, or the first ones from places that begin so."""
    number = text.lower().removeprefix("query").strip()
    if number.isascii() and number.isdecimal():
        rows = file.select("queries", "WHERE job = ?", (int(number[:18]),))
    else:
        begins = "".join(f"\\{c}" if c in "%_\\" else c for c in text) + "%"
        rows = file.select(
            "queries", f"WHERE place LIKE ? ESCAPE '\\' ORDER BY sent_us LIMIT {_FOUND}", (begins,)
        )
    return [_hit(Query(*row)) for row in rows]


def _hit(query: Query) -> dict[str, Any]:
    label = f"{query.job} from {query.place}"
    return {
        "kind": "query",
        "job": query.job,
        "label": label,
        "time_s": query.sent_us / 1e6,
        "node": query.node,
    }


def _end_s(query: Query) -> float | None:
    if query.answered_us is not None:
        return query.answered_us / 1e6
    return query.known_until_us / 1e6 if query.cause else None
