"""Flies a node through a schedule of faults: stands between a run and its flyer, and steps as a flyer does.

What is an input of the board (radio, light, lock, sensors, time) is changed before it goes up, and a twin sees that.
An upset is kept from the twin: the difference that follows is expected, told, and ended by the twin's taking over the
board's state. A reset or a cut ends an exchange at its time; the plant goes on, and the run when power is back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ascnode.errors import BoardError
from ascnode.faults.armed import Armed, us
from ascnode.faults.board import Control
from ascnode.faults.clock import Drift
from ascnode.faults.inputs import Inputs
from ascnode.faults.log import Log
from ascnode.faults.noise import Noise
from ascnode.faults.plan import Item, Plan, nothing
from ascnode.faults.radio import Downlink, Noises, fate
from ascnode.faults.rig import unsupported
from ascnode.faults.schedule import Board, Clock, Listener, Radio, Schedule, Sensor, Sky, Upset, Wire
from ascnode.faults.upsets import Upsets, times_us
from ascnode.faults.wire import FaultyLine
from ascnode.session import messages
from ascnode.session.messages import Done, Event
from ascnode.twin.hosted import Around, Flown, HostedPlant, plant_of
from ascnode.twin.pair import Pair
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant.model import Plant
from ascnode_fw.wire import dictionary as d

_CAUSES = {name: number for number, name in enumerate(d.RESET_CAUSES)}
_CAUSE = {"power_cut": "power cut", "brown_out": "power cut", "reset": "reset", "watchdog": "watchdog"}
_RESETS = ("reset", "watchdog")  # which take no power away
_CUT = Noise(effect="cut")

Rebooted = Callable[[int, int], None]
"""Told of the time, and of the last telecommand sequence number that the node holds for used."""


@dataclass
class Outage:
    """The board is away until then, and comes back with that cause."""

    until_us: int
    cause: int
    reset_only: bool
    fresh: bool = True


class Injector(Around):
    """A flyer under a schedule. `line` is the cable when there is one, `control` the board's switch and reset.

    `listener` is told of every injection, `rebooted` of every return after a reset.
    """

    def __init__(
        self,
        flyer: Flown | HostedPlant,
        schedule: Schedule,
        control_us: int,
        listener: Listener | None = None,
        line: FaultyLine | None = None,
        control: Control | None = None,
    ) -> None:
        self.flyer = flyer
        self.rebooted: Rebooted | None = None
        self._control_us = control_us
        self._line = line
        self._control = control
        self._armed = [
            Armed(number, one, schedule.seed_of(number)) for number, one in schedule.of_node(flyer.name)
        ]
        self._log = Log(flyer, listener)
        self._drift = Drift(one.fault for one in self._armed if isinstance(one.fault, Clock))
        self._inputs = Inputs(self._log, control_us, self._sky_acts)
        hosted = isinstance(flyer, HostedPlant)
        inner = flyer.flyer if isinstance(flyer, HostedPlant) else flyer
        self._pair = inner if isinstance(inner, Pair) else None
        self._upsets = Upsets(self._log, self._drift, self._pair, hosted)
        self._downlink = Downlink()
        self._packets_up = 0
        self._waiting: list[Item] = []
        self._acted: set[int] = set()
        self._outage: Outage | None = None
        self._write_cut: Board | None = None
        if line:
            line.injected = lambda way, effect, what: self._log.tell("wire", way, f"{effect}: {what}")

    # --- as a flyer

    @property
    def plant(self) -> Plant:
        """The flyer's, wherever it runs."""
        return plant_of(self.flyer)

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts afresh at a time."""
        self._log.now_us = now_us
        await self.flyer.begin(self._drift.board_us(now_us), age_days, cause, boots)

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time, and ends early where a fault begins or ends."""
        starting = [] if self._outage else self._look()
        if self._outage:
            return await self._without_power(until_us, events)
        plan = self._plan(until_us, events, starting)
        sent = [self._drift.going_up(item.event) for item in plan.items]
        try:
            done = await self.flyer.exchange(self._drift.board_us(plan.horizon_us), sent, stop_on_custody)
        except BoardError:
            if not self._write_cut:
                raise
            return await self._died(self._write_cut, until_us, events)
        return self._after(plan, self._drift.coming_down(done))

    def unsupported(self) -> list[str]:
        """What of the schedule this rig cannot inject, in words: tests that need it are blocked."""
        have = self._control.capabilities if self._control else frozenset[str]()
        faults = [(armed.number, armed.fault) for armed in self._armed]
        return unsupported(faults, have, self._line is not None, self._pair is not None)

    # --- what begins and ends now

    def _look(self) -> list[Item]:
        # Events that go up first, since faults begin or end here.
        items: list[Item] = []
        for armed in self._armed:
            one = armed.fault
            acts = armed.look(self._log.now_us, self.twin, self.plant)
            if isinstance(one, Upset):
                items += self._upsets.due(armed, one)
            elif acts != (armed.number in self._acted):
                self._acted ^= {armed.number}
                items += self._switched(armed, acts)
            if acts and isinstance(one, Sensor) and one.effect == "noisy":
                items += self._inputs.noise(armed, one)
        return items

    def _switched(self, armed: Armed, acts: bool) -> list[Item]:
        one = armed.fault
        if isinstance(one, Sensor):
            self._waiting = self._inputs.without_noise(armed, one, self._waiting)
            return self._inputs.sensor(one, acts)
        if isinstance(one, Sky):
            return self._inputs.sky(one, acts)
        if isinstance(one, Wire):
            self._rewire(one, acts)
        elif isinstance(one, Clock):
            self._log.tell("clock", "flight", f"{one.ppm:+g} ppm")
        elif isinstance(one, Board) and acts:
            self._strike(armed, one)
        return []

    def _rewire(self, one: Wire, acts: bool) -> None:
        if self._line is None:
            return
        if one.effect != "stall":
            wires = [a.fault for a in self._armed if isinstance(a.fault, Wire) and a.acts]
            self._line.obey([wire for wire in wires if wire.effect != "stall"])
        elif acts:
            self._line.stall(one.stall_s)

    def _strike(self, armed: Armed, one: Board) -> None:
        armed.spent = True
        if self._control is None:
            return
        if one.write is None:
            self._lose(one, f"off for {one.off_s:g} s" if one.off_s else "")
        else:
            self._write_cut = one
            self._control.cut_at_write(one.write, one.halves)

    def _sky_acts(self, effect: str) -> bool:
        return any(a.acts and isinstance(a.fault, Sky) and a.fault.effect == effect for a in self._armed)

    def _noises(self, way: str) -> Noises:
        radios = [(a.seed, a.fault) for a in self._armed if isinstance(a.fault, Radio) and a.acts]
        noises: list[tuple[int, Noise]] = [(seed, one) for seed, one in radios if one.way in (way, "both")]
        return [*noises, (0, _CUT)] if self._sky_acts("gateway") else noises

    # --- an exchange

    def _horizon(self, until_us: int) -> int:
        # No further than the next time at which a fault has to be looked at.
        now_us = self._log.now_us
        edges = [until_us]
        for armed in self._armed:
            edges.append(armed.edge_us(now_us, self._control_us))
            one = armed.fault
            if isinstance(one, Upset) and not one.watched:
                edges += [time for time in times_us(one, armed.seed) if time > now_us]
            elif isinstance(one, Sensor) and one.effect == "noisy" and armed.acts:
                edges.append(self._inputs.noisy_until_us(armed))
        if self._write_cut or self._upsets.fresh:
            edges.append(now_us + self._control_us)
        return min(edges)

    def _plan(self, until_us: int, events: Sequence[Event], starting: list[Item]) -> Plan:
        now_us = self._log.now_us
        plan = Plan(now_us, self._horizon(until_us), events, [*starting, *self._waiting])
        plan.flush(now_us)
        number = self._packets_up
        for i, event in enumerate(events):
            if event.time_us >= plan.horizon_us:
                break
            number += event.kind == link.PACKET
            if not plan.add(*self._upward(i, number, events)):
                break
        plan.finish()
        return plan

    def _upward(self, given: int, number: int, events: Sequence[Event]) -> tuple[Item, list[Item]]:
        # What goes up in the place of a given event, and what later.
        event = events[given]
        noises = self._noises("up")
        if event.kind != link.PACKET or not noises:
            return Item(self._inputs.through(event), given=given), []
        next_us = next((one.time_us for one in events[given + 1 :] if one.kind == link.PACKET), None)
        one = fate(noises, "up", number, event.time_us, event.data, next_us)
        if not one.effects:
            return Item(event, given=given), []
        told = tuple(self._log.injection("radio", "up", effect, event.time_us) for effect in one.effects)
        copies = [Item(messages.packet(at, data), parent=given) for at, data in one.arrivals]
        return Item(nothing(event.time_us), given=given, told=told), copies

    def _after(self, plan: Plan, done: Done) -> Done:
        gone = [injection for item in plan.items[: done.applied] for injection in item.told]
        for injection in gone + self._upsets.over():
            self._log.report(injection)
        applied = plan.applied(done.applied)
        for event in plan.given[:applied]:
            self._packets_up += event.kind == link.PACKET
            self._inputs.note(event)
        self._waiting = plan.left(done.applied)
        self._log.now_us = max(done.now_us, self._log.now_us)
        if done.stop == link.RECOVERED:
            self._restarted("a period failed")
        heard, hits = self._downlink.heard(done.outputs, self._noises("down"), self._log.now_us)
        for time_us, effect in hits:
            self._log.tell("radio", "down", effect, time_us)
        return replace(done, applied=applied, outputs=tuple(heard))

    # --- without power

    def _lose(self, one: Board, detail: str) -> None:
        self._log.tell("board", one.effect, detail)
        back_us = self._log.now_us + us(one.off_s)
        self._outage = Outage(back_us, _CAUSES[_CAUSE[one.effect]], one.effect in _RESETS)

    async def _died(self, one: Board, until_us: int, events: Sequence[Event]) -> Done:
        # In the exchange that met the write: it has not happened, and its events meet a dead board.
        self._write_cut = None
        self._upsets.over()
        self._lose(one, f"at flash write {one.write}")
        return await self._without_power(until_us, events)

    async def _without_power(self, until_us: int, events: Sequence[Event]) -> Done:
        outage, now_us = self._outage, self._log.now_us
        assert outage and self._control  # _lose has made one, and the other is needed for that
        if outage.fresh and not outage.reset_only:
            await self._control.off()
        outage.fresh = False
        to_us = max(now_us, min(until_us, outage.until_us))
        missed = [event for event in events if event.time_us < to_us]
        self.flyer.coast(now_us, to_us, [self._inputs.through(event) for event in missed])
        for event in missed:
            self._miss(event)
        self._log.now_us = to_us
        if to_us == outage.until_us:
            self._outage = None
            await self._return(outage)
        return Done(0, link.REACHED, 0, len(missed), to_us, 0, 0, 0, 0, ())

    def _miss(self, event: Event) -> None:
        self._inputs.note(event)
        if event.kind == link.PACKET:
            self._packets_up += 1
            self._log.tell("board", "off", "a packet met no board", event.time_us)

    async def _return(self, outage: Outage) -> None:
        assert self._control  # as above
        boots = (self.twin.node.computer.f[f_.BOOTS] + 1) & 0xFFFF
        back = self._control.reset if outage.reset_only else self._control.on
        await back(self._drift.board_us(self._log.now_us), outage.cause, boots)
        # What was still on its way to the radio found none.
        self._waiting = [item for item in self._waiting if item.event.kind != link.PACKET]
        self._restarted(f"{d.RESET_CAUSES[outage.cause]}, boot {boots}")

    def _restarted(self, why: str) -> None:
        # Memory is lost: the radio has to be told of its lock again, and the ground of what it can go on from.
        self._waiting += self._inputs.lock_again()
        self._log.tell("board", "boot", why)
        if self.rebooted:
            self.rebooted(self._log.now_us, self.twin.last_sequence)
