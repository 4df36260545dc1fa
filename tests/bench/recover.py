"""`python -m tests.bench.recover`: how long a lost board takes to be found again, beside the bound of 2 s.

Three virtual boards, whose ports change names with every loss; resets, power cuts and unplugging from a seed.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from ascnode.boards.serial import SerialBoard
from bench_boards.desk import Desk

BOUND_S = 2.0
CYCLES, BOARDS, WAIT_S = 100, 3, 30


async def recover(desk: Desk) -> tuple[list[float], int]:
    """Seconds of each recovery, and how often another board was taken for the lost one."""
    spent, wrong = [], 0
    async with AsyncExitStack() as stack:
        boards = [
            await stack.enter_async_context(SerialBoard(chip, desk.candidates)) for chip in desk.chip_ids
        ]
        for board in boards:
            await board.connect(WAIT_S)
        for cycle in range(CYCLES):
            node = cycle % BOARDS
            desk.lose(node)
            lost = time.perf_counter()
            session = await boards[node].connect(WAIT_S)
            spent.append(time.perf_counter() - lost)
            assert session.identity is not None
            wrong += session.identity.unique_id.hex() != desk.chip_ids[node]
    return spent, wrong


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ascnode-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        with Desk(Path(folder), BOARDS) as desk:
            spent, wrong = asyncio.run(recover(desk))
    median = statistics.median(spent)
    print(
        f"{CYCLES} boards lost and found again: median {median:.2f} s ({BOUND_S / median:.0f}x below the bound of "
        f"{BOUND_S:g} s), longest {max(spent):.2f} s, wrong boards {wrong}; load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
