"""The report's page: what was tested on what, which requirements hold, what was measured, how to repeat a failure."""

import platform
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pytest

from ascnode.faults.coverage import MODES, Coverage
from ascnode.view.html.page import Html, document, mark, table
from ascnode.view.html.svg import bars, panel
from ascnode_fw import __version__
from ascnode_fw.wire import dictionary as d
from ascnode_hil.evidence import OUTCOMES
from ascnode_hil.requirements import requirements

Record = Mapping[str, Any]
Records = Mapping[str, Record]


def page(config: pytest.Config, records: Records, verdict: str) -> str:
    """The whole page; it asks for nothing from anywhere."""
    records = dict(sorted(records.items()))  # workers end in any order
    sections = [
        _head(records, verdict),
        _rig(config, records),
        _failures(records),
        _trace_table(config, records),
        _measurements(records),
        _faults(records),
        _jitter(records),
        _tests(records),
    ]
    return document("ascnode HIL report", "".join(sections))


def _head(records: Records, verdict: str) -> str:
    told = Counter(record["outcome"] for record in records.values())
    counts = ", ".join(f'<span class="{name}">{told[name]} {name}</span>' for name in OUTCOMES)
    note = f'<p class="fail">{escape(verdict)}</p>' if verdict else ""
    return f"<h1>ascnode HIL report</h1><p>{len(records)} tests: {counts}</p>{note}"


def _rig(config: pytest.Config, records: Records) -> str:
    option = config.getoption
    rows = [
        ("board", option("--ascnode-board") or "virtual"),
        ("plant on the", option("--ascnode-plant")),
        ("time", option("--ascnode-time")),
        ("seed", option("--ascnode-seed")),
        ("scenario", option("--ascnode-scenario") or "the built-in one"),
        ("ascnode", __version__),
        ("dictionary", d.digest().hex()),
        ("Python", platform.python_version()),
        ("pytest", pytest.__version__),
        ("machine", f"{platform.system()} {platform.machine()}"),
    ]
    boards = {name: version for record in records.values() for name, version in record["boards"].items()}
    return "<h2>Rig</h2>" + table(("", ""), [*rows, *sorted(boards.items())])


def _failures(records: Records) -> str:
    parts = [
        f'<h3 class="{record["outcome"]}">{escape(name)}: {record["outcome"]}</h3>'
        f"<p>Repeat: <code>{escape(record['repeat'])}</code></p>"
        f"<pre>{escape(record['blocked'] or record['words'])}</pre>"
        for name, record in records.items()
        if record["outcome"] in ("fail", "blocked")
    ]
    return "<h2>What did not pass</h2>" + ("".join(parts) or "<p>Nothing.</p>")


def _trace_table(config: pytest.Config, records: Records) -> str:
    tests: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, record in records.items():
        for requirement in record["requirements"]:
            tests[requirement].append((name, record["outcome"]))
    rows = []
    for one in requirements(config.getini("ascnode_requirements")).values():
        if one.id not in tests and not tests:
            continue
        results = tests.get(one.id, [])
        named = "<br>".join(f"{escape(name)} {mark(outcome)}" for name, outcome in results)
        rows.append((one.id, one.text, Html(named), mark(_worst(results))))
    return "<h2>Requirements</h2>" + table(("id", "requirement", "tests", "result"), rows)


def _worst(results: Sequence[tuple[str, str]]) -> str:
    order = ("fail", "blocked", "marginal", "pass", "skipped")
    return min((outcome for _, outcome in results), key=order.index, default="untested")


def _measurements(records: Records) -> str:
    rows = [
        (
            name,
            m["name"],
            f"{m['value']:.6g} {m['unit']}",
            _limits(m["low"], m["marginal_low"]),
            _limits(m["high"], m["marginal_high"]),
            mark(m["outcome"]),
        )
        for name, record in records.items()
        for m in record["measurements"]
    ]
    head = ("test", "measurement", "value", "at least (marginal below)", "at most (marginal above)", "result")
    return "<h2>Measurements</h2>" + table(head, rows)


def _limits(limit: float | None, marginal: float | None) -> str:
    text = "" if limit is None else f"{limit:g}"
    return text if marginal is None else f"{text} ({marginal:g})"


def _faults(records: Records) -> str:
    coverage = Coverage()
    for record in records.values():
        for fault, mode, outcome in record["faults"]:
            coverage.note(fault, mode, outcome)
    return "<h2>Faults by mode</h2>" + table(("fault", *MODES), coverage.rows())


def _jitter(records: Records) -> str:
    parts = [
        f"<p>{escape(name)}: {record['missed_deadlines']} deadlines missed</p>"
        f'<div class="plots">{bars("periods that began less than so many us late", _short(record["jitter"]))}</div>'
        for name, record in records.items()
        if record["jitter"]
    ]
    return "<h2>Real time</h2>" + ("".join(parts) or "<p>No test ran in real time.</p>")


def _short(bins: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    # "< 50 us" as "50"; the last bin is open.
    return [
        (label.removesuffix(" us").removeprefix("< ").replace(">= ", "+"), count) for label, count in bins
    ]


def _tests(records: Records) -> str:
    parts = []
    for name, record in records.items():
        plots = "".join(_plots(trace) for trace in record["traces"])
        parts.append(
            f"<details><summary>{mark(record['outcome'])} {escape(name)} ({record['seconds']:.2f} s)</summary>"
            f"<p><code>{escape(record['repeat'])}</code></p>{plots}</details>"
        )
    return "<h2>Tests</h2>" + "".join(parts)


def _plots(trace: Mapping[str, Any]) -> str:
    t_s = trace["t_s"]
    percent = [100 * value for value in trace["charge"]]
    heat = [("accelerator", trace["accelerator_c"]), ("radiator", trace["radiator_c"])]
    work = [("operating point", trace["operating_point"])]
    links = [("contact", trace["contact"]), ("packets queued", trace["packets_queued"])]
    panels = [
        panel("charge (%)", t_s, [("", percent)]),
        panel("temperature (C)", t_s, heat),
        panel("throttle", t_s, work, steps=True),
        panel("throttled so far (s)", t_s, [("", trace["throttled_s"])], steps=True),
        panel("links", t_s, links, steps=True),
    ]
    return f'<h4>{escape(trace["name"])}</h4><div class="plots">{"".join(panels)}</div>' if panels[0] else ""
