"""Several boards in one test, under one clock."""

import asyncio
from collections.abc import Callable

from ascnode_hil.heard import Heard
from ascnode_hil.loop import LoopThread
from ascnode_hil.node import HilNode


class HilBench:
    """Call it with how many boards the test needs; they advance together."""

    def __init__(self, opener: Callable[[int], HilNode], loop: LoopThread) -> None:
        self.nodes: list[HilNode] = []
        self._opener = opener
        self._loop = loop

    def __call__(self, count: int) -> list[HilNode]:
        """That many boards, begun afresh; blocked when the target names fewer."""
        while len(self.nodes) < count:
            self.nodes.append(self._opener(len(self.nodes)))
        return self.nodes[:count]

    def advance(self, seconds: float) -> list[list[Heard]]:
        """Lets the same time pass on all boards, beside each other; what each radio sent."""
        before = [len(node.heard) for node in self.nodes]
        self._loop.run(
            self._advance(seconds), 120.0 + 2 * seconds * len(self.nodes), "exchanges with the boards"
        )
        return [node.heard[n:] for node, n in zip(self.nodes, before, strict=True)]

    async def _advance(self, seconds: float) -> None:
        await asyncio.gather(*(node.advancing(round((node.now_s + seconds) * 1e6)) for node in self.nodes))
