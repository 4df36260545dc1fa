"""When laser links and satellites are out: scheduled ones, and random ones that depend on the seed only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ascnode.mesh.chance import uniform
from ascnode.sky.vectors import Integers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outage:
    """From start_s to before end_s the link between a and b is out; with b None, every link of a."""

    start_s: float
    end_s: float
    a: int
    b: int | None = None

    def __post_init__(self) -> None:
        if not self.start_s < self.end_s:
            raise ValueError(f"an outage from {self.start_s} s to {self.end_s} s is empty")


@dataclass(frozen=True)
class Outages:
    """Scheduled outages, and in each period of `period_s` a share `random_share` of the links, by `seed`.

    Whether a link is out at random depends on seed, period and pair alone: not on order, nor on other links.
    """

    scheduled: Sequence[Outage] = field(default_factory=tuple)
    random_share: float = 0.0
    period_s: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.random_share <= 1:
            raise ValueError(f"random_share is {self.random_share}: it lies between 0 and 1")
        if not 0 < self.period_s < math.inf:
            raise ValueError(f"period_s is {self.period_s}: it is above 0")

    def hit(self, t_s: float, pairs: Integers) -> Flags:
        """Which pairs (m, 2), lower index first, are out at t_s: (m,)."""
        out = self._random(t_s, pairs)
        for outage in self.scheduled:
            if outage.start_s <= t_s < outage.end_s:
                out |= _named(outage, pairs)
        return out

    def _random(self, t_s: float, pairs: Integers) -> Flags:
        if self.random_share == 0:
            return np.zeros(len(pairs), dtype=np.bool_)
        period = int(t_s // self.period_s)
        return uniform(self.seed, period, pairs[:, 0], pairs[:, 1]) < self.random_share


def _named(outage: Outage, pairs: Integers) -> Flags:
    if outage.b is None:
        return np.asarray(np.any(pairs == outage.a, axis=1))
    low, high = sorted((outage.a, outage.b))
    return np.asarray((pairs[:, 0] == low) & (pairs[:, 1] == high))
