"""The tables of a report; rows carry their figures as data attributes, too."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from ascnode.record.rows import Node, Query
from ascnode.report.facts import Facts, severity
from ascnode.report.outcomes import Cause, Outcomes
from ascnode.report.story import PART_WORDS, QUANTILES, share
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.scenario.ledger import PARTS
from ascnode.view.html.page import Html, Name, Number, mark, table
from ascnode.view.html.svg import shares
from ascnode.view.live import clock
from ascnode_fw.wire import dictionary as d

_WORST = 12
_FAULTS = 60
_TOLD_S = 0.1  # a part of an example's way that is worth a word
_GROUPS = (("fastest half", 0, 50), ("next 40 %", 50, 90), ("next 9 %", 90, 99), ("slowest 1 %", 99, 100))


def latency_table(found: Outcomes) -> str:
    """Quantiles of each part of the latency, in s."""
    columns = [(PART_WORDS[name], name, found.parts_s[:, i]) for i, name in enumerate(PARTS)]
    columns.append(("together", "together", found.latency_s))
    rows, data = [], []
    for words, name, values in columns:
        points = np.percentile(values, QUANTILES)
        rows.append((words, *(Number(f"{value:.3f}") for value in points)))
        told = zip(QUANTILES, points.tolist(), strict=True)
        data.append({"part": name, **{f"p{q}": f"{value:.6f}" for q, value in told}})
    head = ("s", *(f"p{q}" if q < 100 else "max" for q in QUANTILES))
    return table(head, rows, data)


def shares_table(found: Outcomes) -> str:
    """Where the time went, for fast and slow answers: the mean of each part."""
    edges = [float(np.percentile(found.latency_s, q)) for q in (0, 50, 90, 99, 100)]
    rows = []
    for (name, low, _), start, end in zip(_GROUPS, edges, edges[1:], strict=False):
        chosen = (found.latency_s >= start if not low else found.latency_s > start) & (found.latency_s <= end)
        if not chosen.any():
            continue
        means = found.parts_s[chosen].mean(axis=0)
        parts = [(PART_WORDS[part], float(mean)) for part, mean in zip(PARTS, means, strict=True)]
        bar = Html(
            shares(f"{name}: {', '.join(f'{words} {mean:.3f} s' for words, mean in parts)}", parts, "s")
        )
        rows.append((name, bar, *(Number(f"{mean:.3f}") for mean in means), Number(f"{means.sum():.3f}")))
    return table(("answers", "mean time, s", *(PART_WORDS[part] for part in PARTS), "together"), rows)


def causes_table(causes: Sequence[Cause], sent: int, kind: str) -> str:
    """Why queries were lost, or late: counts, times and examples."""
    rows, data = [], []
    for cause in causes:
        words = PART_WORDS.get(cause.name, cause.name)
        examples = Html("<br>".join(_example(query) for query in cause.examples))
        when = f"{clock(cause.first_us / 1e6)} to {clock(cause.last_us / 1e6)}"
        rows.append((words, cause.count, Number(share(cause.count, sent)), when, examples))
        data.append({kind: cause.name, "count": cause.count})
    return table(("cause", "queries", "of all sent", "sent from, to", "for example"), rows, data, wide=True)


def _example(query: Query) -> str:
    parts = {name: getattr(query, f"{name}_us") / 1e6 for name in PARTS}
    longest = max(parts, key=lambda name: parts[name])
    told = [f"job {query.job}", query.place, clock(query.sent_us / 1e6)]
    if query.node >= 0:
        told.append(f"satellite {query.node}")
    if query.answered_us is not None:
        told.append(f"{(query.answered_us - query.sent_us) / 1e6:.1f} s")
    if parts[longest] >= _TOLD_S:
        told.append(f"{parts[longest]:.1f} s in {PART_WORDS[longest]}")
    return escape(", ".join(told))


def nodes_table(facts: Facts) -> str:
    """The nodes with most losses, least charge, or greatest heat, in this order."""
    lost_at = Counter(query.node for query in facts.outcomes.lost)
    late_at = Counter(query.node for query in facts.outcomes.late)

    def badness(node: Node) -> tuple[float, float, float]:
        missed = lost_at[node.node] + late_at[node.node]
        return -missed, node.charge_min, -node.accelerator_max_k

    rows, data = [], []
    for node in sorted(facts.nodes, key=badness)[:_WORST]:
        lost, late = lost_at[node.node], late_at[node.node]
        rows.append((node.name, node.answers, lost, late, *_extremes(node)))
        data.append({"node": node.node, "answers": node.answers, "lost": lost, "late": late})
    head = (
        "node",
        "answers",
        "lost",
        "late",
        "least charge",
        "at the end",
        "accelerator",
        "radiator",
        "state",
    )
    return table(head, rows, data)


def _extremes(node: Node) -> tuple[str, ...]:
    hot_c, warm_c = node.accelerator_max_k - KELVIN_AT_0_C, node.radiator_max_k - KELVIN_AT_0_C
    charges = (f"{100 * charge:.1f} %" for charge in (node.charge_min, node.charge_end))
    numbers = map(Number, (*charges, f"{hot_c:.1f} °C", f"{warm_c:.1f} °C"))
    return (*numbers, _health(node.charge_min, hot_c))


def _health(charge: float, hot_c: float) -> Html:
    low, safe = (d.PARAMETERS[p][2] / 1000 for p in (d.P_SOC_CHARGE, d.P_SOC_SAFE))
    trip_c = d.PARAMETERS[d.P_TEMP_TRIP][2] / 100 - KELVIN_AT_0_C
    if charge < safe or hot_c > trip_c:
        return mark("critical", "battery empty" if charge < safe else "too hot")
    return mark("warning", "charge low") if charge < low else mark("pass", "well")


def faults_table(facts: Facts) -> str:
    """What was injected, and what followed."""
    shown = facts.faults[:_FAULTS]
    rows = [
        (
            clock(one.first_us / 1e6)
            + (f" to {clock(one.last_us / 1e6)}" if one.last_us > one.first_us else ""),
            Name(one.board),
            f"{one.what} {one.detail}".strip(),
            one.count,
            one.mode,
            "; ".join(one.followed) or "nothing that was told",
        )
        for one in shown
    ]
    data = [{"fault": one.what, "board": one.board, "count": one.count} for one in shown]
    left = len(facts.faults) - len(shown)
    more = f"<p>{left:,} more are in the record's table <code>faults</code>.</p>" if left else ""
    head = ("when", "board", "fault", "times", "mode then", "what followed, until five minutes after")
    return table(head, rows, data, wide=True) + more


def events_table(facts: Facts) -> str:
    """How often boards told of what, gravest first."""
    told = sorted(facts.events.items(), key=lambda one: (-one[0][0], one[0][1]))
    rows = [(_severity(grave), name, count) for (grave, name), count in told]
    data = [{"event": name, "severity": grave, "count": count} for (grave, name), count in told]
    return table(("severity", "event", "times"), rows, data)


def grave_table(facts: Facts) -> str:
    """The first events of medium and high severity."""
    boards = {board.node: board.name for board in facts.reader.boards}
    meanings = {row[1]: row[3] for row in d.EVENTS}
    rows = [
        (
            clock(one.made_us / 1e6),
            Name(boards[one.node]),
            _severity(one.severity),
            one.name,
            _value(one.value, meanings[one.name]),
        )
        for one in facts.grave
        if one.name in meanings
    ]
    return table(("when", "board", "severity", "event", "value"), rows)


def _value(value: int, meaning: str) -> str:
    return f"{value:,} ({meaning})" if meaning else ""


def _severity(number: int) -> Html:
    state = {4: "critical", 3: "warning"}.get(number, "dim")
    return mark(state, severity(number))


def measurements_table(facts: Facts) -> str:
    """Figures with their limits."""
    rows, data = [], []
    for one in facts.reader.measurements:
        low, high = (Number("" if limit is None else f"{limit:g}") for limit in (one.low, one.high))
        rows.append((one.name, Number(f"{one.value:.6g} {one.unit}"), low, high, mark(one.outcome)))
        data.append({"measurement": one.name, "value": one.value, "outcome": one.outcome})
    return table(("measurement", "value", "at least", "at most", "result"), rows, data)


def versions_table(facts: Facts) -> str:
    """What flew."""
    run, wall = facts.reader.run, facts.reader.wall
    rows: list[tuple[str, object]] = [("seed", str(run.get("seed", facts.reader.scenario.get("seed", ""))))]
    rows += [(name, version) for name, version in sorted(_versions(run))]
    rows += [("dictionary", run.get("dictionary", "")), ("payload", run.get("payload", ""))]
    rows += [
        (board.name, f"{board.kind}, firmware {board.version}, id {board.unique_id}")
        for board in facts.reader.boards
    ]
    rows.append(("record, SHA-256", wall.get("record_sha256", "not closed")))
    return table(("", ""), rows)


def _versions(run: dict[str, object]) -> Iterator[tuple[str, str]]:
    versions = run.get("versions")
    if isinstance(versions, dict):
        yield from ((name, str(version)) for name, version in versions.items() if version)
    elif "ascnode" in run:
        yield "ascnode", str(run["ascnode"])
