"""Which node gets a query: nearest, random, least queue, or headroom in battery, heat and queue.

Nodes are known as they were at the start of the slot, and by what has been placed on them since: all policies see
the same. `headroom` follows Equinox' admission by barrier cost: each resource costs -ln of the share of it that is
left, so that one that runs out keeps work away long before it is gone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.scenario.tables.policy import Policy
from ascnode.sky.constants import SPEED_OF_LIGHT_KM_S
from ascnode.sky.vectors import Floats, Integers
from ascnode_fw.flight.tasks import SLOTS

Flags = npt.NDArray[np.bool_]
_LEAST = 1e-3  # share of a resource: the barrier stays finite, so that the least bad node is found when all are bad


@dataclass(frozen=True)
class Known:
    """What is known of n nodes, each (n,). usable: there is a node, and it is not out.

    battery, heat: shares left as in ascnode.twin.fleet.headroom; 0 for a node that sheds or has tripped. jobs and
    queue_kc grow, and battery shrinks by job_battery, with each query that is placed.
    """

    usable: Flags
    battery: Floats
    heat: Floats
    jobs: Integers
    queue_kc: Floats
    clock_khz: float  # of the fastest operating point
    job_kc: float
    job_battery: float

    def place(self, node: int) -> None:
        """A query goes there."""
        self.jobs[node] += 1
        self.queue_kc[node] += self.job_kc
        self.battery[node] -= self.job_battery


Score = Callable[[Known, Integers, Floats, Policy, np.random.Generator], Floats]


class Placement:
    """Chooses nodes by the scenario's policy; the seed is used by `random` alone."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self._policy = policy
        self._rng = np.random.default_rng([seed, 5])

    def choose(self, known: Known, route_km: Floats) -> int:
        """The node for a query, given the lengths (n,) of the routes there; -1 when none can be reached."""
        reached = np.flatnonzero(known.usable & np.isfinite(route_km))
        if len(reached) == 0:
            return -1
        score = _SCORES[self._policy.placement](known, reached, route_km[reached], self._policy, self._rng)
        node = int(reached[np.argmin(score)])
        known.place(node)
        return node


def _nearest(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return km


def _random(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return rng.random(len(i))


def _least_queue(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return k.queue_kc[i] + km * 1e-6  # the nearer of equals


def _headroom(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    cost = policy.battery * _barrier(k.battery[i]) + policy.heat * _barrier(k.heat[i])
    cost += policy.queue * _barrier(1 - k.jobs[i] / SLOTS)
    return cost + policy.delay * (2 * km / SPEED_OF_LIGHT_KM_S + (k.queue_kc[i] + k.job_kc) / k.clock_khz)


def _barrier(left: Floats) -> Floats:
    barrier: Floats = -np.log(np.clip(left, _LEAST, 1.0))
    return barrier


_SCORES: dict[str, Score] = {
    "nearest": _nearest,
    "random": _random,
    "least-queue": _least_queue,
    "headroom": _headroom,
}
