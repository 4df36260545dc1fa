"""Downlink queue: store and forward by priority then deadline, an energy price a byte, custody until taken over."""

import binascii
from array import array

from ascnode_fw.compat import const
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

SLOTS = const(48)
PACKET_MAX = const(96)

# Priorities. Worth a byte follows from them.
BEACON = const(0)  # reports and events: sent whenever there is lock
RESULT = const(1)
HOUSEKEEPING = const(2)

# words of a slot
STATE = const(0)  # 0 free, 1 waiting, 2 sent and in our custody until taken over
PRIORITY = const(1)
DEADLINE_S = const(2)
ORDER = const(3)
COUNT = const(4)
LENGTH = const(5)
CUSTODY = const(6)
SENT_S = const(7)
TRIES = const(8)
WORDS = const(9)
NAMES = ("state", "priority", "deadline s", "order", "count", "length", "custody", "sent s", "tries")

# words of the counters; packets are counted by their state
OWED = const(0)  # link time that was too short for the next packet, 1/1000 B
WAITING = const(1)
IN_CUSTODY = const(2)
CUSTODY_SENDS = const(3)  # how often a packet was sent that stays in custody

_WAITING = const(1)
_SENT = const(2)
_MASK = const(0x3FFFFFFF)
_NEVER = const(0x3FFFFFFF)


class Links:
    """A fixed table of packets; when it is full the least urgent one gives way, and that is counted."""

    def __init__(self) -> None:
        self.words = array("i", bytes(4 * SLOTS * WORDS))
        self.packets = bytearray(SLOTS * PACKET_MAX)
        self._view = memoryview(self.packets)
        self.counters = array("i", [0, 0, 0, 0])

    def held(self) -> int:
        return self.counters[WAITING] + self.counters[IN_CUSTODY]

    def packet(self, slot: int) -> memoryview:
        at = slot * PACKET_MAX
        return self._view[at : at + self.words[slot * WORDS + LENGTH]]

    def push(self, f: "array[int]", packet: memoryview, priority: int, deadline_s: int, custody: int) -> None:
        slot = self._room(f, priority, deadline_s)
        if slot < 0:
            return
        i = slot * WORDS
        w = self.words
        f[f_.ORDER] = (f[f_.ORDER] + 1) & _MASK
        w[i + PRIORITY], w[i + DEADLINE_S], w[i + ORDER] = priority, deadline_s, f[f_.ORDER]
        w[i + COUNT], w[i + LENGTH], w[i + CUSTODY] = f[f_.TM_COUNT], len(packet), custody
        w[i + SENT_S] = w[i + TRIES] = 0
        w[i + STATE] = _WAITING
        self.counters[WAITING] += 1
        at = slot * PACKET_MAX
        self._view[at : at + len(packet)] = packet
        f[f_.QUEUE_CRC] = binascii.crc32(packet, f[f_.QUEUE_CRC]) & _MASK

    def _room(self, f: "array[int]", priority: int, deadline_s: int) -> int:
        # A free slot, or that of the least urgent packet when it is less urgent than the new one; -1: dropped.
        w = self.words
        worst = -1
        for i in range(0, SLOTS * WORDS, WORDS):
            if not w[i]:
                return i // WORDS
            if worst < 0 or self._before(worst, i):
                worst = i
        f[f_.DROPPED] += 1
        if w[worst + PRIORITY] < priority:
            return -1
        if w[worst + PRIORITY] == priority and w[worst + DEADLINE_S] <= deadline_s:
            return -1
        self._free(worst)
        return worst // WORDS

    def _free(self, i: int) -> None:
        self.counters[self.words[i]] -= 1
        for k in range(i, i + WORDS):
            self.words[k] = 0

    def _before(self, a: int, b: int) -> bool:
        w = self.words
        for k in (PRIORITY, DEADLINE_S, ORDER):
            if w[a + k] != w[b + k]:
                return w[a + k] < w[b + k]
        return False

    def take_over(self, count: int) -> None:
        # The ground has that packet: custody ends.
        w = self.words
        left = self.held()
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i]:
                if w[i + COUNT] == count and w[i + CUSTODY]:
                    self._free(i)
                left -= 1
                if not left:
                    return

    def retry(self, now_s: int, v: "array[int]") -> int:
        # Puts overdue packets back in the queue; the count of one that was given up instead, else -1.
        if not self.counters[IN_CUSTODY]:
            return -1
        w = self.words
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i] == _SENT and now_s - w[i + SENT_S] >= v[d.P_CUSTODY_S]:
                if w[i + TRIES] >= v[d.P_CUSTODY_TRIES]:
                    count = w[i + COUNT]
                    self._free(i)
                    return count
                w[i] = _WAITING
                self.counters[IN_CUSTODY] -= 1
                self.counters[WAITING] += 1
        return -1

    def lowest_priority(self, shed: int, v: "array[int]") -> int:
        # The least urgent class that is worth its energy now. The price of a byte (uJ) is the radio's power over its
        # rate, and four times that for each level of load shed.
        price: int = v[d.P_RADIO_PW] * 1000 // v[d.P_RADIO_BPS]
        for _ in range(shed):
            price = min(_NEVER >> 2, price) * 4
        if price > v[d.P_WORTH_HIGH]:
            return BEACON
        return RESULT if price > v[d.P_WORTH_LOW] else HOUSEKEEPING

    def next(self, lowest: int) -> int:
        # The slot to send, or -1.
        left = self.counters[WAITING]
        if not left:
            return -1
        best = -1
        w = self.words
        for i in range(0, SLOTS * WORDS, WORDS):
            if w[i] == _WAITING:
                if w[i + PRIORITY] <= lowest and (best < 0 or self._before(i, best)):
                    best = i
                left -= 1
                if not left:
                    break
        return best // WORDS if best >= 0 else -1

    def sent(self, slot: int, now_s: int) -> None:
        i = slot * WORDS
        w = self.words
        if not w[i + CUSTODY]:
            self._free(i)
            return
        w[i] = _SENT
        w[i + SENT_S] = now_s
        w[i + TRIES] += 1
        self.counters[WAITING] -= 1
        self.counters[IN_CUSTODY] += 1
        self.counters[CUSTODY_SENDS] = (self.counters[CUSTODY_SENDS] + 1) & _MASK
