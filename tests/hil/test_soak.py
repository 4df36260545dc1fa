"""Hours of flight on several boards: nothing grows, on the host or on the boards."""

import gc
import sys
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from ascnode.scenario.scenario import Scenario
from ascnode_hil.bench import HilBench
from ascnode_hil.devices import ProcessDevice
from ascnode_hil.node import HilNode
from ascnode_hil.pool import Pool
from ascnode_hil.rig import Setup
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import images
from ascnode_hil.target import Target

_CHUNK_S = 60


def _fly(bench: HilBench, hours: float) -> None:
    """Under one orbit after the other, with a query a minute and a ground that takes results over."""
    end_s = bench.nodes[0].now_s + 3600 * hours
    while bench.nodes[0].now_s < end_s:
        for number, node in enumerate(bench.nodes):
            node.query(images(number, 1)[0], deadline_s=600)
            node.take_over(*{answer.count for answer in node.answers()})
            node.heard.clear()
        bench.advance(_CHUNK_S)


def _sky(node: HilNode, hours: float) -> None:
    sky = HilSky(node)
    sky.contact()
    sky.orbit(3600 * hours)


def _board_heaps(pool: Pool) -> list[int]:
    # Resident bytes of the boards' processes: a heap that grew would show as pages touched.
    heaps = []
    for device in pool.devices:
        assert isinstance(device, ProcessDevice)
        status = Path(f"/proc/{device.process_id}/status").read_text()
        heaps.append(int(status.split("VmRSS:")[1].split()[0]) * 1024)
    return heaps


@pytest.mark.parametrize(
    ("hours", "boards"), [(1.0, 2), pytest.param(24.0, 8, marks=pytest.mark.deep)], ids=["an hour", "a day"]
)
@pytest.mark.skipif(find_interpreter() is None, reason="no MicroPython interpreter on this machine")
def test_nothing_grows(tmp_path: Path, hours: float, boards: int) -> None:
    pool = Pool(Target("virtual"), Setup(Scenario(), 1, "board", tmp_path), None, False)
    try:
        bench = HilBench(pool.node, pool.loop)
        for node in bench(boards):
            _sky(node, 1.6 * hours)
        _fly(bench, 0.3 * hours)
        gc.collect()
        before, board_before = sys.getallocatedblocks(), _board_heaps(pool)
        _fly(bench, 0.7 * hours)
        gc.collect()
        grown = sys.getallocatedblocks() - before
        board_grown = [after - was for after, was in zip(_board_heaps(pool), board_before, strict=True)]
    finally:
        pool.close()
    assert all(node.state("jobs done") for node in bench.nodes)
    assert all(node.device.flyer.mismatches == 0 for node in bench.nodes)
    # Objects: a trace of at most 1,200 samples of 8 numbers a board, and no more for a day than for an hour.
    assert grown < boards * 10_000
    assert max(board_grown, default=0) <= 65_536
