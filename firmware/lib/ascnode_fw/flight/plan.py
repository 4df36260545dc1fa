"""Windows of time that the ground uplinks: ground contacts and eclipses, in order of their start."""

from array import array

from ascnode_fw.compat import const

_WINDOWS = const(48)


# words: how many windows, the first that is not over, then start and end of each
_COUNT = const(0)
_HEAD = const(1)
_FIRST = const(2)


class Plan:
    """At most 48 windows (start s, end s); those that are over are forgotten when room is needed."""

    def __init__(self) -> None:
        self.words = array("i", bytes(4 * (_FIRST + 2 * _WINDOWS)))

    def clear(self) -> None:
        self.words[_COUNT] = self.words[_HEAD] = 0

    def add(self, start_s: int, end_s: int) -> bool:
        # In order of start; False when there is no room, or the window is empty or out of order.
        w = self.words
        if end_s <= start_s or (w[_COUNT] and start_s < w[2 * w[_COUNT]]):
            return False
        if w[_COUNT] == _WINDOWS:
            self._forget()
            if w[_COUNT] == _WINDOWS:
                return False
        at = _FIRST + 2 * w[_COUNT]
        w[at] = start_s
        w[at + 1] = end_s
        w[_COUNT] += 1
        return True

    def _forget(self) -> None:
        w = self.words
        kept = w[_COUNT] - w[_HEAD]
        shift = 2 * w[_HEAD]
        for i in range(_FIRST, _FIRST + 2 * kept):
            w[i] = w[i + shift]
        w[_COUNT] = kept
        w[_HEAD] = 0

    def current(self, now_s: int) -> int:
        # The window that holds now, or the next one; -1 when none is left. Time never goes back.
        w = self.words
        while w[_HEAD] < w[_COUNT] and w[_FIRST + 1 + 2 * w[_HEAD]] <= now_s:
            w[_HEAD] += 1
        return w[_HEAD] if w[_HEAD] < w[_COUNT] else -1

    def start(self, i: int) -> int:
        return self.words[_FIRST + 2 * i]

    def end(self, i: int) -> int:
        return self.words[_FIRST + 1 + 2 * i]

    def within(self, now_s: int) -> bool:
        i = self.current(now_s)
        return i >= 0 and self.start(i) <= now_s
