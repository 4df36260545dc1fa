"""Synchronous training: a wave hands a shard to each worker, waits for all gradients, and starts the next.

A wave starts with the slot after the one in which its predecessor ended: what a board sends within a slot never has
to reach another node in the same slot.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ascnode.scenario.ledger import MESH, Account, Ledger, answered, failed
from ascnode.scenario.parcel import Parcel
from ascnode.scenario.payload import Payload
from ascnode.scenario.space import Space
from ascnode.scenario.tables.work import Training
from ascnode.scenario.traffic import Query

_SECOND_US = 1_000_000
_PRIORITY = 2  # behind users
LATE = "wave over before its gradient came"


@dataclass
class Shard:
    """What one worker has of a wave: its jobs, how many have ended, and whose results wait for the others'."""

    worker: int
    accounts: tuple[Account, ...]
    ended: int = 0
    waiting: list[Account] = field(default_factory=list)
    over: bool = False


@dataclass
class Waves:
    """One training workload. The first of `workers` coordinates; boards come first, then others evenly spread."""

    number: int
    work: Training
    workers: list[int]
    done: int = 0
    durations_s: list[float] = field(default_factory=list)
    _started_us: int = -1
    _last_us: int = 0
    _shards: dict[int, Shard] = field(default_factory=dict)

    @property
    def coordinator(self) -> int:
        """The satellite that hands out shards."""
        return self.workers[0]

    @property
    def running(self) -> bool:
        """A wave is under way."""
        return self._started_us >= 0

    def begin(self, start_us: int, ledger: Ledger, payload: Payload, seed: int) -> Iterable[Parcel]:
        """Ends the wave whose shards are all in, or which is late; the shards of the next one."""
        if self.running:
            late = start_us >= self._started_us + self.work.deadline_s * _SECOND_US
            if late or all(map(_settled, self._shards.values())):
                self._end(start_us if late else self._last_us)
        if self.running or self.done >= self.work.waves or start_us < self.work.start_s * _SECOND_US:
            return []
        self._started_us = start_us
        rng = np.random.default_rng([seed, 6, self.number, self.done])
        return [self._shard(worker, start_us, ledger, payload, rng) for worker in self.workers]

    def _end(self, time_us: int) -> None:
        for shard in self._shards.values():
            for account in shard.accounts:
                failed(account, LATE)
        self.durations_s.append((time_us - self._started_us) / _SECOND_US)
        self.done += 1
        self._started_us = -1
        self._shards.clear()

    def _shard(
        self, worker: int, start_us: int, ledger: Ledger, payload: Payload, rng: np.random.Generator
    ) -> Parcel:
        accounts = []
        for _ in range(self.work.jobs):
            image = int(rng.integers(len(payload.images)))
            deadline_s = start_us // _SECOND_US + self.work.deadline_s
            job = len(ledger.accounts)
            query = Query(
                job, "training", -1, "", image, _PRIORITY, start_us, deadline_s, origin=self.coordinator
            )
            account = ledger.add(query, payload.label(image))
            account.node = worker
            accounts.append(account)
        shard = Shard(worker, tuple(accounts))
        self._shards[accounts[0].query.job] = shard
        size = payload.query_bytes * self.work.jobs
        return Parcel("shard", accounts[0], size, self.coordinator, worker, start_us, shard.accounts)

    def ended(self, account: Account, time_us: int) -> Parcel | None:
        """A job of a shard is done, or failed; the gradient, once all are and any has an answer."""
        shard = next((one for one in self._shards.values() if account in one.accounts), None)
        if shard is None:
            return None
        shard.ended += 1
        shard.waiting.append(account)
        if shard.ended < len(shard.accounts):
            return None
        alive = tuple(one for one in shard.waiting if one.open)
        shard.waiting.clear()
        if not alive:
            self._over(shard, time_us)
            return None
        size = round(self.work.gradient_kb * 1000)
        return Parcel("gradient", shard.accounts[0], size, shard.worker, self.coordinator, time_us, alive)

    def held(self) -> Iterable[Account]:
        """The jobs whose results wait in their worker for the rest of the shard."""
        return (account for shard in self._shards.values() for account in shard.waiting)

    def arrived(self, parcel: Parcel, time_us: int) -> None:
        """A gradient is in: its shard's jobs are answered."""
        shard = self._shards.get(parcel.account.query.job)
        for account in parcel.jobs:
            if account.open:
                account.spend(MESH, time_us)
                answered(account, time_us)
        if shard is not None:
            self._over(shard, time_us)

    def _over(self, shard: Shard, time_us: int) -> None:
        shard.over = True
        self._last_us = max(self._last_us, time_us)


def _settled(shard: Shard) -> bool:
    # In, or none of its jobs can come any more.
    return shard.over or not any(account.open for account in shard.accounts)


def workers_of(work: Training, space: Space, boards: Iterable[int]) -> list[int]:
    """Boards first, then compute nodes evenly spread, as many as there are."""
    others = [int(node) for node in space.compute if node not in set(boards)]
    first = list(boards)[: work.workers]
    wanted = min(work.workers - len(first), len(others))
    spread = [others[i * len(others) // wanted] for i in range(wanted)] if wanted else []
    return first + spread
