"""A roll-out over a scenario's boards: canaries first, the others when those are well."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ascnode.boards.interpreter import Interpreter
from ascnode.faults.injector import Injector
from ascnode.push.health import Health, measure
from ascnode.push.package import Package
from ascnode.push.pusher import IN_USE, ROLLED_BACK, Outcome, Pusher
from ascnode.push.restarting import Restarting
from ascnode.push.uplink import NoContactError, Uplink
from ascnode.record.database import Record
from ascnode.scenario.board import board_satellite, contacts
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import Payload
from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slots import gateways_of, users_of
from ascnode.session import messages
from ascnode_fw.wire import dictionary as d

NOT_TRIED = "not tried"
_LIGHT_US = 5_000  # [A] from a satellite in low orbit to the ground, about 1,500 km

Progress = Callable[[str, int, int], None]
"""Told of a node's name, and of how many chunks it has, of how many."""


@dataclass(frozen=True)
class Plan:
    """What goes where. `nodes`: numbers of the scenario's boards, canaries first, `canary` of them; `queries` that each
    canary answers before and after; `flash` is where the boards' flash is kept."""

    scenario: Scenario
    payload: Payload
    package: Package
    nodes: tuple[int, ...]
    flash: Path
    interpreter: Interpreter | None
    canary: int = 0
    queries: int = 50
    tolerance: float = 0.02
    boots: int = 3
    trial_s: int = 7200


@dataclass
class Result:
    """What came of it, node by node; `stopped` says why the roll-out was, "" when it was not."""

    outcomes: list[Outcome]
    stopped: str = ""


async def roll_out(plan: Plan, record: Record, progress: Progress) -> Result:
    """Flies the scenario's boards until each has the package, or the flight is over."""
    async with Hangar(plan.scenario, plan.payload, plan.interpreter, record, plan.flash) as hangar:
        uplinks = {}
        for node in plan.nodes:
            board = hangar.boards[node] if hangar.boards else None
            flyer = Restarting(hangar.flyers[node], board)
            uplinks[node] = _uplink(plan.scenario, node, flyer)
            await flyer.begin(0, plan.scenario.age_days)
        return await _Campaign(plan, uplinks, progress).run()


class _Campaign:
    def __init__(self, plan: Plan, uplinks: dict[int, Uplink], progress: Progress) -> None:
        self._plan = plan
        self._uplinks = uplinks
        self._progress = progress

    async def run(self) -> Result:
        plan = self._plan
        canaries, others = plan.nodes[: plan.canary], plan.nodes[plan.canary :]
        result = Result([])
        for node in canaries:
            outcome, worse = await self._canary(node)
            result.outcomes.append(outcome)
            result.stopped = result.stopped or worse
        if result.stopped:
            names = [self._uplinks[node].satellite.name for node in others]
            result.outcomes += [Outcome(name, state=NOT_TRIED) for name in names]
            return result
        result.outcomes += await _all([self._push(node) for node in others])
        return result

    async def _push(self, node: int) -> Outcome:
        plan, uplink = self._plan, self._uplinks[node]
        key = bench_key(plan.scenario.seed, node)
        pusher = Pusher(uplink, plan.package, key, BENCH_KEY_INDEX, plan.boots, plan.trial_s)
        name = uplink.satellite.name
        return await pusher.push(lambda have, of: self._progress(name, have, of))

    async def _canary(self, node: int) -> tuple[Outcome, str]:
        # What came of it, and why the roll-out has to stop.
        uplink = self._uplinks[node]
        name = uplink.satellite.name
        try:
            before = await self._health(uplink)
        except NoContactError as error:
            return Outcome(name, why=str(error)), str(error)
        outcome = await self._push(node)
        if outcome.state != IN_USE:
            return outcome, f"canary {name}: {outcome.state}, {outcome.why}"
        try:
            worse = (await self._health(uplink)).worse_than(before, self._plan.tolerance)
        except NoContactError as error:
            return outcome, str(error)
        if worse:
            await self._take_back(uplink, outcome)
            outcome.why = worse
        return outcome, f"canary {name}: {worse}" if worse else ""

    async def _health(self, uplink: Uplink) -> Health:
        rng = np.random.default_rng((self._plan.scenario.seed, 0xCA))
        images = rng.choice(len(self._plan.payload.images), self._plan.queries)
        return await measure(uplink, self._plan.payload, [int(image) for image in images])

    async def _take_back(self, uplink: Uplink, outcome: Outcome) -> None:
        # A model; a firmware is confirmed by then, and the one before it has to be pushed.
        if self._plan.package.kind != d.UPDATE_MODEL:
            return
        code, _ = await uplink.ask("update_revert", d.UPDATE_MODEL)
        await uplink.wait(60)
        if not code:
            outcome.state = ROLLED_BACK
            outcome.new = f"{(await uplink.status()).fields['model']:08x}"


def _uplink(scenario: Scenario, node: int, flyer: Restarting) -> Uplink:
    stations = [*users_of(scenario), *gateways_of(scenario)]
    satellite = board_satellite(scenario, node, flyer, stations)
    windows = contacts(scenario, satellite.number, stations)
    for start_s, end_s in windows:
        for at_s, locked in ((start_s, True), (end_s, False)):
            satellite.add(round(at_s * 1e6), messages.radio_lock(round(at_s * 1e6), locked))

    def rebooted(now_us: int, sequence: int) -> None:
        locked = any(start_s * 1e6 <= now_us < end_s * 1e6 for start_s, end_s in windows)
        satellite.rebooted(now_us, sequence)
        satellite.add(now_us, messages.radio_lock(now_us, locked))

    flyer.rebooted = rebooted
    if isinstance(flyer.flyer, Injector):
        flyer.flyer.rebooted = satellite.rebooted
        satellite.faulty = True
    satellite.taken = lambda sent_us: sent_us + _LIGHT_US
    rate_bps = d.PARAMETERS[d.P_RADIO_BPS][2]  # up as fast as down
    return Uplink(satellite, windows, float(scenario.length_s), rate_bps, scenario.step_ms)


async def _all(work: Sequence[Coroutine[None, None, Outcome]]) -> list[Outcome]:
    # All at once; the first failure cancels the others.
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
