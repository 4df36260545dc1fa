"""A scenario's boards as the run needs them: the sky on their plants, plans, radio lock, caps."""

from collections.abc import Sequence
from typing import Protocol

from ascnode.faults.injector import Injector
from ascnode.mesh.assignment import NONE
from ascnode.scenario.hardware import power_scale_k
from ascnode.scenario.nodes import each_w
from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key
from ascnode.scenario.satellite import Command, Satellite, Stepper
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.sky.environment import environment_events
from ascnode.sky.passes import passes
from ascnode.sky.plans import Window, eclipse_plan, merged
from ascnode.sky.stations import Station
from ascnode.twin.twin import Twin
from ascnode_fw.wire import dictionary as d

_ENVIRONMENT_S = 30.0  # how often the light on the plant is looked at outside the penumbra
_LOOK_AHEAD_S = 6000.0  # plans reach past the end of the run, as a real node's would
_SECOND_US = 1_000_000


class Flyer(Stepper, Protocol):
    """A board with its twin, or a twin alone, as a run steps it."""

    @property
    def name(self) -> str:
        """The board's name."""

    @property
    def twin(self) -> Twin:
        """The board's twin."""

    @property
    def steps(self) -> int:
        """Control periods so far."""

    @property
    def exchanges(self) -> int:
        """Exchanges so far."""

    @property
    def mismatches(self) -> int:
        """Exchanges in which board and twin differed and should not have."""

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts afresh at a time."""


def board_satellite(scenario: Scenario, node: int, flyer: Flyer, stations: Sequence[Station]) -> Satellite:
    """The node-th board of the scenario with all that is known to lie ahead of it."""
    number = scenario.space.boards[node]
    commander = Commander(bench_key(scenario.seed, node), BENCH_KEY_INDEX, flyer.twin.last_sequence)
    satellite = Satellite(number, flyer.name, flyer, commander)
    if isinstance(flyer, Injector):
        flyer.rebooted = satellite.rebooted
        satellite.faulty = True
    orbit, end_s = scenario.space.orbit(number), float(scenario.length_s)
    for sample in environment_events(
        orbit, scenario.epoch, 0.0, end_s, _ENVIRONMENT_S, scenario.radiator_face
    ):
        time_us = round(sample.t_s * 1e6)
        satellite.add(time_us, messages.environment(time_us, *sample[1:]))
    satellite.plan(d.PLAN_CONTACTS, contacts(scenario, number, stations))
    satellite.plan(d.PLAN_ECLIPSES, eclipse_plan(orbit, scenario.epoch, 0.0, end_s + _LOOK_AHEAD_S))
    _caps(scenario, satellite)
    return satellite


def contacts(scenario: Scenario, number: int, stations: Sequence[Station]) -> list[Window]:
    """The contact plan of a satellite, by its number."""
    # With lasers there is a way to the ground at all times, as planned; lock says whether it is there. Without them
    # the plan is that of passes, and stations that see the satellite may still be served by another.
    end_s = float(scenario.length_s)
    if scenario.lasers.layout != "none":
        return [(0.0, end_s + _LOOK_AHEAD_S)]
    seen = passes(
        scenario.space.orbit(number),
        list(stations),
        scenario.epoch,
        0.0,
        end_s,
        scenario.users.min_elevation_deg,
    )
    return merged((one.rise_s, one.set_s) for one in seen)


def _caps(scenario: Scenario, satellite: Satellite) -> None:
    scale = 2 ** power_scale_k(scenario.node, scenario.step_ms)
    edges = sorted({edge for cap in scenario.cap for edge in (cap.at_s, cap.at_s + cap.for_s)})
    for edge_s in edges:
        allowed = [each_w(cap, scenario) for cap in scenario.cap if cap.at_s <= edge_s < cap.at_s + cap.for_s]
        cap_pw = max(1, int(min(allowed) * 1000 / scale)) if allowed else 0
        satellite.add(round(edge_s * _SECOND_US), Command("cap_power", (cap_pw,)))


class Radio:
    """A board's contact with the network, slot by slot: lock, and who takes over what it sends."""

    def __init__(self, satellite: Satellite) -> None:
        self._satellite = satellite
        self._locked = False
        self._slot: Slot | None = None
        self._next = NONE
        self._site = NONE
        self.number = satellite.number
        satellite.taken = self.taken_us

    def enter(self, slot: Slot, out: bool) -> None:
        """A slot begins; the satellite may be out."""
        number = self.number
        way = NONE if out else slot.exit_of(number, to_gateway=False)
        self._slot = slot
        path = slot.path(number, way) if way != NONE else []
        self._next = path[1] if len(path) > 1 else NONE
        self._site = int((slot.serving == number).argmax()) if len(path) == 1 else NONE
        if bool(path) != self._locked:
            self._locked = bool(path)
            self._satellite.add(slot.start_us, messages.radio_lock(slot.start_us, self._locked))

    def taken_us(self, sent_us: int) -> int | None:
        """When the next satellite, or the ground below, has what the board sends; None when it has no lock."""
        if self._slot is None or not self._locked:
            return None
        number = self.number
        if self._next != NONE:
            return sent_us + self._slot.hop_us(number, self._next, sent_us)
        return sent_us + self._slot.ground_us(self._site, number, sent_us)
