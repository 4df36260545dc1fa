"""Inference jobs: admission by battery, heat, queue and deadline; then priority, then earliest deadline."""

import binascii
from array import array

from ascnode_fw.compat import const
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.layout import scale
from ascnode_fw.wire import dictionary as d

SLOTS = const(16)
INPUT_MAX = const(784)

# words of a slot
STATE = const(0)  # 0 free, 1 waiting
JOB = const(1)
MODEL = const(2)
PRIORITY = const(3)
DEADLINE_S = const(4)
SEQUENCE = const(5)  # of the telecommand, for its completion report
ORDER = const(6)
LENGTH = const(7)
WORK_KC = const(8)  # left to do, in 1000 cycles
TOTAL_KC = const(9)
SPENT_MS = const(10)
SPENT_MJ = const(11)
WORDS = const(12)
NAMES = (
    "state",
    "job",
    "model",
    "priority",
    "deadline s",
    "sequence",
    "order",
    "length",
    "work left kcycles",
    "work kcycles",
    "spent ms",
    "spent 2^k mJ",
)

_MASK = const(0x3FFFFFFF)
WORK_MAX = 0x1FFFFFFF  # 1000 cycles, of one job and of all that waits
_SPENT_MAX = const(0x1FFFFFFF)


class Tasks:
    """A fixed table of job slots with their inputs; a full table refuses, nothing is overwritten."""

    def __init__(self) -> None:
        self.words = array("i", bytes(4 * SLOTS * WORDS))
        self.inputs = bytearray(SLOTS * INPUT_MAX)
        self._view = memoryview(self.inputs)
        self.counters = array("i", [0])  # slots in use

    def held(self) -> int:
        return self.counters[0]

    def input(self, slot: int) -> memoryview:
        at = slot * INPUT_MAX
        return self._view[at : at + self.words[slot * WORDS + LENGTH]]

    def backlog_kc(self) -> int:
        return self._ahead_kc(256, 0, -1)

    def _ahead_kc(self, priority: int, deadline_s: int, running: int) -> int:
        # Work that comes before a new job of that priority and deadline: the running job, then what is more urgent.
        total = 0
        w = self.words
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i] and (
                i == running * WORDS
                or w[i + PRIORITY] < priority
                or (w[i + PRIORITY] == priority and w[i + DEADLINE_S] <= deadline_s)
            ):
                total = min(WORK_MAX, total + w[i + WORK_KC])
        return total

    def refusal(
        self, f: "array[int]", v: "array[int]", point: int, work_kc: int, priority: int, deadline_s: int
    ) -> int:
        # The code to refuse a new job with, or OK, at the operating point that it can reckon with. The barrier rises
        # with the queue: every waiting job has first call on the energy to spare, the more urgent ones on time.
        if f[f_.SHED]:
            return d.SHED
        if f[f_.TRIPPED]:
            return d.TOO_HOT
        if self.held() == SLOTS:
            return d.QUEUE_FULL
        clock_khz = max(1, v[d.P_OP_CLOCK_KHZ + point])
        wait_s = (self._ahead_kc(priority, deadline_s, f[f_.RUNNING]) + work_kc) // clock_khz
        if wait_s >= deadline_s - f[f_.NOW_S]:
            return d.TOO_LATE
        busy_s = (self.backlog_kc() + work_kc) // clock_khz + 1
        if scale(v[d.P_OP_PW + point], min(busy_s, 65535), 1000) > f[f_.SPARE_J]:
            return d.NO_ENERGY
        return d.OK

    def add(
        self,
        f: "array[int]",
        head: "tuple[int, int, int, int]",
        sequence: int,
        work_kc: int,
        data: memoryview,
    ) -> None:
        # head = (job, model, priority, deadline s); the caller has asked refusal() first.
        slot = 0
        while self.words[slot * WORDS]:
            slot += 1
        i = slot * WORDS
        w = self.words
        w[i + JOB], w[i + MODEL], w[i + PRIORITY], w[i + DEADLINE_S] = head
        w[i + SEQUENCE] = sequence
        f[f_.ORDER] = (f[f_.ORDER] + 1) & _MASK
        w[i + ORDER] = f[f_.ORDER]
        w[i + LENGTH] = len(data)
        w[i + WORK_KC] = w[i + TOTAL_KC] = work_kc
        w[i + SPENT_MS] = w[i + SPENT_MJ] = 0
        w[i + STATE] = 1
        self.counters[0] += 1
        at = slot * INPUT_MAX
        self._view[at : at + len(data)] = data
        # Inputs never change while they wait, so folding them once keeps the state digest whole.
        f[f_.QUEUE_CRC] = binascii.crc32(data, f[f_.QUEUE_CRC]) & _MASK

    def remove(self, slot: int) -> None:
        i = slot * WORDS
        for k in range(i, i + WORDS):
            self.words[k] = 0
        self.counters[0] -= 1

    def next(self, besides: int = -1) -> int:
        # The slot to run: lowest priority number, then earliest deadline, then first come; -1 for none.
        left = self.counters[0]
        if not left:
            return -1
        best = -1
        w = self.words
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i]:
                if i != besides * WORDS and (best < 0 or self._before(i, best)):
                    best = i
                left -= 1
                if not left:
                    break
        return best // WORDS if best >= 0 else -1

    def _before(self, a: int, b: int) -> bool:
        w = self.words
        for k in (PRIORITY, DEADLINE_S, ORDER):
            if w[a + k] != w[b + k]:
                return w[a + k] < w[b + k]
        return False

    def expired(self, now_s: int) -> int:
        # A slot whose deadline has passed, or -1.
        w = self.words
        left = self.counters[0]
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i]:
                if w[i + DEADLINE_S] <= now_s:
                    return i // WORDS
                left -= 1
                if left <= 0:
                    break
        return -1

    def work(self, slot: int, clock_khz: int, power_pw: int, budget_ms: int) -> int:
        # Runs the job for at most budget_ms at that clock; the ms used. It is done when no work is left.
        i = slot * WORDS
        w = self.words
        left = w[i + WORK_KC]
        whole_s = min(left // clock_khz, 100)  # far more than a period has
        need_ms = whole_s * 1000 + (left % clock_khz * 1000 + clock_khz - 1) // clock_khz
        done = need_ms <= budget_ms
        ms = need_ms if done else budget_ms
        w[i + WORK_KC] = 0 if done else left - scale(clock_khz, ms, 1000)
        w[i + SPENT_MS] = min(_SPENT_MAX, w[i + SPENT_MS] + ms)
        w[i + SPENT_MJ] = min(_SPENT_MAX, w[i + SPENT_MJ] + scale(power_pw, ms, 1000))
        return ms

    def more(self, slot: int, work_kc: int) -> None:
        # Work that comes on top of what a job has done.
        i = slot * WORDS
        w = self.words
        w[i + WORK_KC] += work_kc
        w[i + TOTAL_KC] = min(WORK_MAX, w[i + TOTAL_KC] + work_kc)

    def done(self, slot: int) -> bool:
        return not self.words[slot * WORDS + WORK_KC]
