"""Figures of a whole mesh: lengths, delays beside fibre, hops, and how often paths change."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ascnode.mesh.fibre import fibre_rtt_ms, rtt_ms
from ascnode.mesh.network import Network, Snapshot
from ascnode.mesh.routing import Indices, Routes
from ascnode.sky.compiled import compiled
from ascnode.sky.vectors import Floats, Integers

Words = npt.NDArray[np.uint64]


@dataclass
class Survey:
    """What `survey` gathered: one entry a step and, for pairs of stations, one column each.

    rtt_ms and hops (steps, pairs); changed (pairs,) counts the steps at which a path differs from the one before;
    degree (5 or more,) counts satellites by their links at the last step; length_km (links,) is of that step too.
    """

    pairs: Integers
    fibre_ms: Floats
    rtt_ms: Floats
    hops: Indices
    changed: Integers
    length_km: Floats
    degree: Integers
    links: list[int]
    down: list[dict[str, int]] = field(default_factory=list)


def survey(network: Network, times_s: Iterable[float]) -> Survey:
    """Flies the network through times_s, at least one, and routes between all its stations."""
    k = len(network.stations)
    pairs = np.stack(np.triu_indices(k, 1), axis=-1).astype(np.int64)
    rtts, hops, links, down = [], [], [], []
    changed = np.zeros(len(pairs), dtype=np.int64)
    before: Words | None = None
    snapshot: Snapshot | None = None
    for t_s in times_s:
        snapshot = network.at(t_s)
        routes = snapshot.routes()
        hop, signature = follow(routes, pairs)
        changed += 0 if before is None else signature != before
        before = signature
        rtts.append(rtt_ms(routes.all_pairs_km()[pairs[:, 0], pairs[:, 1]]))
        hops.append(hop)
        links.append(len(snapshot.links.pairs))
        down.append(snapshot.links.down)
    if snapshot is None:
        raise ValueError("a survey takes at least one instant")
    length_km = snapshot.links.length_km
    degree = np.bincount(np.diff(snapshot.graph.first))
    fibre_ms = fibre_rtt_ms(network.stations)[pairs[:, 0], pairs[:, 1]]
    return Survey(pairs, fibre_ms, np.array(rtts), np.array(hops), changed, length_km, degree, links, down)


def follow(routes: Routes, pairs: Integers) -> tuple[Indices, Words]:
    """For each pair of stations (m, 2): the number of satellites on its path, 0 without one, and a hash of them."""
    hops, signature = np.zeros(len(pairs), dtype=np.int32), np.zeros(len(pairs), dtype=np.uint64)
    ground = routes.ground
    _follow(
        ground.first,
        ground.satellite,
        ground.range_km,
        routes.distance_km,
        routes.next_hop,
        pairs,
        hops,
        signature,
    )
    return hops, signature


def quantiles(values: Floats, shares: Sequence[float]) -> Iterator[float]:
    """Quantiles of the finite values; nan when there are none."""
    finite = values[np.isfinite(values)]
    return (float(np.quantile(finite, share)) if len(finite) else math.nan for share in shares)


@compiled
def _follow(
    first: Indices,
    satellite: Indices,
    range_km: Floats,
    distance_km: Floats,
    next_hop: Indices,
    pairs: Integers,
    hops: Indices,
    signature: Words,
) -> None:
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        best, v = np.inf, -1
        for j in range(first[a], first[a + 1]):
            through = range_km[j] + distance_km[satellite[j], b]
            if through < best:
                best, v = through, satellite[j]
        word = np.uint64(0)
        while v >= 0:
            hops[i] += 1
            word = (word ^ np.uint64(v + 1)) * np.uint64(0x100000001B3)  # FNV-1a's prime
            v = next_hop[v, b]
        signature[i] = word
