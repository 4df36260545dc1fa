"""When words of the stream ring can be read, and how often its filling needs the ring's bank."""

from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.timing_model import StreamSource


class Ring:
    """Blocks arrive one after another, each into a free place of `ring_blocks`; words are taken in order."""

    def __init__(self, source: StreamSource, ring_blocks: int, stream_blocks: int) -> None:
        self._source, self._places, self._count = source, ring_blocks, stream_blocks
        self._begins: list[float] = []
        self._ends: list[float] = []  # when a block's first word can be read
        self._released: list[float] = []
        self._oldest = 0  # the first block that a later question about filling can be about
        self.taken = 0

    def take(self, count: int, first: float) -> float:
        """The cycle in which the last of `count` words is read, asked for from cycle `first` on."""
        now: float = first - 1
        while count:
            block, word = divmod(self.taken, RING_BLOCK_WORDS)
            part = min(count, RING_BLOCK_WORDS - word)
            self._fill_to(block)
            begin = max(now, self._ends[block] - 1)
            now = begin + part + self.filled(begin + 1, begin + 1 + part)
            self.taken += part
            count -= part
            if word + part == RING_BLOCK_WORDS:
                self._released.append(now)
        return now

    def filled(self, start: float, end: float) -> float:
        """Words written into the ring in cycles start..end, on average."""
        self._fill_to(min(self._count, len(self._released) + self._places) - 1)
        while self._oldest < len(self._ends) and self._ends[self._oldest] <= start:
            self._oldest += 1
        cycles = 0.0
        for begin, over in zip(self._begins[self._oldest :], self._ends[self._oldest :], strict=True):
            if begin >= end:
                break
            cycles += max(0.0, min(end, over) - max(start, begin))
        return cycles / self._source.cycles_per_word

    def _fill_to(self, block: int) -> None:
        """Lets blocks up to `block` arrive; those before the block that it displaces have been taken."""
        while len(self._ends) <= block:
            place = len(self._ends) - self._places
            free = self._released[place] if place >= 0 else self._source.start
            begin = max(free, self._ends[-1] - self._source.latency if self._ends else self._source.start)
            self._begins.append(begin)
            self._ends.append(begin + self._source.block + self._source.latency)
