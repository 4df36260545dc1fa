"""Flies a scenario: boards with their twins, under one sky, over its users, in lockstep rounds."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ascnode.models.digits import Digits
from ascnode.record.database import Record
from ascnode.scenario.figures import BoardFigures, Figures, figures
from ascnode.scenario.ground import Ground
from ascnode.scenario.hardware import power_scale_k
from ascnode.scenario.ledger import Ledger
from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key
from ascnode.scenario.satellite import Observer, Satellite, Stepper
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.traffic import queries
from ascnode.session import messages, telemetry
from ascnode.session.commanding import Commander
from ascnode.sky.cities import load_cities
from ascnode.sky.environment import environment_events
from ascnode.sky.passes import passes
from ascnode.sky.plans import eclipse_plan
from ascnode.twin.twin import Twin
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d

_ENVIRONMENT_S = 30.0  # how often the light on the plant is looked at outside the penumbra
_LOOK_AHEAD_S = 6000.0  # plans reach past the end of the run, as a real node's would


class Flyer(Stepper, Protocol):
    """A board with its twin, or a twin alone, as a run steps it."""

    name: str
    twin: Twin
    steps: int
    exchanges: int
    mismatches: int

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts afresh at a time."""


@dataclass(frozen=True)
class Status:
    """One board as the display shows it."""

    name: str
    mode: str
    charge: float
    accelerator_c: float
    radiator_c: float
    operating_point: int
    jobs: int
    packets: int
    contact: bool
    sunlit: bool
    jobs_done: int


Progress = Callable[[float, Sequence[Status]], None]
"""Told of the simulated time (s) and of every board after each round."""


def ground_of(scenario: Scenario, plane: int, slot: int) -> Ground:
    """Passes of one satellite over all cities."""
    orbit = scenario.shell.orbit(plane, slot)
    seen = passes(
        orbit,
        load_cities(),
        scenario.epoch,
        0.0,
        float(scenario.duration_s),
        scenario.users.min_elevation_deg,
    )
    return Ground(orbit, scenario.epoch, seen)


class Run:
    """One flight of a scenario. `flyers` come from a hangar, in the order of the scenario's boards."""

    def __init__(
        self,
        scenario: Scenario,
        flyers: Sequence[Flyer],
        digits: Digits,
        model_id: int,
        kind: str,
        record: Record,
    ) -> None:
        self.scenario = scenario
        self.flyers = flyers
        self.kind = kind
        self._record = record
        self._digits = digits
        grounds = [ground_of(scenario, *place) for place in scenario.shell.boards]
        sent = queries(scenario, [ground.passes for ground in grounds], len(digits.test_images))
        self.ledger = Ledger(sent, [int(label) for label in digits.test_labels])
        self.satellites = [self._satellite(i, ground) for i, ground in enumerate(grounds)]
        for query in sent:
            self.satellites[query.board].ask(query, model_id, digits.test_images[query.image])

    def _satellite(self, node: int, ground: Ground) -> Satellite:
        scenario = self.scenario
        commander = Commander(bench_key(scenario.seed, node), BENCH_KEY_INDEX)
        power_scale = power_scale_k(scenario.node, scenario.step_ms)
        satellite = Satellite(
            self.flyers[node].name, self.flyers[node], commander, ground, self.ledger, power_scale
        )
        satellite.observer = self._observer(node)
        end_s = float(scenario.duration_s)
        for sample in environment_events(
            ground.orbit, scenario.epoch, 0.0, end_s, _ENVIRONMENT_S, scenario.radiator_face
        ):
            time_us = round(sample.t_s * 1e6)
            satellite.add(time_us, messages.environment(time_us, *sample[1:]))
        satellite.plan(d.PLAN_CONTACTS, ground.contacts())
        satellite.plan(
            d.PLAN_ECLIPSES, eclipse_plan(ground.orbit, scenario.epoch, 0.0, end_s + _LOOK_AHEAD_S)
        )
        satellite.lock()
        return satellite

    def _observer(self, node: int) -> Observer:
        def heard(heard_us: int, packet: telemetry.Packet) -> None:
            fields = json.dumps(packet.fields, sort_keys=True)
            self._record.numbered(
                "telemetry", node, heard_us, packet.time_us, packet.name, fields, packet.data
            )

        return heard

    async def fly(self, progress: Progress) -> Figures:
        """All rounds; the closing figures. What stops it (parity, a lost board) leaves the record as it stands."""
        scenario = self.scenario
        try:
            for flyer in self.flyers:
                await flyer.begin(0, scenario.age_days)
            progress(0.0, self.status())
            now_s = 0
            while now_s < scenario.duration_s:
                now_s = min(now_s + scenario.round_s, scenario.duration_s)
                await gather(satellite.advance(now_s * 1_000_000) for satellite in self.satellites)
                self._record.commit_when_due()
                progress(float(now_s), self.status())
        finally:
            self._record_queries()
        return self._figures()

    def _figures(self) -> Figures:
        boards = [self._board_figures(flyer) for flyer in self.flyers]
        mismatches = sum(flyer.mismatches for flyer in self.flyers)
        return figures(self.ledger, boards, float(self.scenario.duration_s), mismatches, self.kind)

    def _board_figures(self, flyer: Flyer) -> BoardFigures:
        f = flyer.twin.node.computer.f
        period_s = flyer.twin.node.params.get(d.P_CONTROL_MS) / 1000
        scale = 2 ** power_scale_k(self.scenario.node, self.scenario.step_ms)
        return BoardFigures(
            name=flyer.name,
            steps=flyer.steps,
            exchanges=flyer.exchanges,
            jobs_done=f[f_.JOBS_DONE],
            mode_minutes={
                mode: round(f[f_.MODE_PERIODS + i] * period_s / 60, 2) for i, mode in enumerate(d.MODES)
            },
            throttled_s=round(f[f_.THROTTLED] * period_s, 3),
            job_energy_j=round((f[f_.JOB_J] + f[f_.JOB_MJ] / 1000) * scale, 3),
        )

    def _record_queries(self) -> None:
        for account in self.ledger.accounts:
            query = account.query
            answer = (
                (account.answered_us, account.guess, account.energy_j)
                if account.answered_us >= 0
                else (None,) * 3
            )
            self._record.add(
                "queries",
                *(query.job, query.board, query.city, query.image, account.label, query.priority),
                *(query.sent_us, query.deadline_s, *answer, account.cause),
            )

    def status(self) -> list[Status]:
        """Every board, as its twin knows it (board and twin agree, or the run has stopped)."""
        return [_status(flyer) for flyer in self.flyers]


def _status(flyer: Flyer) -> Status:
    node = flyer.twin.node
    f = node.computer.f
    return Status(
        name=flyer.name,
        mode=d.MODES[f[f_.MODE]],
        charge=f[f_.SOC] / 1000,
        accelerator_c=f[f_.ACCELERATOR_CK] / 100 - 273.15,
        radiator_c=f[f_.RADIATOR_CK] / 100 - 273.15,
        operating_point=f[f_.OP],
        jobs=node.computer.tasks.held(),
        packets=node.computer.links.held(),
        contact=bool(f[f_.CONTACT]),
        sunlit=node.plant.state[p_.ILLUMINATION] > 512,
        jobs_done=f[f_.JOBS_DONE],
    )


async def gather(work: Iterable[Coroutine[None, None, None]]) -> None:
    """All at once; the first failure cancels the others and is raised alone."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
