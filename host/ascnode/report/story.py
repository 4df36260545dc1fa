"""The run in figures and in sentences."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ascnode.record.catalogue import INTERRUPTED, UNDER_WAY, state_of
from ascnode.report.facts import Facts
from ascnode.report.outcomes import Cause, Outcomes
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.view.live import clock
from ascnode_fw.wire import dictionary as d

PART_WORDS = {
    "uplink": "the way up",
    "mesh": "the lasers",
    "queue": "the node's queue",
    "compute": "computing",
    "wait": "waiting for the downlink",
    "downlink": "the way down",
}
_LEAST = 0.0005  # a share that one decimal can tell
QUANTILES = (5, 50, 90, 95, 99, 100)
_TRIP_C = d.PARAMETERS[d.P_TEMP_TRIP][2] / 100 - KELVIN_AT_0_C


class Figure(NamedTuple):
    """A number of the report: `key` and `value` are for programs, `words` and `label` for people."""

    key: str
    value: float
    words: str
    label: str


def share(part: float, whole: float) -> str:
    """In percent; nothing of nothing is none."""
    if not whole:
        return "none"
    return f"{100 * part / whole:.1f} %" if not part or part / whole >= _LEAST else "< 0.1 %"


def figures(facts: Facts) -> Iterator[Figure]:
    """The figures at the head of the report."""
    found = facts.outcomes
    yield Figure("sent", found.sent, f"{found.sent:,}", "queries sent")
    in_time = f"{found.timely:,} ({share(found.timely, found.sent)})"
    yield Figure("timely", found.timely, in_time, "answered in time")
    yield Figure("late", len(found.late), f"{len(found.late):,}", "answered late")
    yield Figure(
        "lost", len(found.lost), f"{len(found.lost):,} ({share(len(found.lost), found.sent)})", "lost"
    )
    if found.open:
        yield Figure("open", found.open, f"{found.open:,}", "under way when the record ends")
    yield from _answers(found)
    yield from _sky(facts)


def _answers(found: Outcomes) -> Iterator[Figure]:
    if not found.answered:
        return
    for q in (50, 95, 99):
        value = float(np.percentile(found.latency_s, q))
        yield Figure(f"latency_p{q}_s", value, f"{value:.2f} s", f"latency, {q} % of answers")
    energy = found.energy_j / found.answered
    yield Figure("energy_j", energy, f"{energy:.1f} J", "energy per answer")
    if found.labelled:
        accuracy = found.correct / found.labelled
        yield Figure("accuracy", accuracy, share(found.correct, found.labelled), "answers that are right")


def _sky(facts: Facts) -> Iterator[Figure]:
    if not facts.slots:
        return
    least = min(slot.charge_min for slot in facts.slots)
    hot_c = max(slot.accelerator_max_k for slot in facts.slots) - KELVIN_AT_0_C
    served = min(slot.users_served for slot in facts.slots)
    power_w = sum(slot.load_w for slot in facts.slots) / len(facts.slots)
    yield Figure("charge_min", least, f"{100 * least:.1f} %", "least charge of a node")
    yield Figure("accelerator_max_c", hot_c, f"{hot_c:.1f} °C", "hottest accelerator")
    yield Figure("load_mean_w", power_w, f"{power_w / 1000:.2f} kW", "mean power of all nodes")
    yield Figure("users_served_min", served, f"{served:,}", "fewest users served")


def sentences(facts: Facts) -> Iterator[str]:
    """The summary."""
    found, figures_told = facts.outcomes, facts.reader.figures
    end = clock(facts.end_us / 1e6)
    state = state_of(facts.reader)
    if state == UNDER_WAY:
        yield f"The run is under way: what follows is as of {end}."
    elif state == INTERRUPTED:
        yield f"The run was stopped at {end}, without its closing figures."
    yield (
        f"In {end} of simulated time users sent {found.sent:,} queries; {found.timely:,} "
        f"({share(found.timely, found.sent)}) were answered in time, {len(found.late):,} came late, "
        f"{len(found.lost):,} were lost."
    )
    if found.answered:
        half, most = np.percentile(found.latency_s, (50, 95))
        slow = found.parts_s[found.latency_s >= most].mean(axis=0)
        part = PART_WORDS[list(PART_WORDS)[int(np.argmax(slow))]]
        yield (
            f"Half of the answers took less than {half:.2f} s, one in twenty more than {most:.2f} s; of these slowest "
            f"ones most of the time went to {part}."
        )
    for words, causes in (("lost", found.lost_by), ("late", found.late_by)):
        if causes:
            yield _mainly(words, causes)
    yield from _nodes(facts)
    yield from _boards(facts, figures_told)


def _mainly(words: str, causes: list[Cause]) -> str:
    total = sum(cause.count for cause in causes)
    name = causes[0].name if words == "lost" else PART_WORDS[causes[0].name]
    of = "cause of loss" if words == "lost" else "reason for late answers"
    return f"The most frequent {of} was: {name} ({causes[0].count:,}, {share(causes[0].count, total)})."


def _nodes(facts: Facts) -> Iterator[str]:
    if not facts.nodes:
        return
    empty = min(facts.nodes, key=lambda node: node.charge_min)
    hot = max(facts.nodes, key=lambda node: node.accelerator_max_k)
    hot_c = hot.accelerator_max_k - KELVIN_AT_0_C
    where = "below" if hot_c <= _TRIP_C else "above"
    yield (
        f"Of {len(facts.nodes):,} compute nodes {empty.name} had the least charge ({100 * empty.charge_min:.1f} %), "
        f"and {hot.name} the hottest accelerator ({hot_c:.1f} °C, {abs(_TRIP_C - hot_c):.1f} K {where} the trip)."
    )


def _boards(facts: Facts, told: dict[str, object]) -> Iterator[str]:
    boards = facts.reader.boards
    if not boards:
        return
    kinds = " and ".join(sorted({board.kind for board in boards}))
    compared = ""
    if told.get("kind") == "virtual":
        compared = (
            f"; {told['parity_mismatches']} mismatches with their twins in {told['steps']:,} control periods"
        )
    faults = sum(one.count for one in facts.faults)
    yield f"{len(boards)} of the nodes were boards ({kinds}){compared}. {faults:,} faults were injected into them."
