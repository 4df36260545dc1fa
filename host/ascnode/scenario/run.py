"""Flies a scenario: a constellation of simulated nodes and boards with their twins, slot by slot.

A slot goes: who serves whom and which routes there are; what waited goes on; users send, queries are placed; nodes and
boards advance to the slot's end; answers go down. Boards get no news of the same slot from each other: what one sends
reaches nobody before the others have advanced as far.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import NamedTuple

from ascnode.record.database import Record
from ascnode.scenario.board import Flyer, Radio, board_satellite
from ascnode.scenario.extremes import Extremes
from ascnode.scenario.figures import Figures, figures
from ascnode.scenario.flow import Flow
from ascnode.scenario.hardware import power_scale_k
from ascnode.scenario.injected import Injected
from ascnode.scenario.job import Finished
from ascnode.scenario.known import known_nodes
from ascnode.scenario.ledger import COMPUTE, MESH, QUEUE, WAIT, Account, Ledger, failed, guess_of
from ascnode.scenario.nodes import Nodes
from ascnode.scenario.outages import Out, Schedule
from ascnode.scenario.parcel import ANYWHERE, Parcel
from ascnode.scenario.payload import Payload
from ascnode.scenario.pings import PingFigures, fly_pings
from ascnode.scenario.placement import Known, Placement
from ascnode.scenario.proofs import Proofs
from ascnode.scenario.rain import Rain
from ascnode.scenario.recording import (
    Queries,
    record_measurements,
    record_nodes,
    record_slot,
    record_state,
)
from ascnode.scenario.satellite import Said, cause_of
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot
from ascnode.scenario.slots import SlotMaker, bounds_us, gateways_of, users_of
from ascnode.scenario.status import Status, status_of
from ascnode.scenario.tables.work import Inference, Ping, Training
from ascnode.scenario.traffic import queries
from ascnode.scenario.training import Waves, workers_of
from ascnode_fw.wire import dictionary as d

NODE_FAILED = "node failed"
RESTARTED = "board restarted"
_IDLE_US = 600_000_000

Progress = Callable[[float, Sequence[Status]], None]
"""Told of the simulated time (s) and of every board after each slot."""


class Answer(NamedTuple):
    """A result leaves its node: when, whose, and its bytes."""

    time_us: int
    satellite: int
    account: Account
    size: int


class Run:
    """One flight of a scenario. `flyers` and `injected` come from a hangar, in the order of the scenario's boards."""

    def __init__(
        self,
        scenario: Scenario,
        flyers: Sequence[Flyer],
        payload: Payload,
        kind: str,
        record: Record,
        injected: Injected | None = None,
    ) -> None:
        self.scenario = scenario
        self.kind = kind
        self.ledger = Ledger()
        self.pings: list[PingFigures] = []
        self.proofs = Proofs(scenario.accelerator, scenario.node, payload)
        self.injected = injected or Injected(record)
        self.users, self.gateways = users_of(scenario), gateways_of(scenario)
        self.nodes = Nodes(scenario, payload, scenario.cap)
        rain = Rain(self.users, self.gateways, scenario.downlink.rain_margin_db, scenario.seed)
        self.flow = Flow(scenario, len(self.users), rain, self._arrive, self._choose)
        self._record = record
        self._payload = payload
        self._flyers = flyers
        names = [gateway.name for gateway in self.gateways]
        self._schedule = Schedule(
            scenario.fault, scenario.space.count, names, float(scenario.length_s), scenario.seed
        )
        self._maker = SlotMaker(scenario, self.users, self.gateways, self._schedule)
        self.planned = self._maker.planned
        self._placement = Placement(scenario.policy, scenario.seed)
        self._known: Known | None = None
        self._slot: Slot | None = None
        self._out = Out()
        self._end_us = scenario.length_s * 1_000_000
        self.slots = 0
        self._ask_users()
        self._queries = Queries(record, self.ledger)
        boards = scenario.space.boards
        self.waves = [
            Waves(i, work, workers_of(work, scenario.space, boards))
            for i, work in enumerate(scenario.workload)
            if isinstance(work, Training)
        ]
        stations = [*self.users, *self.gateways]
        self.satellites = [
            board_satellite(scenario, node, flyer, stations) for node, flyer in enumerate(flyers)
        ]
        self._boards = {satellite.number: satellite for satellite in self.satellites}
        self._radios = [Radio(satellite) for satellite in self.satellites]
        self._extremes = Extremes(scenario.space.count)
        self._joules = 2 ** power_scale_k(scenario.node, scenario.step_ms) / 1000

    def _ask_users(self) -> None:
        scenario = self.scenario
        for number, work in enumerate(scenario.workload):
            if isinstance(work, Inference):
                for query in queries(
                    work,
                    self.users,
                    scenario.epoch,
                    float(scenario.length_s),
                    len(self._payload.images),
                    scenario.users.night_share,
                    (scenario.seed, 1, number),
                    len(self.ledger.accounts),
                ):
                    self.ledger.add(query, self._payload.label(query.image))
        asked = sorted(self.ledger.accounts, key=lambda one: (one.query.sent_us, one.query.job))
        self._asking = asked[::-1]  # the next one last

    # --- time

    async def fly(self, progress: Progress) -> Figures:
        """All slots; the closing figures. What stops it (parity, a lost board) leaves the record as it stands."""
        scenario = self.scenario
        self.pings = [fly_pings(work, scenario) for work in scenario.workload if isinstance(work, Ping)]
        try:
            self._record.values("run", {"lasers": self.planned.tolist()})
            for node, flyer in enumerate(self._flyers):
                await flyer.begin(0, scenario.age_days)
                record_state(self._record, node, flyer.twin)
            progress(0.0, self.status())
            for start_us, end_us in bounds_us(scenario.epoch, scenario.length_s):
                await self._fly_slot(start_us, end_us)
                self._record.commit_when_due()
                progress(end_us / 1e6, self.status())
        finally:
            if self._slot:
                self._queries.look(self._slot.end_us)
            self._queries.stop()
            if self.injected.wire:
                self._record.values("wall", {"wire_faults": self.injected.wire})
        return self._figures()

    async def _fly_slot(self, start_us: int, end_us: int) -> None:
        self._go_out(self._schedule.at(start_us / 1e6))
        also = {*self.flow.places(), *(wave.coordinator for wave in self.waves)}
        slot = self._slot = self._maker.make(start_us, end_us, self._out, also)
        self._known = known_nodes(self.scenario, self.nodes, self.twins(), self._out.satellites)
        for radio in self._radios:
            radio.enter(slot, radio.number in self._out.satellites)
        self.flow.begin(slot)
        for wave in self.waves:
            for parcel in wave.begin(start_us, self.ledger, self._payload, self.scenario.seed):
                self.flow.offer(slot, parcel)
        self._ask(slot)
        answers = await self._advance(end_us)
        for answer in sorted(answers, key=lambda one: (one.time_us, one.satellite, one.account.query.job)):
            self._send_down(slot, answer)
        self._extremes.look(self.nodes)
        self.slots += 1
        self._queries.look(end_us)
        record_slot(self._record, slot, self._out, self)

    def _go_out(self, out: Out) -> None:
        for satellite in sorted(out.failed - self._out.failed):
            self.flow.lose_at(satellite, NODE_FAILED)
            for account in self.nodes.lose(satellite):
                failed(account, NODE_FAILED)
        self._out = out
        self.nodes.out_of_service(out.satellites)

    def _ask(self, slot: Slot) -> None:
        # Who found no turn asks again first.
        late = []
        while self._asking and self._asking[-1].query.sent_us < slot.end_us:
            account = self._asking.pop()
            if not self.flow.ask(slot, account, self._payload.query_bytes):
                late.append(account)
        self._asking += late[::-1]

    async def _advance(self, until_us: int) -> list[Answer]:
        # An idle board steps when a query reaches it, and now and then: nobody waits for what it says meanwhile.
        active = [
            node
            for node, board in enumerate(self.satellites)
            if board.held() or until_us - board.now_us >= _IDLE_US or until_us == self._end_us
        ]
        said = asyncio.ensure_future(gather([self.satellites[node].advance(until_us) for node in active]))
        await asyncio.sleep(0)  # the boards step while the simulated nodes do
        try:
            finished = self.nodes.advance(until_us)
        except BaseException:
            said.cancel()
            raise
        answers = [answer for one in finished for answer in self._ended(one)]
        for node, packets in zip(active, await said, strict=True):
            answers += [answer for packet in packets for answer in self._heard(node, packet)]
            answers += self._lost(node)
        return answers

    # --- queries

    def _choose(self, account: Account, satellite: int) -> int:
        assert self._slot is not None and self._known is not None
        return self._placement.choose(self._known, self._slot.lane_km(satellite))

    def _arrive(self, time_us: int, parcel: Parcel) -> None:
        if parcel.kind == "gradient":
            for wave in self.waves:
                wave.arrived(parcel, time_us)
            return
        for account in parcel.jobs or (parcel.account,):
            account.spend(MESH, time_us)
            self._reach(time_us, parcel.to, account)

    def _reach(self, time_us: int, satellite: int, account: Account) -> None:
        if satellite in self._boards:
            data = self._payload.images[account.query.image].tobytes()
            self._boards[satellite].ask(time_us, account, self._payload.model.model_id, data)
        else:
            self.nodes.arrive(time_us, satellite, account)

    def _ended(self, one: Finished) -> Iterable[Answer]:
        account = one.account
        if one.code != d.OK:
            failed(account, cause_of(one.code))
        else:
            account.guess = guess_of(
                self._payload.answer(self._payload.images[account.query.image].tobytes())
            )
        yield Answer(one.time_us, one.satellite, account, self._payload.result_bytes)

    def _heard(self, node: int, said: Said) -> Iterable[Answer]:
        packet, satellite = said.packet, self.satellites[node]
        fields = json.dumps(packet.fields, sort_keys=True)
        self._record.numbered(
            "telemetry", node, said.sent_us, packet.time_us, packet.name, fields, packet.data, said.raw
        )
        account = satellite.refused(packet)
        if account is not None:
            failed(account, cause_of(packet.fields["code"]))
            yield Answer(said.sent_us, satellite.number, account, said.size)
        account = satellite.result_of(packet)
        if account is not None:
            self._result(account, said)
            yield Answer(said.sent_us, satellite.number, account, said.size)

    def _lost(self, node: int) -> Iterable[Answer]:
        satellite = self.satellites[node]
        for account in satellite.lost():
            failed(account, RESTARTED)
            yield Answer(satellite.now_us, satellite.number, account, 0)

    def _result(self, account: Account, said: Said) -> None:
        fields = said.packet.fields
        if fields["code"]:
            failed(account, cause_of(fields["code"]))
            return
        account.energy_j = fields["energy"] * self._joules
        account.guess = guess_of(said.packet.data)
        self.proofs.check(said.packet, self._payload.images[account.query.image].tobytes())
        # by the node's clock, which may run away
        made_us = max(min(said.packet.time_us, said.sent_us), account.mark_us)
        computing_us = min(fields["duration"] * 1000, made_us - account.mark_us)
        account.spend(QUEUE, made_us - computing_us)
        account.spend(COMPUTE, made_us)
        account.spend(WAIT, said.sent_us)

    def _send_down(self, slot: Slot, answer: Answer) -> None:
        account = answer.account
        if account.query.kind == "training":
            for wave in self.waves:
                gradient = wave.ended(account, answer.time_us)
                if gradient:
                    self.flow.offer(slot, gradient)
        elif account.open:
            parcel = Parcel("answer", account, answer.size, answer.satellite, ANYWHERE, answer.time_us)
            self.flow.offer(slot, parcel)

    # --- what is told

    def twins(self) -> dict[int, Flyer]:
        """Boards with their twins, by satellite."""
        return {
            satellite.number: flyer for satellite, flyer in zip(self.satellites, self._flyers, strict=True)
        }

    def status(self) -> list[Status]:
        """Every board, as its twin knows it (board and twin agree, or the run has stopped)."""
        return [status_of(flyer) for flyer in self._flyers]

    def held(self) -> list[Account]:
        """The queries that are neither answered nor lost, found where they wait."""
        waiting = [parcel for queue in self.flow.waiting.values() for parcel in queue]
        carried = [account for parcel in waiting for account in (parcel.jobs or (parcel.account,))]
        boards = [account for satellite in self.satellites for account in satellite.held()]
        shards = [account for wave in self.waves for account in wave.held()]
        everywhere = (*self._asking, *carried, *self.nodes.held(), *boards, *shards)
        return [one for one in everywhere if one.open]

    def _figures(self) -> Figures:
        record_nodes(self._record, self, self._extremes)
        closing = figures(self, self._flyers, self._extremes)
        self._queries.ended()
        record_measurements(self._record, closing)
        return closing


async def gather(work: Sequence[Coroutine[None, None, list[Said]]]) -> list[list[Said]]:
    """All at once; the first failure cancels the others and is raised alone."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
