"""The report of a run: one page that needs nothing but itself."""

from collections.abc import Iterable
from html import escape

from ascnode.record.catalogue import state_of
from ascnode.report import plots, repeat, story, tables
from ascnode.report.facts import Facts
from ascnode.view.html.page import attributes, document, mark
from ascnode.view.live import clock


def page(facts: Facts) -> str:
    """The whole page; it asks for nothing from anywhere."""
    sections = (
        _head(facts),
        _over_time(facts),
        _latency(facts),
        _misses(facts),
        _nodes(facts),
        _boards(facts),
        _faults(facts),
        _events(facts),
        _measurements(facts),
        _repeat(facts),
    )
    return document(f"{facts.name}: report", "".join(sections))


def _section(title: str, *parts: str) -> str:
    return f"<h2>{title}</h2>{''.join(parts)}"


def _plots(found: Iterable[str]) -> str:
    return f'<div class="plots">{"".join(found)}</div>'


def _head(facts: Facts) -> str:
    state = mark("pass" if facts.reader.whole else "warning", state_of(facts.reader))
    started = facts.reader.wall.get("started", "")
    scenario = facts.reader.scenario
    words = (
        f"{clock(facts.end_us / 1e6)} from {scenario.get('epoch', '')}, seed {scenario.get('seed', '')}; "
        f"flown {started}; {facts.reader.path.name}"
    )
    about = f"{state} &nbsp; {escape(words)}"
    told = "".join(
        f"<div{attributes({'figure': one.key, 'value': repr(float(one.value))})}><b>{escape(one.words)}</b>"
        f"<span>{escape(one.label)}</span></div>"
        for one in story.figures(facts)
    )
    summary = " ".join(escape(sentence) for sentence in story.sentences(facts))
    return f'<h1>{escape(facts.name)}</h1><p class="dim">{about}</p><p>{summary}</p><div class="facts">{told}</div>'


def _over_time(facts: Facts) -> str:
    if not facts.slots:
        return ""
    parts = [_plots(plots.over_time(facts)), f"<p>{plots.steady_words(facts)}</p>"]
    if facts.fleet is not None:
        parts += [f"<h3>All {len(facts.nodes):,} compute nodes</h3>", _plots(plots.fleet_plots(facts.fleet))]
    return _section("Over time", *parts)


def _latency(facts: Facts) -> str:
    found = facts.outcomes
    if not found.answered:
        return _section("Latency", "<p>No query was answered.</p>")
    return _section(
        "Latency",
        _plots([plots.latency_plot(found.latency_s)]),
        tables.latency_table(found),
        "<h3>Where the time went</h3>",
        tables.shares_table(found),
    )


def _misses(facts: Facts) -> str:
    found = facts.outcomes
    return _section(
        "Late or lost",
        _plots([plots.misses_plot(facts)]),
        f"<h3>Lost: {len(found.lost):,}</h3>",
        tables.causes_table(found.lost_by, found.sent, "cause"),
        f"<h3>Late: {len(found.late):,}, by the part of the way that took longest beyond its median</h3>",
        tables.causes_table(found.late_by, found.sent, "late"),
    )


def _nodes(facts: Facts) -> str:
    if not facts.nodes:
        return _section("Worst nodes", "<p>The record has no closing figures of its nodes.</p>")
    order = "<p>By losses and late answers, then least charge, then heat.</p>"
    return _section("Worst nodes", order, tables.nodes_table(facts))


def _boards(facts: Facts) -> str:
    if not facts.boards:
        return ""
    shown, there = len(facts.boards), len(facts.reader.boards)
    only = f"<p>{shown} of {there}: those with the least charge.</p>" if shown < there else ""
    parts = [
        f"<h3>{escape(board.name)}</h3>{_plots(plots.board_plots(board, told, facts.faults))}"
        for board, told in facts.boards
    ]
    return _section("Boards, by their own telemetry", only, *parts)


def _faults(facts: Facts) -> str:
    if not facts.faults:
        return _section("Faults", "<p>None were injected into boards.</p>")
    return _section("Faults and what they did", tables.faults_table(facts))


def _events(facts: Facts) -> str:
    if not facts.events:
        return ""
    grave = f"<h3>Of medium and high severity</h3>{tables.grave_table(facts)}" if facts.grave else ""
    return _section("Events", tables.events_table(facts), grave)


def _measurements(facts: Facts) -> str:
    if not facts.reader.measurements:
        return ""
    return _section("Measurements", tables.measurements_table(facts))


def _repeat(facts: Facts) -> str:
    reader = facts.reader
    return _section(
        "How to repeat it",
        f"<p>It was flown by <code>{escape(repeat.command(reader))}</code>. Save the scenario below as "
        f"<code>{escape(facts.name)}.toml</code>, its seed and all defaults are in it, and run</p>"
        f"<pre>{escape(repeat.again(reader))}</pre>"
        "<p>The same versions give the same SHA-256 of the record; "
        "<code>ascnode runs diff</code> names the first difference.</p>",
        tables.versions_table(facts),
        f"<details><summary>The scenario</summary><pre>{escape(repeat.scenario_toml(reader.scenario))}</pre></details>",
    )
