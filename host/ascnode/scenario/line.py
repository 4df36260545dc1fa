"""What carries one thing at a time: a laser's one way, a beam's turns."""

from bisect import bisect_right


class Line:
    """Reservations of a line, in us, apart from each other; what asks later finds the gaps that are left."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    @property
    def end_us(self) -> int:
        """When the last reservation ends; 0 without one."""
        return self._ends[-1] if self._ends else 0

    def free_from(self, at_us: int, length_us: int) -> int:
        """The first time at or after at_us from which the line is free for so long."""
        return self._gap(at_us, length_us)[1]

    def reserve(self, at_us: int, length_us: int, before_us: int | None = None) -> int | None:
        """Takes the line from `free_from` on, and says when; None, and nothing taken, unless it is before_us."""
        i, start_us = self._gap(at_us, length_us)
        if before_us is not None and start_us >= before_us:
            return None
        self._starts.insert(i, start_us)
        self._ends.insert(i, start_us + length_us)
        return start_us

    def _gap(self, at_us: int, length_us: int) -> tuple[int, int]:
        # Its place among the reservations, and when it starts.
        starts, ends = self._starts, self._ends
        if not ends or at_us >= ends[-1]:
            return len(ends), at_us
        i = max(0, bisect_right(starts, at_us) - 1)
        start_us = at_us
        while i < len(starts) and start_us + length_us > starts[i]:
            start_us = max(start_us, ends[i])
            i += 1
        return i, start_us


def airtime_us(size_bytes: int, rate_mbps: float) -> int:
    """Time that so many bytes take, rounded up to us."""
    return -int(-size_bytes * 8 // rate_mbps)
