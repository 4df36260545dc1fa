"""Which node gets a query: nearest, random, least queue, or headroom in battery, heat and queue.

Nodes are known as they were at the start of the slot, and by what has been placed on them since: all policies see
the same. `headroom` follows the idea of admission by barrier cost (PHYSICS of the scheduling anchors, Equinox): each
resource costs -log of what is left of it, so that one that runs out keeps work away long before it is gone.
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
_LEAST = 1e-3  # of a resource: the barrier is finite, so that the least bad node is found when all are bad


@dataclass
class Known:
    """What is known of the n satellites at the start of a slot; jobs and queue_kc count what is placed since.

    spare: energy above the reserve at the end of the next eclipse, over the battery's capacity. cool: kelvin below
    the target temperature, over 100 K. clock_khz: that of the fastest point. usable: with a node, not out.
    """

    usable: Flags
    shut: Flags  # shed or tripped
    spare: Floats
    cool: Floats
    jobs: Integers
    queue_kc: Floats
    clock_khz: float
    job_kc: float
    job_share: float  # of the battery that a job takes


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
        scores = _SCORES[self._policy.placement](known, reached, route_km[reached], self._policy, self._rng)
        node = int(reached[np.argmin(scores)])
        known.jobs[node] += 1
        known.queue_kc[node] += known.job_kc
        known.spare[node] -= known.job_share
        return node


def _nearest(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return km


def _random(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return rng.random(len(i))


def _least_queue(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    return k.queue_kc[i] + km * 1e-6  # the nearer of equals


def _headroom(k: Known, i: Integers, km: Floats, policy: Policy, rng: np.random.Generator) -> Floats:
    cost = policy.battery * _barrier(k.spare[i]) + policy.heat * _barrier(k.cool[i])
    cost += policy.queue * _barrier(1 - k.jobs[i] / SLOTS)
    cost += policy.delay * (2 * km / SPEED_OF_LIGHT_KM_S + (k.queue_kc[i] + k.job_kc) / k.clock_khz)
    return np.where(k.shut[i] | (k.jobs[i] >= SLOTS), cost + 1e6, cost)


def _barrier(left: Floats) -> Floats:
    barrier: Floats = -np.log(np.clip(left, _LEAST, 1.0))
    return barrier


Score = Callable[[Known, Integers, Floats, Policy, np.random.Generator], Floats]
_SCORES: dict[str, Score] = {
    "nearest": _nearest,
    "random": _random,
    "least-queue": _least_queue,
    "headroom": _headroom,
}
