"""Flies a node through a schedule of faults: stands between a run and its flyer, and steps as a flyer does.

What is an input of the board (radio, light, lock, sensors, time) is changed before it goes up, and a twin sees that.
An upset is kept from the twin: the difference that follows is expected, told, and ended by the twin's taking over the
board's state. A reset or a cut ends an exchange at its time; the plant goes on, and the run when power is back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ascnode.errors import BoardError
from ascnode.faults.armed import Armed, mode_of, us
from ascnode.faults.board import Control
from ascnode.faults.noise import Noise, generator
from ascnode.faults.plan import Item, Plan, nothing
from ascnode.faults.radio import Downlink, Noises, fate
from ascnode.faults.schedule import (
    SENSOR_NAMES,
    Board,
    Clock,
    Injection,
    Listener,
    Radio,
    Schedule,
    Sensor,
    Sky,
    Upset,
    Wire,
)
from ascnode.faults.upsets import hit, times_us
from ascnode.faults.wire import FaultyLine
from ascnode.session import messages
from ascnode.session.messages import Done, Event
from ascnode.twin.hosted import Flown, HostedPlant
from ascnode.twin.pair import Difference, Pair
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

_CAUSES = {name: number for number, name in enumerate(d.RESET_CAUSES)}
_CAUSE = {"power_cut": "power cut", "brown_out": "power cut", "reset": "reset", "watchdog": "watchdog"}
_NOISY_PERIODS = 32  # of sensor noise that go up at a time
_WHOLE = 0xFFF
_CUT = Noise(effect="cut")

Rebooted = Callable[[int, int], None]
"""Told of the time, and of the last telecommand sequence number that the node holds for used."""


@dataclass
class Outage:
    """The board is off until then, and comes back with that cause."""

    until_us: int
    cause: int
    reset_only: bool


class Injector:
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
        self._listener = listener
        self._line = line
        self._control = control
        self._armed = [
            Armed(number, one, schedule.seed_of(number)) for number, one in schedule.of_node(flyer.name)
        ]
        inner = flyer.flyer if isinstance(flyer, HostedPlant) else flyer
        self._pair = inner if isinstance(inner, Pair) else None
        self._now_us = 0
        self._waiting: list[Item] = []
        self._downlink = Downlink()
        self._packets_up = 0
        self._light: Event | None = None
        self._lock: Event | None = None
        self._acted: set[int] = set()
        self._hits: dict[int, int] = {}
        self._noisy_until: dict[int, int] = {}
        self._suspects: list[str] = []
        self._found: list[Injection] = []
        self._upset_now = False
        self._outage: Outage | None = None
        self._outage_fresh = False
        self._write_cut: Armed | None = None
        if line:
            line.injected = lambda way, effect, what: self._tell("wire", way, f"{effect}: {what}")

    # --- as a flyer

    @property
    def name(self) -> str:
        """The flyer's."""
        return self.flyer.name

    @property
    def twin(self) -> Twin:
        """The flyer's."""
        return self.flyer.twin

    @property
    def steps(self) -> int:
        """Control periods so far."""
        return self.flyer.steps

    @property
    def exchanges(self) -> int:
        """Exchanges so far."""
        return self.flyer.exchanges

    @property
    def mismatches(self) -> int:
        """Exchanges in which board and twin differed and should not have."""
        return self.flyer.mismatches

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts afresh at a time."""
        self._now_us = now_us
        await self.flyer.begin(self._board_us(now_us), age_days, cause, boots)

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time, and ends early where a fault begins or ends."""
        if self._outage:
            return await self._without_power(until_us, events)
        starting = self._look()
        if self._outage:
            return await self._without_power(until_us, events)
        plan = self._plan(until_us, events, starting)
        sent = [self._as_the_board_sees(item.event) for item in plan.items]
        try:
            done = await self.flyer.exchange(self._board_us(plan.horizon_us), sent, stop_on_custody)
        except BoardError:
            if not self._write_cut:
                raise
            return await self._died(until_us, events)
        return self._after(plan, done)

    def unsupported(self) -> list[str]:
        """What of the schedule this rig cannot inject, in words: tests that need it are blocked."""
        have = self._control.capabilities if self._control else frozenset[str]()
        out = []
        for armed in self._armed:
            one = armed.fault
            if isinstance(one, Wire) and self._line is None:
                out.append(f"fault[{armed.number}]: there is no cable to this node")
            elif isinstance(one, Board):
                needs = {"reset": "reset", "watchdog": "reset"}.get(one.effect, "power")
                needs = "write" if one.write is not None else needs
                if needs not in have:
                    out.append(f"fault[{armed.number}]: nothing here can do a {one.effect} ({needs})")
            elif isinstance(one, Upset) and one.target == "model" and self._pair is None:
                out.append(
                    f"fault[{armed.number}]: a twin alone runs the host's model, not one in its memory"
                )
        return out

    # --- what begins and ends now

    def _look(self) -> list[Item]:
        # Events that go up first, since faults begin or end here.
        items: list[Item] = []
        self._upset_now = False
        for armed in self._armed:
            acts = armed.look(self._now_us, self.twin)
            if isinstance(armed.fault, Upset):
                items += self._upsets(armed, armed.fault)
            elif isinstance(armed.fault, Board):
                self._board(armed, armed.fault)
            elif acts != (armed.number in self._acted):
                self._acted ^= {armed.number}
                items += self._switched(armed, acts)
            if acts and isinstance(armed.fault, Sensor) and armed.fault.effect == "noisy":
                items += self._noise(armed, armed.fault)
        return items

    def _switched(self, armed: Armed, acts: bool) -> list[Item]:
        one = armed.fault
        if isinstance(one, Wire):
            self._rewire(one, acts)
        elif isinstance(one, Sensor) and (one.effect == "stuck" or not acts):
            index = SENSOR_NAMES.index(one.sensor)
            self._end_noise(armed, index)
            keep, offset = (0, one.value) if acts else (_WHOLE, 0)
            told = (self._injection("sensor", one.sensor, f"stuck at {one.value}"),) if acts else ()
            return [Item(messages.sensor_fault(self._now_us, index, keep, offset), told=told)]
        elif isinstance(one, Sky):
            return self._sky(one.effect, acts)
        elif isinstance(one, Clock):
            self._tell("clock", "flight", f"{one.ppm:+g} ppm")
        return []

    def _rewire(self, one: Wire, acts: bool) -> None:
        if self._line is None:
            return
        if one.effect == "stall":
            if acts:
                self._line.stall(one.stall_s)
            return
        active = [
            a.fault for a in self._armed if isinstance(a.fault, Wire) and a.acts and a.fault.effect != "stall"
        ]
        up = [fault.noise() for fault in active if fault.way != "down"]
        down = [fault.noise() for fault in active if fault.way != "up"]
        losses = [fault.losses for fault in active if fault.losses]
        self._line.set(up, down, min(losses) if losses else None)

    def _sky(self, effect: str, acts: bool) -> list[Item]:
        if effect == "gateway":
            self._tell("sky", "gateway", "silent" if acts else "heard again")
            return []
        if effect == "eclipse":
            known = self._light or messages.environment(0, 0, 0, 0, 0)
            event = replace(self._dark(known) if acts else known, time_us=self._now_us)
        else:
            known = self._lock or messages.radio_lock(0, False)
            event = messages.radio_lock(self._now_us, False) if acts else replace(known, time_us=self._now_us)
        return [Item(event, told=(self._injection("sky", effect, "begins" if acts else "ends"),))]

    @staticmethod
    def _dark(event: Event) -> Event:
        # No sunlight, and none that the Earth sends on; attitude stays.
        return Event(event.time_us, event.kind, bytes(2) + event.data[2:6] + bytes(2))

    def _noise(self, armed: Armed, one: Sensor) -> list[Item]:
        # Offsets of the coming periods; each is drawn from the period's own time.
        start_us = max(self._now_us, self._noisy_until.get(armed.number, 0))
        end_us = self._now_us + _NOISY_PERIODS * self._control_us
        self._noisy_until[armed.number] = max(start_us, end_us)
        index = SENSOR_NAMES.index(one.sensor)
        items = []
        for time_us in range(start_us, end_us, self._control_us):
            offset = round(generator(armed.seed, time_us).gauss(0, one.sigma))
            offset = max(-_WHOLE, min(_WHOLE, offset))
            told = (self._injection("sensor", one.sensor, f"noise {offset:+d}", time_us),)
            items.append(Item(messages.sensor_fault(time_us, index, _WHOLE, offset), told=told))
        return items

    def _end_noise(self, armed: Armed, index: int) -> None:
        self._noisy_until.pop(armed.number, None)
        self._waiting = [
            item
            for item in self._waiting
            if item.event.kind != link.SENSOR_FAULT or item.event.data[0] != index
        ]

    def _upsets(self, armed: Armed, one: Upset) -> list[Item]:
        count = self._hits.get(armed.number, 0)
        if one.trigger or one.modes:
            due = count == 0 and armed.acts
        else:
            times = times_us(one, armed.seed)
            due = count < len(times) and times[count] <= self._now_us
        if not due:
            return []
        self._hits[armed.number] = count + 1
        upset = hit(one, armed.seed, count, self.twin, self._now_us)
        self._upset_now = True
        in_host = one.target == "plant" and isinstance(self.flyer, HostedPlant)
        if self._pair and not one.common and not in_host:
            self._pair.hide(self._as_the_board_sees(upset.event))
            self._pair.forgive = self._diverged
            self._suspects.append(one.target)
        return [Item(upset.event, told=(self._injection("upset", one.target, upset.place),))]

    def _diverged(self, difference: Difference | None) -> None:
        # Expected: an upset is in the board alone. Weights stay upset; the rest is the same again from here on.
        detail = str(difference) if difference else "in answers alone"
        self._found.append(self._injection("divergence", ", ".join(self._suspects), detail))
        self._suspects = [target for target in self._suspects if target == "model"]
        if self._pair and not self._suspects:
            self._pair.forgive = None

    def _board(self, armed: Armed, one: Board) -> None:
        if not armed.acts or armed.number in self._acted or self._control is None:
            return
        self._acted.add(armed.number)
        if one.write is not None:
            self._write_cut = armed
            self._control.cut_at_write(one.write, one.halves)
            return
        self._cut(one, "")

    def _cut(self, one: Board, note: str) -> None:
        self._tell("board", one.effect, note or (f"off for {one.off_s:g} s" if one.off_s else ""))
        back_us = self._now_us + us(one.off_s)
        self._outage = Outage(back_us, _CAUSES[_CAUSE[one.effect]], one.effect in ("reset", "watchdog"))
        self._outage_fresh = True

    # --- an exchange

    def _horizon(self, until_us: int) -> int:
        edges = [until_us]
        for armed in self._armed:
            edges.append(armed.edge_us(self._now_us, self._control_us))
            one = armed.fault
            if isinstance(one, Upset) and not one.watched:
                edges += [time for time in times_us(one, armed.seed) if time > self._now_us]
            elif isinstance(one, Sensor) and one.effect == "noisy" and armed.acts:
                edges.append(self._noisy_until[armed.number])
        if self._write_cut or self._upset_now:
            edges.append(self._now_us + self._control_us)
        return min(edges)

    def _plan(self, until_us: int, events: Sequence[Event], starting: list[Item]) -> Plan:
        plan = Plan(self._now_us, self._horizon(until_us), events, [*starting, *self._waiting])
        plan.flush(self._now_us)
        packets = [i for i, event in enumerate(events) if event.kind == link.PACKET]
        number = self._packets_up
        for i, event in enumerate(events):
            if event.time_us >= plan.horizon_us:
                break
            if event.kind == link.PACKET:
                number += 1
                following = next((events[k].time_us for k in packets if k > i), None)
                item, copies = self._uplink(i, number, event, following)
            else:
                item, copies = Item(self._through(event), given=i), []
            if not plan.add(item, copies):
                break
        plan.finish()
        return plan

    def _through(self, event: Event) -> Event:
        # Light and lock as the faults of the sky leave them.
        dark = event.kind == link.ENVIRONMENT and self._sky_acts("eclipse")
        if dark:
            return self._dark(event)
        if event.kind == link.RADIO and self._sky_acts("contact"):
            return messages.radio_lock(event.time_us, False)
        return event

    def _sky_acts(self, effect: str) -> bool:
        return any(a.acts and isinstance(a.fault, Sky) and a.fault.effect == effect for a in self._armed)

    def _noises(self, way: str) -> Noises:
        noises: list[tuple[int, Noise]] = [
            (a.seed, a.fault)
            for a in self._armed
            if isinstance(a.fault, Radio) and a.acts and a.fault.way in (way, "both")
        ]
        if self._sky_acts("gateway"):
            noises.append((0, _CUT))
        return noises

    def _uplink(self, given: int, number: int, event: Event, next_us: int | None) -> tuple[Item, list[Item]]:
        noises = self._noises("up")
        one = fate(noises, "up", number, event.time_us, event.data, next_us) if noises else None
        if one is None or not one.effects:
            return Item(event, given=given), []
        told = tuple(self._injection("radio", "up", effect, event.time_us) for effect in one.effects)
        copies = [Item(messages.packet(at, data), parent=given) for at, data in one.arrivals]
        return Item(nothing(event.time_us), given=given, told=told), copies

    def _after(self, plan: Plan, done: Done) -> Done:
        if self._pair:
            self._pair.hide(None)
        done = replace(
            done,
            now_us=self._true_us(done.now_us),
            outputs=tuple(replace(output, time_us=self._true_us(output.time_us)) for output in done.outputs),
        )
        for item in plan.items[: done.applied]:
            for injection in item.told:
                self._report(injection)
        for found in self._found:
            self._report(found)
        self._found = []
        self._remember(plan, done.applied)
        self._waiting = plan.left(done.applied)
        if done.stop == link.RECOVERED:
            self._restarted("a period failed")
        self._now_us = max(done.now_us, self._now_us)
        heard, hits = self._downlink.heard(done.outputs, self._noises("down"), self._now_us)
        for time_us, effect in hits:
            self._tell("radio", "down", effect, time_us)
        return replace(done, applied=plan.applied(done.applied), outputs=tuple(heard))

    def _remember(self, plan: Plan, count: int) -> None:
        # What the sky says without faults, for when one ends or the board has forgotten it.
        for event in plan.given[: plan.applied(count)]:
            self._packets_up += event.kind == link.PACKET
            self._note(event)

    def _note(self, event: Event) -> None:
        if event.kind == link.ENVIRONMENT:
            self._light = event
        elif event.kind == link.RADIO:
            self._lock = event

    # --- without power

    async def _died(self, until_us: int, events: Sequence[Event]) -> Done:
        # In the exchange that met the write: it has not happened, and its events meet a dead board.
        assert self._write_cut
        one = self._write_cut.fault
        assert isinstance(one, Board)
        self._write_cut = None
        if self._pair:
            self._pair.hide(None)
        self._cut(one, f"at flash write {one.write}")
        return await self._without_power(until_us, events)

    async def _without_power(self, until_us: int, events: Sequence[Event]) -> Done:
        outage = self._outage
        assert outage and self._control
        if self._outage_fresh and not outage.reset_only:
            await self._control.off()
        self._outage_fresh = False
        to_us = max(self._now_us, min(until_us, outage.until_us))
        missed = [event for event in events if event.time_us < to_us]
        lights = [self._through(event) for event in missed]
        self.flyer.coast(self._now_us, to_us, lights)
        self._forget(missed)
        self._now_us = to_us
        if to_us == outage.until_us:
            self._outage = None
            await self._return(outage)
        return Done(0, link.REACHED, 0, len(missed), self._now_us, 0, 0, 0, 0, ())

    def _forget(self, missed: Sequence[Event]) -> None:
        for event in missed:
            self._note(event)
            if event.kind == link.PACKET:
                self._packets_up += 1
                self._tell("board", "off", "a packet met no board", event.time_us)
        self._waiting = [item for item in self._waiting if item.event.kind != link.PACKET]

    async def _return(self, outage: Outage) -> None:
        assert self._control
        boots = (self.twin.node.computer.f[f_.BOOTS] + 1) & 0xFFFF
        if self._pair:
            self._pair.hide(None)
        back = self._control.reset if outage.reset_only else self._control.on
        await back(self._board_us(self._now_us), outage.cause, boots)
        self._restarted(f"{d.RESET_CAUSES[outage.cause]}, boot {boots}")

    def _restarted(self, why: str) -> None:
        # Memory is lost: the radio has to be told of its lock again, and the ground of what it can go on from.
        if self._lock:
            lock = replace(self._lock, time_us=self._now_us)
            self._waiting.append(Item(self._through(lock)))
        self._tell("board", "boot", why)
        if self.rebooted:
            self.rebooted(self._now_us, self.twin.last_sequence)

    # --- clocks

    def _drifts(self) -> list[tuple[int, float]]:
        return [(us(a.fault.start_s), a.fault.ppm) for a in self._armed if isinstance(a.fault, Clock)]

    def _board_us(self, true_us: int) -> int:
        return true_us + sum(round((true_us - at) * ppm / 1e6) for at, ppm in self._drifts() if true_us > at)

    def _true_us(self, board_us: int) -> int:
        # The time whose board time that is, by fixed point: drifts are small.
        true_us = board_us
        for _ in range(8 if self._drifts() else 0):
            true_us += board_us - self._board_us(true_us)
        return true_us

    def _as_the_board_sees(self, event: Event) -> Event:
        return replace(event, time_us=self._board_us(event.time_us)) if self._drifts() else event

    # --- the record

    def _injection(self, kind: str, target: str, detail: str, time_us: int | None = None) -> Injection:
        at = self._now_us if time_us is None else time_us
        return Injection(at, self.name, kind, target, detail, mode_of(self.twin))

    def _tell(self, kind: str, target: str, detail: str, time_us: int | None = None) -> None:
        self._report(self._injection(kind, target, detail, time_us))

    def _report(self, injection: Injection) -> None:
        if self._listener:
            self._listener(injection)
