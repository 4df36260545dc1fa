"""Demand response: a cap on the power of all nodes is met within one control period, by boards and simulated nodes."""

import asyncio
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.record.database import Record
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.run import Run
from ascnode_fw.flight import layout as f_
from scenario.flight import scenario

# 8 nodes, three of them boards, with more work than they can do.
TEXT = """
duration_s = 300
[constellation]
name = "starlink-gen1-1"
boards = [[0, 0], [18, 5], [36, 11]]
compute = 8
[users]
cities = 10
[gateways]
sites = 5
[[workload]]
kind = "inference"
queries = 2500
burst = 30
end_s = 280
[policy]
placement = "least-queue"
[[cap]]
at_s = 100.4
for_s = 60
each_w = 95
[[cap]]
at_s = 200
for_s = 50
total_w = 720
"""
CAPS = (
    (101, 160, 95.0),
    (200, 250, 90.0),
)  # of each node; the first period at or after 100.4 s starts at 101 s


def loads_w(folder: Path) -> dict[str, dict[int, float]]:
    """Power of each compute node in the control period that starts at each second."""
    flown = scenario(folder, TEXT)
    loads: dict[str, dict[int, float]] = defaultdict(dict)

    async def body() -> None:
        payload = load_payload(flown.payload, flown.folder)
        with Record(folder / "run.sqlite") as record:
            async with Hangar(flown, payload, find_interpreter(), record) as hangar:
                run = Run(flown, hangar.flyers, payload, hangar.kind, record)
                fleet, step = run.nodes.fleet, run.nodes.fleet.step

                def stepped(dt_s: float) -> None:
                    at_s = run.nodes.now_us // 1_000_000
                    step(dt_s)
                    for node in sorted(set(flown.space.compute.tolist()) - set(flown.space.boards)):
                        loads[f"simulated {node}"][at_s] = float(fleet.state.load_w[node])

                fleet.step = stepped  # type: ignore[method-assign]
                for flyer in hangar.flyers:
                    listen(flyer.name, flyer.twin.node)
                await run.fly(lambda sim_s, boards: None)

    def listen(name: str, node: object) -> None:
        sense = node.computer.sense  # type: ignore[attr-defined]

        def sensed(words: object) -> None:
            sense(words)
            f = node.computer.f  # type: ignore[attr-defined]
            if f[f_.NOW_S]:  # the sensor tells of the period before
                loads[name][f[f_.NOW_S] - 1] = f[f_.LOAD_PW] / 1000

        node.computer.sense = sensed  # type: ignore[attr-defined]

    asyncio.run(body())
    return loads


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, float]]:
    return loads_w(tmp_path_factory.mktemp("cap"))


def within(load: dict[int, float], start_s: int, end_s: int) -> np.ndarray:
    return np.array([watts for at_s, watts in load.items() if start_s <= at_s < end_s])


@pytest.mark.parametrize(("start_s", "end_s", "cap_w"), CAPS)
def test_every_node_keeps_the_cap_from_the_next_period_on(
    flown: dict[str, dict[int, float]], start_s: int, end_s: int, cap_w: float
) -> None:
    assert len(flown) == 8
    for name, load in flown.items():
        capped = within(load, start_s, end_s)
        assert len(capped) == end_s - start_s, name
        assert capped.max() <= cap_w, name


def test_nodes_drew_more_before_and_after(flown: dict[str, dict[int, float]]) -> None:
    # else the cap would have been met without them
    for start_s, end_s in ((60, 100), (165, 199), (255, 280)):
        assert sum(within(load, start_s, end_s).max() > 150 for load in flown.values()) >= 6


def test_work_goes_on_below_the_cap(flown: dict[str, dict[int, float]]) -> None:
    assert sum(within(load, 101, 160).max() > 70 for load in flown.values()) >= 6
