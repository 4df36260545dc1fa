"""The plots of a report."""

from collections.abc import Sequence

import numpy as np

from ascnode.ground.limits import limits_of
from ascnode.record.rows import Board
from ascnode.report.consequences import Consequence
from ascnode.report.facts import Facts
from ascnode.report.series import Fleet, Housekeeping, stretches
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.sky.vectors import Floats
from ascnode.view.html.svg import Extras, Line, bars, log_bars, panel

_LATENCY_BINS = 48
_TIME_BINS = 48
_MARKS = 40

# Where the flight software acts, in % and deg C.
_CHARGE = [(f"{one.concern}: {one.parameter}", one.value / 10) for one in limits_of("housekeeping", "charge")]
_HEAT = [
    (f"{one.concern}: {one.parameter}", one.value / 100 - KELVIN_AT_0_C)
    for one in limits_of("housekeeping", "accelerator")
]
_OF_CHARGE = Extras(_CHARGE, low=0.0, high=100.0)
_OF_HEAT = Extras(_HEAT)
_PERCENT = Extras(low=0.0, high=100.0)
_FROM_0 = Extras(low=0.0)


class _Slots:
    """Lines over all slots."""

    def __init__(self, facts: Facts) -> None:
        self._slots = facts.slots
        self.t_s = stretches(facts.slots, "start_us", "min")[0].tolist()

    def line(self, words: str, name: str, take: str = "max", scale: float = 1.0, offset: float = 0.0) -> Line:
        """A column's greatest (or least) value of each stretch of slots."""
        return words, (stretches(self._slots, name, take)[1] * scale + offset).tolist()


def over_time(facts: Facts) -> list[str]:
    """All nodes and the network."""
    of = _Slots(facts)
    charge = [of.line("worst node", "charge_min", "min", 100), of.line("mean", "charge_mean", "min", 100)]
    heat = [
        of.line("hottest accelerator", "accelerator_max_k", "max", 1, -KELVIN_AT_0_C),
        of.line("hottest radiator", "radiator_max_k", "max", 1, -KELVIN_AT_0_C),
    ]
    waiting = [of.line("jobs in nodes", "jobs"), of.line("packets on their way", "parcels_waiting")]
    return [
        panel("charge, %", of.t_s, charge, extras=_OF_CHARGE),
        panel("temperature, °C", of.t_s, heat, extras=_OF_HEAT),
        panel("power of all compute nodes, kW", of.t_s, [of.line("", "load_w", "max", 1e-3)], extras=_FROM_0),
        panel("waiting", of.t_s, waiting, extras=_FROM_0),
        *(
            panel(title, of.t_s, [of.line("", name, take)], steps=True, extras=_FROM_0)
            for title, name, take in _NETWORK
            if not steady(facts, name)
        ),
    ]


_NETWORK = (
    ("users served", "users_served", "min"),
    ("laser links that carry data", "links", "min"),
    ("satellites out of service", "satellites_out", "max"),
)


def steady_words(facts: Facts) -> str:
    """What the network had all the time, in place of plots that are flat."""
    told = [
        f"{getattr(facts.slots[0], name):,} {title}" for title, name, _ in _NETWORK if steady(facts, name)
    ]
    return f"In every slot: {', '.join(told)}." if told else ""


def steady(facts: Facts, name: str) -> bool:
    """Whether a column is the same in all slots."""
    return len({getattr(slot, name) for slot in facts.slots}) == 1


def fleet_plots(fleet: Fleet) -> list[str]:
    """The spread over all compute nodes: 5th to 95th percentile and median."""
    t_s = fleet.t_s.tolist()

    def spread(title: str, values: Floats, extras: Extras) -> str:
        low, middle, high = values.T.tolist()
        whole = Extras(extras.limits, (low, high), low=extras.low, high=extras.high)
        return panel(title, t_s, [("median; band: 5 to 95 % of nodes", middle)], extras=whole)

    lit: Line = "sunlit", (fleet.sunlit * 100).tolist()
    slow: Line = "throttled", (fleet.throttled * 100).tolist()
    return [
        spread("charge, %", fleet.charge * 100, _OF_CHARGE),
        spread("accelerator, °C", fleet.accelerator_c, _OF_HEAT),
        spread("operating point", fleet.point, _FROM_0),
        panel("nodes, %", t_s, [slow, lit], extras=_PERCENT),
    ]


def latency_plot(latency_s: Floats) -> str:
    """How many answers took how long."""
    if not len(latency_s):
        return ""
    low, high = max(1e-3, float(latency_s.min())), max(2e-3, float(latency_s.max()))
    edges = np.geomspace(low, high * 1.0001, _LATENCY_BINS + 1)
    counts, _ = np.histogram(np.maximum(latency_s, low), edges)
    return log_bars("answers by latency, s", edges.tolist(), counts.tolist())


def misses_plot(facts: Facts) -> str:
    """When the queries were sent that came to nothing, or late."""
    found = facts.outcomes
    misses = np.array([query.sent_us / 1e6 for query in (*found.lost, *found.late)])
    if not len(misses):
        return ""
    edges = np.linspace(0, max(facts.end_us / 1e6, float(misses.max()) + 1), _TIME_BINS + 1)
    counts, _ = np.histogram(misses, edges)
    labels = [f"{start / 60:.0f}" if at % 6 == 0 else "" for at, start in enumerate(edges[:-1].tolist())]
    return bars("late or lost, by minute of sending", list(zip(labels, counts.tolist(), strict=True)))


def board_plots(board: Board, told: Housekeeping, faults: Sequence[Consequence]) -> list[str]:
    """One board's own telemetry, with the faults that struck it."""
    struck = [one for one in faults if one.board == board.name][:_MARKS]
    marks = [(one.first_us / 1e6, f"{one.what} {one.detail}".strip()) for one in struck]

    def plot(
        title: str, names: Sequence[str], extras: Extras = _FROM_0, scale: float = 1, steps: bool = False
    ) -> str:
        # Each line is thinned at its own peaks: together they need the times of both.
        times = np.unique(np.concatenate([told.of(name)[0] for name in names]))
        at = np.searchsorted(told.t_s, times)
        words = [name.split("_")[0] if len(names) > 1 else "" for name in names]
        lines = [
            (one, (told.columns[name][at] * scale).tolist()) for one, name in zip(words, names, strict=True)
        ]
        whole = Extras(extras.limits, marks=marks, low=extras.low, high=extras.high)
        return panel(title, times.tolist(), lines, steps, whole)

    return [
        plot("charge, %", ["charge"], _OF_CHARGE, 100),
        plot("temperature, °C", ["accelerator", "radiator"], _OF_HEAT),
        plot("power, W", ["load", "array"]),
        plot("operating point", ["operating_point"], steps=True),
        plot("queue", ["jobs_queued", "packets_queued"], steps=True),
        plot("throttled so far, s", ["throttled"], steps=True),
    ]
