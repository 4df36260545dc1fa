"""The fleet as a whole: laws it keeps, commands it obeys, one dictionary, the same bytes."""

import hashlib
from typing import Any

import numba
import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import Hardware
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from ascnode.twin.fleet import fleet as fleet_module
from ascnode.twin.fleet import kernel
from ascnode.twin.fleet.classes import Coating, NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d
from firmware.node.rig import Rig
from firmware.plant.nodes import PLATE
from twin.nodes import EPOCH

SHELL = Constellation("small", (Shell(550.0, 53.0, 12, 20, 5),))
ONE = Constellation("one", (Shell(550.0, 53.0, 1, 1),))


def fleet_of(constellation: Constellation = SHELL, *classes: NodeClass, **options: Any) -> Fleet:
    return Fleet.of(constellation, EPOCH, classes or (NodeClass(),), **options)


def busy(fleet: Fleet, seed: int = 1) -> Fleet:
    """Demand, charge and warmth all over the range."""
    rng, s, n = np.random.default_rng(seed), fleet.state, len(fleet)
    s.demand_kc_s[:] = rng.choice([0, 20_000, 90_000, 300_000], n)
    s.energy_j[:] *= rng.uniform(0.05, 1.1, n)
    s.accelerator_k[:] = rng.uniform(250, 370, n)
    s.radio_share[:] = rng.choice([0.0, 0.5, 1.0], n)
    return fleet


def digest(fleet: Fleet) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in fleet.state)).hexdigest()


# --- laws


@pytest.mark.parametrize(("heat_w", "settles_k"), [(100, 242.496), (200, 288.378), (300, 319.143)])
@pytest.mark.parametrize("step_s", [1.0, 10.0])
def test_a_radiating_plate_settles_where_emission_meets_heat(
    heat_w: float, settles_k: float, step_s: float
) -> None:
    plate = PLATE.model_copy(update={"bus_heat_w": float(heat_w), "radiator_j_per_k": 150.0})
    fleet = fleet_of(ONE, NodeClass(plate), real=np.float64, prescribed=True)
    fleet.fly_open(step_s, round(4000 / step_s))
    assert fleet.state.radiator_k[0] == pytest.approx(settles_k, abs=0.001)


def test_a_radiating_plate_cools_from_60_to_20_c_in_583_s() -> None:
    plate = PLATE.model_copy(update={"radiator_j_per_k": 4000.0, "initial_radiator_c": 60.0})
    fleet = fleet_of(ONE, NodeClass(plate), real=np.float64, prescribed=True)
    kelvin = fleet.fly_open(1.0, 700)[:, 4]
    assert np.interp(-293.15, -kelvin, np.arange(1, 701)) == pytest.approx(583.24, abs=0.02)


def test_energy_is_conserved_through_full_empty_and_both_losses() -> None:
    fleet = busy(fleet_of(SHELL, NodeClass(Hardware(battery_wh=20.0)), real=np.float64))
    start, flowed = fleet.state.energy_j.clip(0, 20 * 3600), np.zeros(len(fleet))
    fleet.state.energy_j[:] = start
    for _ in range(700):
        fleet.step(10.0)
        net_j = 10.0 * (fleet.array_w(fleet.now_s - 5) - fleet.state.load_w)
        flowed += np.where(net_j >= 0, net_j * 0.97, net_j / 0.97)
    s = fleet.state
    assert s.shunted_j.min() > 1e4 and s.unserved_j.max() > 1e4
    np.testing.assert_allclose(s.energy_j - start, flowed - s.shunted_j + s.unserved_j, atol=1e-3)


def test_work_that_is_not_done_still_waits() -> None:
    fleet = busy(fleet_of(real=np.float64))
    s, expected = fleet.state, np.zeros(len(fleet))
    clock_khz = np.array([point.clock_khz for point in Hardware().operating_points], dtype=np.float64)
    for _ in range(300):
        fleet.step(10.0)
        expected = np.maximum(0, expected + 10 * (s.demand_kc_s - clock_khz[s.point]))
    np.testing.assert_allclose(s.queue_kc, expected, rtol=1e-12)
    assert s.queue_kc.min() == 0 and s.queue_kc.max() > 1e8


def test_a_worn_coating_warms_the_radiator() -> None:
    worn = NodeClass(Hardware(radiator_absorptivity=0.04), worn=Coating(0.07, 0.7), radiator_face="sun")
    fleet = fleet_of(SHELL, worn)
    fleet.state.coating_worn[: len(fleet) // 2] = 1
    for _ in range(600):
        fleet.step(10.0)
    half = fleet.state.radiator_k.reshape(2, -1).mean(axis=1)
    assert half[0] > half[1] + 5


# --- commands


@pytest.mark.parametrize("watts", [70.0, 110.0, 180.0])
def test_a_power_cap_is_met_within_one_control_period(watts: float) -> None:
    fleet = busy(fleet_of())
    fleet.state.energy_j[:] = 300 * 3600
    for _ in range(600):
        fleet.step(1.0)
    assert fleet.state.load_w.max() > 180
    fleet.cap_node(watts)
    for _ in range(300):
        fleet.step(1.0)
        assert fleet.state.load_w.max() <= watts
    fleet.cap_node(0)
    fleet.step(1.0)
    assert fleet.state.load_w.max() > 180


def test_a_cap_for_the_whole_mesh_is_met_by_all_together() -> None:
    small = Hardware(array_m2=0.6, battery_wh=150.0, bus_load_w=30.0, bus_heat_w=30.0)
    fleet = busy(fleet_of(SHELL, NodeClass(), NodeClass(small), class_of=np.arange(SHELL.count) % 2))
    fleet.state.energy_j[:] = 150 * 3600
    fleet.step(1.0)
    mesh_w = 0.7 * float(fleet.state.load_w.sum())
    fleet.cap(mesh_w)
    fleet.step(1.0)
    assert 0.5 * mesh_w < fleet.state.load_w.sum() <= mesh_w


def test_caps_that_cannot_be_met_are_refused() -> None:
    fleet = fleet_of()
    with pytest.raises(ValueError, match="a cap of 1000 W for all nodes leaves less than some bus draws"):
        fleet.cap(1000.0)
    with pytest.raises(ValueError, match="cap_w is -1"):
        fleet.cap_node(-1.0)


def test_what_is_held_in_safe_does_no_work() -> None:
    fleet = busy(fleet_of())
    fleet.state.energy_j[:] = 300 * 3600
    fleet.state.hold[:5] = 2
    fleet.state.demand_kc_s[:] = 10_000
    fleet.step(10.0)
    assert fleet.mode[:5].tolist() == [d.SAFE] * 5
    assert fleet.state.queue_kc[:5].tolist() == [100_000] * 5 and fleet.state.queue_kc[5:].min() == 0


def test_modes_follow_shed_level_and_contact() -> None:
    fleet = fleet_of()
    fleet.state.shed[:4] = 0, 1, 2, 0
    fleet.state.contact[:4] = 0, 1, 1, 1
    assert fleet.mode[:4].tolist() == [d.COMPUTE, d.CHARGE, d.SAFE, d.DOWNLINK]


def test_renewed_satellites_are_as_new() -> None:
    fleet = busy(fleet_of())
    for _ in range(50):
        fleet.step(10.0)
    fleet.state.array_left[:] = 0.8
    fleet.renew(np.array([3, 7]))
    s = fleet.state
    assert s.array_left[[3, 7, 8]].tolist() == pytest.approx([1, 1, 0.8])
    assert fleet.charge[[3, 7]].tolist() == pytest.approx([0.9, 0.9])
    assert s.queue_kc[[3, 7]].tolist() == [0, 0]


# --- the one dictionary


def _shed_of_node(hardware: Hardware) -> int:
    rig = Rig(hardware)
    rig.settle(2)
    return int(rig.node.computer.f[f_.SHED])


@pytest.mark.parametrize(("low", "level"), [(450, 0), (950, 1)])
def test_a_changed_default_of_the_dictionary_changes_node_and_fleet_alike(
    low: int, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(*row[:2], low, *row[3:]) if row[0] == d.P_SOC_CHARGE else row for row in d.PARAMETERS]
    monkeypatch.setattr(d, "PARAMETERS", tuple(rows))
    fleet = fleet_of(ONE)
    fleet.step(1.0)
    assert fleet.state.shed[0] == level == _shed_of_node(Hardware())


def test_a_changed_parameter_of_one_class_changes_its_nodes_alone() -> None:
    classes = NodeClass(), NodeClass(parameters={"charge_low": 950, "temperature_trip": 30_000})
    fleet = fleet_of(SHELL, *classes, class_of=np.arange(SHELL.count) % 2)
    fleet.state.accelerator_k[:] = 305
    fleet.step(1.0)
    assert fleet.state.shed.reshape(-1, 2).T.tolist() == [[0] * 120, [1] * 120]
    assert fleet.state.tripped.reshape(-1, 2).T.tolist() == [[0] * 120, [1] * 120]


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"charge": 3}, "'charge' is no flight parameter: there are control_period"),
        ({"charge_low": 1001}, "charge_low = 1001 lies outside 0..1000 1/1000"),
        ({"clock_3": 1}, "the clocks of the operating points do not ascend"),
    ],
)
def test_parameters_that_no_node_would_take_are_refused(parameters: dict[str, int], complaint: str) -> None:
    with pytest.raises(ScenarioError, match=complaint):
        fleet_of(ONE, NodeClass(parameters=parameters))


def test_the_fastest_points_are_those_of_the_dictionary() -> None:
    fleet = fleet_of(ONE, NodeClass(parameters={"operating_points": 3}))
    fleet.state.demand_kc_s[:] = 1e6
    fleet.step(1.0)
    assert fleet.state.point[0] == 2
    assert fleet.state.queue_kc[0] == 1e6 - Hardware().operating_points[2].clock_khz


# --- bytes


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    digests = []
    for seed in (1, 1, 2):
        fleet = busy(fleet_of(), seed)
        for _ in range(100):
            fleet.step(10.0)
        digests.append(digest(fleet))
    assert digests[0] == digests[1] != digests[2]


def test_bytes_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Constellation("wide", (Shell(550.0, 53.0, 20, 1500, 5),))
    digests = set()
    threads = min(2, numba.config.NUMBA_NUM_THREADS)
    for few, count in ((0, 1), (0, threads), (10**9, 1)):
        monkeypatch.setattr(fleet_module, "_FEW", few)
        numba.set_num_threads(count)
        fleet = busy(fleet_of(shell))
        for _ in range(5):
            fleet.step(10.0)
        digests.add(digest(fleet))
    numba.set_num_threads(threads)
    assert len(digests) == 1


def test_blocks_cut_planes_and_classes_but_not_results(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Constellation("long", (Shell(550.0, 53.0, 2, 2500, 1),))
    whole = busy(fleet_of(shell))
    monkeypatch.setattr(kernel, "BLOCK", 7)
    cut = busy(fleet_of(shell, NodeClass(), NodeClass(), class_of=np.arange(5000) // 11 % 2))
    for _ in range(3):
        whole.step(10.0)
        cut.step(10.0)
    assert digest(whole) == digest(cut)


def test_floats_of_either_size_tell_the_same_story() -> None:
    charges = []
    for real in (np.float32, np.float64):
        fleet = busy(fleet_of(real=real))
        for _ in range(300):
            fleet.step(10.0)
        charges.append(fleet.charge)
    assert np.abs(charges[0] - charges[1]).mean() < 2e-4


def test_memory_of_a_satellite_is_stated() -> None:
    fleet = fleet_of(Constellation("wide", (Shell(550.0, 53.0, 20, 1500, 5),)))
    assert fleet.bytes_per_satellite < 70


# --- the sad paths


def test_steps_that_go_nowhere_are_refused() -> None:
    fleet = fleet_of(ONE)
    for dt_s in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a step takes a positive number of seconds"):
            fleet.step(dt_s)


def test_a_prescribed_load_needs_a_fleet_made_for_it() -> None:
    with pytest.raises(ValueError, match="prescribed=True"):
        fleet_of(ONE).step_open(1.0)


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="class_of: 1 numbers below 1 are due"):
        fleet_of(ONE, NodeClass(), class_of=np.array([1]))
