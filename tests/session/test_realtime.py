"""Real time: a period a period, lateness counted, deadlines that were missed named."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.session import messages
from ascnode.session.messages import Done, Event
from ascnode.session.realtime import EDGES_US, Jitter, fly_in_real_time
from ascnode.twin.alone import TwinAlone
from ascnode_fw.plant import layout as p_
from faults.flights import paired
from session.fake_board import make_twin

S = 1_000_000


def test_each_period_begins_when_it_is_due_and_gives_what_lockstep_gives() -> None:
    async def body() -> None:
        flyer, lockstep = TwinAlone("a", make_twin()), TwinAlone("b", make_twin())
        await flyer.begin(0)
        await lockstep.begin(0)
        lights = [messages.environment(t * S, 1024, t, 0, 7) for t in range(20)]
        start = time.monotonic()
        dones, jitter = await fly_in_real_time(flyer, 0, 20 * S, S, lights, speed=50.0)
        took_s = time.monotonic() - start
        assert took_s >= 19 / 50
        assert [done.steps for done in dones] == [1] * 20
        assert jitter.periods == 20
        await lockstep.exchange(20 * S, lights)
        assert flyer.twin.snapshot() == lockstep.twin.snapshot()
        assert flyer.twin.node.plant.state[p_.COS_ARRAY] == 19

    asyncio.run(body())


class Slow:
    """Takes longer than a period now and then."""

    def __init__(self, inner: TwinAlone, slow_s: dict[int, float]) -> None:
        self.inner, self.slow_s = inner, slow_s

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        await asyncio.sleep(self.slow_s.get(until_us // S, 0.0))
        return await self.inner.exchange(until_us, events, stop_on_custody)


def test_a_step_that_outlasts_its_period_misses_its_deadline_and_nothing_is_skipped() -> None:
    async def body() -> None:
        flyer = TwinAlone("a", make_twin())
        await flyer.begin(0)
        _, jitter = await fly_in_real_time(Slow(flyer, {4: 0.25}), 0, 10 * S, S, speed=10.0)
        # the fourth period takes 250 ms of its 100; those behind it begin late until the backlog is gone
        assert jitter.missed[:2] == [3 * S, 4 * S]
        assert jitter.latest_us >= 140_000
        assert jitter.longest_step_us >= 250_000
        assert flyer.steps == 10

    asyncio.run(body())


def test_the_histogram_counts_each_lateness_in_its_bin() -> None:
    jitter = Jitter()
    for late_us in (-5, 0, 9, 10, 99, 150, 2_000_000):
        jitter.add(0, late_us, 1, 1000)
    counts = dict(jitter.bins())
    assert counts["< 10 us"] == 3
    assert counts["< 20 us"] == 1
    assert (counts["< 100 us"], counts["< 200 us"]) == (1, 1)
    assert counts[f">= {EDGES_US[-1]} us"] == 1
    assert jitter.missed == [0]
    assert jitter.mean_us == (9 + 10 + 99 + 150 + 2_000_000) / 7


@pytest.mark.skipif(find_interpreter() is None, reason="no MicroPython interpreter on this machine")
def test_a_board_in_a_process_flies_in_real_time_beside_its_twin(tmp_path: Path) -> None:
    async def body() -> None:
        async with paired(tmp_path) as (pair, _):
            await pair.begin(0)
            lights = [messages.environment(t * S, 1024, t, 0, 7) for t in range(50)]
            _, jitter = await fly_in_real_time(pair, 0, 50 * S, S, lights, speed=50.0)
            assert (jitter.periods, pair.steps, pair.mismatches) == (50, 50, 0)
            assert pair.twin.node.plant.state[p_.COS_ARRAY] == 49

    asyncio.run(body())
