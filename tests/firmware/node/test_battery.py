"""Battery in closed loop: flight software decides from sensors, the real plant answers, orbit after orbit."""

import itertools

import pytest

from ascnode.scenario.hardware import Hardware, OperatingPoint
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from firmware.node.rig import Flight, Rig, fly
from firmware.plant.nodes import scaled
from firmware.plant.orbits import SunlitOrbit

LEO = SunlitOrbit(550.0, 0.0, 0.0)
RESERVE = 0.6  # of the capacity, the dictionary's default
# What one count of the cell's converter hides, and what the last decision before the end could not know.
MARGIN = 0.001

HARDWARE = {
    "default": Hardware(),
    "demo": Hardware(radiator_m2=0.2, radiator_j_per_k=1200.0, battery_wh=250.0),
    "small battery": Hardware(battery_wh=150.0, radiator_m2=2.0),
    "starts near the reserve": Hardware(initial_charge=0.62),
    "hot chip": Hardware(leakage_w=20.0, battery_wh=400.0),
    "cubesat": scaled(Hardware(), 0.02),
    "20 kW": scaled(Hardware(), 50.0),
}


def _at_eclipse_ends(flight: Flight) -> list[float]:
    return [flight.charge[end_s - 1] for _, end_s in flight.eclipses if end_s <= len(flight.charge)]


@pytest.mark.parametrize("name", HARDWARE)
def test_full_demand_leaves_the_reserve_at_the_end_of_every_eclipse(name: str) -> None:
    rig = Rig(HARDWARE[name])
    flight = fly(rig, LEO, 3.7)
    ends = _at_eclipse_ends(flight)
    assert len(ends) >= 3
    assert min(ends) >= RESERVE - MARGIN
    # and not by doing nothing: 40 % of the capacity at most, most of it where work asks for it
    starts = [flight.charge[start_s] for start_s, _ in flight.eclipses[: len(ends)]]
    depths = [start - end for start, end in zip(starts, ends, strict=True)]
    assert max(depths) <= 0.4 + MARGIN
    if "demo" not in name:  # its radiator is what holds that one back
        assert min(ends) < RESERVE + 0.03


@pytest.mark.parametrize("altitude_km", [400.0, 1200.0])
@pytest.mark.parametrize("beta_deg", [0.0, 50.0, 62.0])
def test_other_orbits_keep_the_reserve_as_well(altitude_km: float, beta_deg: float) -> None:
    flight = fly(Rig(Hardware(battery_wh=120.0)), SunlitOrbit(altitude_km, beta_deg, 77.0), 3.1)
    assert min(flight.charge) >= RESERVE - MARGIN


def test_sending_through_the_eclipse_keeps_the_reserve() -> None:
    rig = Rig()
    rig.node.computer.contacts.add(0, 1 << 29)
    rig.node.computer.f[f_.RADIO_LOCK] = 1

    def send(rig: Rig, _: int) -> None:
        for _ in range(48 - rig.node.computer.links.held()):
            rig.node.computer.telemetry.result(bytes(51), 0, 1, 1, (1, 1, 1, 0, 1, 1, 1, 0, 0, 0))

    flight = fly(rig, LEO, 3.7, send)
    assert min(_at_eclipse_ends(flight)) >= RESERVE - MARGIN


def test_an_array_too_small_for_the_demand_slows_the_work_and_keeps_the_reserve() -> None:
    flight = fly(Rig(Hardware(array_m2=0.45, battery_wh=400.0)), LEO, 5.7)
    assert min(_at_eclipse_ends(flight)) >= RESERVE - MARGIN
    assert flight.point[len(flight.point) // 2 :].mean() > 0.5


def test_light_that_does_not_carry_the_bus_stops_the_work_before_the_reserve_is_touched() -> None:
    # The array gives 20 W of the 60 that the bus takes: all that the dark will need is kept from the start.
    rig = Rig(Hardware(initial_charge=0.85, array_m2=20 / 393.4))
    flight = fly(rig, LEO, 0.99)
    off = (OperatingPoint(0, 0.0),)
    idle = fly(Rig(Hardware(initial_charge=0.85, array_m2=20 / 393.4, operating_points=off)), LEO, 0.99)
    assert _at_eclipse_ends(flight)[0] >= min(RESERVE, _at_eclipse_ends(idle)[0]) - 0.002


def test_without_an_eclipse_plan_the_node_works_in_the_light_and_darkness_finds_it_above_the_reserve() -> (
    None
):
    rig = Rig()
    for t in range(2 * 5739):
        rig.light(1024 if t % 5739 < 3600 else 0)
        rig.demand()
        rig.node.step()
        if t == 3000:
            assert rig.node.computer.f[f_.OP] >= 5
    # it does not know when light comes back: what it keeps is what the bus drew
    assert rig.charge() >= RESERVE - 60 * 2139 / 0.97 / 1_080_000


def test_a_brown_out_never_comes_from_work() -> None:
    # Dark for three orbits against the plan: the accelerator has stopped long before, then all but the beacon.
    rig = Rig()
    rig.light(0)
    levels = []
    for _ in range(3 * 5739):
        rig.demand()
        rig.node.step()
        levels.append((rig.node.computer.f[f_.SHED], rig.node.plant.state[p_.LOAD_PW], rig.charge()))
    loads = {level: {load for at, load, _ in levels if at == level} for level in (1, 2)}
    assert loads[1] == {60_000}
    assert all(load == 60_000 for _, load, charge in levels if charge < RESERVE - 0.01)
    changes = [
        after for before, after in itertools.pairwise(level for level, _, _ in levels) if after != before
    ]
    assert changes == [1, 2]
