"""What carries one thing at a time: a laser's one way, a beam's turns."""

from bisect import bisect_right


class Line:
    """Reservations of a line, in us, apart from each other; what asks later finds the gaps that are left."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def reserve(self, at_us: int, length_us: int) -> int:
        """The first time at or after at_us from which the line is free for so long; it is taken."""
        i = max(0, bisect_right(self._starts, at_us) - 1)
        start = at_us
        while i < len(self._starts):
            if start + length_us <= self._starts[i]:
                break
            start = max(start, self._ends[i])
            i += 1
        self._starts.insert(i, start)
        self._ends.insert(i, start + length_us)
        return start

    def first_free(self, at_us: int, length_us: int) -> int:
        """As `reserve`, without taking it."""
        i = max(0, bisect_right(self._starts, at_us) - 1)
        start = at_us
        while i < len(self._starts) and start + length_us > self._starts[i]:
            start = max(start, self._ends[i])
            i += 1
        return start

    def forget(self, before_us: int) -> None:
        """Drops what ended before a time."""
        keep = next((i for i, end in enumerate(self._ends) if end >= before_us), len(self._ends))
        del self._starts[:keep], self._ends[:keep]


def airtime_us(size_bytes: int, rate_mbps: float) -> int:
    """Time that so many bytes take, rounded up to us."""
    return -int(-size_bytes * 8 // rate_mbps)
