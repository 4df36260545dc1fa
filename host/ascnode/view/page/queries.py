"""Queries as the page shows them: those of a span of time, and one with where its time went."""

from typing import Any

from ascnode.errors import RecordError
from ascnode.scenario.ledger import PARTS
from ascnode.view.page.rows import Rows

_LONGEST_S = 600.0  # a query under way for longer is looked for no more
_MOST = 3000
_SPENT = " + ".join(f"{part}_us" for part in PARTS)
# An answer ends a query when it is heard; a loss when its parts end.
_END = f"CASE WHEN answered_us IS NOT NULL THEN answered_us WHEN cause != '' THEN sent_us + {_SPENT} END"
_SPAN = f"""
SELECT job, place, node, sent_us, {_END} AS end_us, cause FROM queries
WHERE sent_us >= ? AND sent_us < ? AND (end_us IS NULL OR end_us >= ?) ORDER BY sent_us LIMIT {_MOST}
"""
_CARD = (
    *("job", "kind", "node", "image", "label", "priority", "deadline_s", "tries", "cause", "guess", "energy_j"),
    *(f"{part}_us" for part in PARTS),
)


def between(rows: Rows, start_s: float, end_s: float) -> dict[str, Any]:
    """Queries under way at some time of start_s..end_s, and whether nothing will change about them."""
    found = rows.all("queries", _SPAN, int((start_s - _LONGEST_S) * 1e6), int(end_s * 1e6), int(start_s * 1e6))
    newest = rows.one("slots", "SELECT start_us FROM slots ORDER BY number DESC LIMIT 1")
    return {
        "queries": [
            {"job": job, "user": place, "node": node, "sent_s": sent / 1e6, "end_s": _seconds(end), "cause": cause}
            for job, place, node, sent, end, cause in found
        ],
        "complete": bool(newest and newest[0] / 1e6 >= end_s and all(end is not None for *_, end, _ in found)),
    }


def one(rows: Rows, job: int) -> dict[str, Any]:
    """RecordError when the record has no such query."""
    query = f"SELECT {', '.join(_CARD)}, place, sent_us, {_END} FROM queries WHERE job = ?"
    row = rows.one("queries", query, job)
    if row is None:
        raise RecordError(f"query {job} is not in this record")
    card = dict(zip(_CARD, row, strict=False))
    return {**card, "user": row[-3], "sent_s": row[-2] / 1e6, "end_s": _seconds(row[-1])}


def search(rows: Rows, text: str) -> list[dict[str, Any]]:
    """The query of that number, or the first ones from places that begin so."""
    number = text.lower().removeprefix("query").strip()
    if number.isdecimal():
        found = rows.all("queries", "SELECT job, place, sent_us, node FROM queries WHERE job = ?", int(number[:18]))
    else:
        found = rows.all(
            "queries",
            "SELECT job, place, sent_us, node FROM queries WHERE place LIKE ? ESCAPE '\\' ORDER BY sent_us LIMIT 4",
            "".join(f"\\{c}" if c in "%_\\" else c for c in text) + "%",
        )
    return [
        {"kind": "query", "job": job, "label": f"{job} from {place}", "time_s": sent / 1e6, "node": node}
        for job, place, sent, node in found
    ]


def _seconds(time_us: int | None) -> float | None:
    return None if time_us is None else time_us / 1e6
