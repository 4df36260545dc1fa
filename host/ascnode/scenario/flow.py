"""What moves during a slot: queries up, between satellites, and answers down; bytes that wait, and bytes that are lost.

Each laser (each way), each user's uplink and each user's downlink carries one thing at a time. What finds no route, no
turn before the slot ends, or no user in view waits where it is until the next slot.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np

from ascnode.mesh.assignment import NONE
from ascnode.mesh.chance import uniform
from ascnode.mesh.slots import FRAMES_PER_SECOND, frame_start_us, next_frame
from ascnode.scenario.ledger import DOWNLINK, MESH, UPLINK, WAIT, Account, answered, failed
from ascnode.scenario.line import Line, airtime_us
from ascnode.scenario.parcel import (
    ANYWHERE,
    BUFFER_FULL,
    LOST_DOWN,
    LOST_UP,
    NO_ROUTE,
    NO_SATELLITE,
    Bytes,
    Parcel,
    by_time,
)
from ascnode.scenario.rain import Rain
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot

Arrive = Callable[[int, "Parcel"], None]
Choose = Callable[[Account, int], int]
_TURNS = 7  # what numbers are drawn for, beside legs
_BLOCK = 4096
_RETRY_US = 20_000_000  # custody_timeout of the flight software's dictionary


class Flow:
    """Links and queues of a run. `arrive(time_us, parcel)` takes what reaches its goal, `choose` places queries."""

    def __init__(self, scenario: Scenario, users: int, rain: Rain, arrive: Arrive, choose: Choose) -> None:
        self.bytes = Bytes()
        self.waiting: dict[int, list[Parcel]] = defaultdict(list)
        self.per_satellite: dict[int, int] = defaultdict(int)
        self.per_gateway: dict[int, int] = defaultdict(int)
        self.hops = self.parcels = 0
        self._arrive, self._choose = arrive, choose
        self._lines: dict[tuple[str, int, int], Line] = defaultdict(Line)
        self._lasers, self._downlink, self._seed = scenario.lasers, scenario.downlink, scenario.seed
        least = math.sin(math.radians(max(scenario.users.min_elevation_deg, 5.0)))
        self._lowest = 1 / least - 1  # how much longer the path through the air is than at the zenith
        self._disturbed_us = round(scenario.downlink.disturbance_ms * 1000)
        self._users, self._rain = users, rain
        self._own: list[int] = []  # each user's turn among those of its cell, in this slot
        self._draws: dict[tuple[int, int], list[float]] = {}

    # --- a slot

    def begin(self, slot: Slot) -> None:
        """What waited goes on, in order of time; what missed its deadline does not."""
        for key in [key for key, line in self._lines.items() if line.end_us < slot.start_us]:
            del self._lines[key]
        self._rain.begin(slot.number)
        drawn = uniform(self._seed, slot.number, np.arange(self._users), _TURNS)
        self._own = (drawn * self._downlink.cell_users).astype(int).tolist()
        parcels = [parcel for queue in self.waiting.values() for parcel in queue]
        self.waiting.clear()
        for parcel in sorted(parcels, key=by_time):
            if parcel.kind == "query" and parcel.account.query.deadline_s * 1_000_000 <= slot.start_us:
                self._lose(parcel, NO_ROUTE)
            elif not parcel.account.open and parcel.kind in ("query", "answer"):
                self._lose(parcel, parcel.account.cause)
            else:
                parcel.ready_us = max(parcel.ready_us, slot.start_us)
                self.send(slot, parcel)

    def places(self) -> Iterable[int]:
        """The satellites where something waits."""
        return [satellite for satellite, queue in self.waiting.items() if queue]

    def held_bytes(self) -> int:
        """Bytes that wait."""
        return sum(parcel.size for queue in self.waiting.values() for parcel in queue)

    def lose_at(self, satellite: int, cause: str) -> None:
        """What waits in a satellite that fails."""
        for parcel in self.waiting.pop(satellite, []):
            self._lose(parcel, cause)

    # --- up

    def ask(self, slot: Slot, account: Account, size: int) -> bool:
        """A user sends; False when no turn is left in this slot and the user has to try again in the next."""
        query = account.query
        satellite = int(slot.serving[query.user])
        if satellite == NONE:
            self.bytes.offered += size
            self.bytes.lost += size
            failed(account, NO_SATELLITE)
            return True
        line = self._lines["up", query.user, satellite]
        start_us, end_us = self._turn(slot, line, query.user, query.sent_us, size)
        if end_us > slot.end_us:
            return False
        line.reserve(start_us, end_us - start_us)
        self.bytes.offered += size
        arrival_us = end_us + slot.ground_us(query.user, satellite, end_us)
        account.spend(UPLINK, arrival_us)
        self.per_satellite[satellite] += size
        parcel = Parcel("query", account, size, satellite, ANYWHERE, arrival_us)
        if self._unlucky(slot, account, satellite, query.user, 0):
            self._lose(parcel, LOST_UP)
        else:
            self.send(slot, parcel)
        return True

    # --- between satellites

    def offer(self, slot: Slot, parcel: Parcel) -> None:
        """New bytes: an answer that a node has made, a shard, a gradient."""
        self.bytes.offered += parcel.size
        self.send(slot, parcel)

    def send(self, slot: Slot, parcel: Parcel) -> None:
        """As far as this slot takes it."""
        if parcel.ready_us >= slot.end_us or not self._aim(slot, parcel):
            self._wait(parcel)
            return
        target = parcel.to if parcel.to != ANYWHERE else self._exit(slot, parcel)
        if target == NONE or not self._along(slot, parcel, target):
            self._wait(parcel)
        elif parcel.kind == "answer":
            self._down(slot, parcel)
        else:
            self.parcels += 1
            self.bytes.delivered += parcel.size
            self._arrive(parcel.ready_us, parcel)

    def _aim(self, slot: Slot, parcel: Parcel) -> bool:
        # Chooses the node of a query that has none.
        if parcel.kind == "query" and parcel.to == ANYWHERE:
            parcel.to = self._choose(parcel.account, parcel.at) if parcel.at in slot.lanes else NONE
            parcel.account.node = parcel.to
            return parcel.to != NONE
        return True

    def _exit(self, slot: Slot, parcel: Parcel) -> int:
        if self._downlink.to == "gateway":
            return slot.exit_of(parcel.at, to_gateway=True)
        return int(slot.serving[parcel.account.query.user])

    def _along(self, slot: Slot, parcel: Parcel, target: int) -> bool:
        # Hop by hop; False where it has to wait.
        path = slot.path(parcel.at, target)
        for a, b in pairwise(path):
            length_us = airtime_us(parcel.size, self._lasers.rate_mbps)
            start_us = self._lines["laser", a, b].reserve(parcel.ready_us, length_us, slot.end_us)
            if start_us is None:
                return False
            sent_us = start_us + length_us
            parcel.at, parcel.ready_us = b, sent_us + slot.hop_us(a, b, sent_us) + self._lasers.hop_us
            self.hops += 1
            self._mark(parcel, MESH, parcel.ready_us)
        return bool(path)

    # --- down

    def _down(self, slot: Slot, parcel: Parcel) -> None:
        account, satellite = parcel.account, parcel.at
        site = self._site(slot, account, satellite)
        line = self._lines["down", site, satellite]
        start_us, end_us = self._turn(slot, line, site, parcel.ready_us, parcel.size)
        if end_us > slot.end_us:
            self._wait(parcel)
            return
        line.reserve(start_us, end_us - start_us)
        account.spend(WAIT, start_us)
        heard_us = end_us + slot.ground_us(site, satellite, end_us)
        account.spend(DOWNLINK, heard_us)
        account.tries += 1
        self.per_satellite[satellite] += parcel.size
        if self._unlucky(slot, account, satellite, site, account.tries):
            self._again(parcel, heard_us)
            return
        self.parcels += 1
        self.bytes.delivered += parcel.size
        if site >= self._users:
            self.per_gateway[site - self._users] += 1
        answered(account, heard_us)

    def _site(self, slot: Slot, account: Account, satellite: int) -> int:
        return (
            self._users + int(slot.gateway[satellite])
            if self._downlink.to == "gateway"
            else account.query.user
        )

    def _again(self, parcel: Parcel, heard_us: int) -> None:
        if parcel.account.tries >= self._downlink.tries:
            self._lose(parcel, LOST_DOWN)
            return
        parcel.ready_us = heard_us + _RETRY_US
        parcel.account.spend(WAIT, parcel.ready_us)
        self._wait(parcel)

    # --- turns, loss, queues

    def _turn(self, slot: Slot, line: Line, site: int, at_us: int, size: int) -> tuple[int, int]:
        # The first own turns that carry so many bytes: a cell's terminals take turns of 1/750 s, gateways all of them.
        per_turn = self._downlink.rate_mbps * 1e6 / 8 / FRAMES_PER_SECOND
        turns = -int(-size // per_turn)
        own, step = (self._own[site], self._downlink.cell_users) if site < self._users else (0, 1)
        start_us = max(at_us, slot.start_us + self._disturbed_us)
        while True:
            frame = next_frame(start_us)
            frame += (own - frame) % step
            last = frame + (turns - 1) * step
            begin_us, end_us = (
                frame_start_us(frame),
                frame_start_us(last)
                + airtime_us(size - int((turns - 1) * per_turn), self._downlink.rate_mbps),
            )
            free_us = line.free_from(begin_us, end_us - begin_us)
            if free_us == begin_us:
                return begin_us, end_us
            start_us = free_us

    def _unlucky(self, slot: Slot, account: Account, satellite: int, site: int, leg: int) -> bool:
        sine = max(slot.sin_elevation(site, satellite), 1e-3)
        rules = self._downlink
        if self._rain.down(site, sine):
            return True
        low = min(1.0, max(0.0, (1 / sine - 1) / self._lowest))
        chance = rules.loss + (rules.loss_low - rules.loss) * low
        return self._drawn(account.query.job, leg) < chance

    def _drawn(self, job: int, leg: int) -> float:
        # Depends on job and leg alone; drawn for many at a time.
        block, at = divmod(job, _BLOCK)
        if (block, leg) not in self._draws:
            jobs = np.arange(block * _BLOCK, (block + 1) * _BLOCK)
            self._draws[block, leg] = uniform(self._seed, jobs, leg).tolist()
        return self._draws[block, leg][at]

    def _wait(self, parcel: Parcel) -> None:
        queue = self.waiting[parcel.at]
        room = self._lasers.buffer_mb * 1e6 - sum(one.size for one in queue)
        if parcel.size > room:
            self._lose(parcel, BUFFER_FULL)
        else:
            queue.append(parcel)

    def _mark(self, parcel: Parcel, part: int, until_us: int) -> None:
        if parcel.kind in ("query", "answer"):
            parcel.account.spend(part, until_us)

    def _lose(self, parcel: Parcel, cause: str) -> None:
        self.bytes.lost += parcel.size
        failed(parcel.account, cause)
        for account in parcel.jobs:
            failed(account, cause)
