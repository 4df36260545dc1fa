"""What is plotted over time: of all slots, of all nodes, of one board; thinned so that no peak is lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ascnode.record.reader import Reader
from ascnode.record.rows import Slot, Telemetry
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.sky.vectors import Floats

BINS = 240  # of a plot; each keeps its least and its greatest value
_FLEET_SLOTS = 480  # of which all nodes are looked at; evenly spread
QUANTILES = (5, 50, 95)


def thinned(t_s: Floats, values: Floats, bins: int = BINS) -> tuple[Floats, Floats]:
    """At most 2 x bins samples in order: the least and the greatest of each stretch of time, whatever its length."""
    if len(t_s) <= 2 * bins:
        return t_s, values
    edges = np.linspace(0, len(t_s), bins + 1).astype(np.int64)
    kept: set[int] = set()
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stretch = values[start:end]
        kept.update((start + int(np.argmin(stretch)), start + int(np.argmax(stretch))))
    at = np.array(sorted(kept | {0, len(t_s) - 1}))
    return t_s[at], values[at]


def stretches(slots: Sequence[Slot], name: str, take: str, bins: int = 2 * BINS) -> tuple[Floats, Floats]:
    """A column of the slots over time (s), the least or the greatest (`take`: min, max) of each stretch of slots."""
    values = np.array([getattr(slot, name) for slot in slots], dtype=np.float64)
    t_s = np.array([slot.start_us for slot in slots], dtype=np.float64) / 1e6
    if len(values) <= bins:
        return t_s, values
    starts = np.linspace(0, len(values), bins + 1).astype(np.int64)[:-1]
    kind = np.minimum if take == "min" else np.maximum
    return t_s[starts], kind.reduceat(values, starts)


@dataclass(frozen=True)
class Fleet:
    """All compute nodes over time: t_s (k,), and (k, 3) of 5th, 50th and 95th percentile; shares of nodes (k,)."""

    t_s: Floats
    charge: Floats
    accelerator_c: Floats
    point: Floats
    throttled: Floats
    sunlit: Floats


def fleet(reader: Reader, slots: Sequence[Slot], nodes: Sequence[int]) -> Fleet | None:
    """None where the record has no states, or no nodes."""
    picked = slots[:: max(1, -(-len(slots) // _FLEET_SLOTS))]
    found = [(slot.start_us / 1e6, reader.fleet_state(slot.number)) for slot in picked]
    states = [(t_s, state) for t_s, state in found if state is not None]
    if not states or not nodes:
        return None
    at = np.array(nodes)

    def spread(column: str) -> Floats:
        return np.array([np.percentile(getattr(state, column)[at], QUANTILES) for _, state in states])

    def share(column: str) -> Floats:
        return np.array([float(getattr(state, column)[at].mean()) for _, state in states])

    return Fleet(
        np.array([t_s for t_s, _ in states]),
        spread("charge"),
        spread("accelerator_k") - KELVIN_AT_0_C,
        spread("operating_point"),
        share("throttled"),
        share("sunlit"),
    )


@dataclass(frozen=True)
class Housekeeping:
    """One board's own telemetry over time (n,): charge 0..1, temperatures in deg C, powers in W."""

    t_s: Floats
    columns: dict[str, Floats]

    def of(self, name: str) -> tuple[Floats, Floats]:
        """Times and values of a column, thinned."""
        return thinned(self.t_s, self.columns[name])


def housekeeping(packets: Iterator[Telemetry], power_scale: int) -> Housekeeping | None:
    """From a board's packets; None when it has sent none."""
    rows = sorted((packet.made_us, packet.fields) for packet in packets if packet.name == "housekeeping")
    if not rows:
        return None
    scales = {
        "charge": (1e-3, 0.0),
        "accelerator": (1e-2, -KELVIN_AT_0_C),
        "radiator": (1e-2, -KELVIN_AT_0_C),
        "array": (2**power_scale / 1e3, 0.0),
        "load": (2**power_scale / 1e3, 0.0),
    }
    columns = {}
    for name in rows[0][1]:
        scale, offset = scales.get(name, (1.0, 0.0))
        columns[name] = np.array([fields[name] for _, fields in rows], dtype=np.float64) * scale + offset
    return Housekeeping(np.array([made_us for made_us, _ in rows], dtype=np.float64) / 1e6, columns)
