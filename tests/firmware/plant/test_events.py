"""Each bound that is met raises its event, and only its own; nothing is held in silence."""

import pytest

from ascnode.scenario.hardware import Hardware, plant_words
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.plant.nodes import PLATE, plant_of, run

# Insulated, dark and without load: nothing happens by itself.
CALM = PLATE.model_copy(update={"initial_charge": 0.5, "radiator_emissivity": 0.0, "battery_wh": 1.0})


def calm(**words: int) -> Plant:
    """A calm plant with some words of its configuration changed, by the names of plant/layout.py."""
    configuration = plant_words(CALM, 1000)
    for name, word in words.items():
        configuration[getattr(at, name)] = word
    return Plant(configuration)


def test_nothing_happens_to_a_calm_node() -> None:
    plant = calm()
    run(plant, 100)
    assert plant.take_events() == 0


def test_a_load_that_an_empty_battery_cannot_meet_is_a_brown_out_and_counted() -> None:
    plant = calm(INITIAL_J=0, BUS_LOAD_PW=1_234_567 >> 2)
    plant.step()
    assert plant.take_events() == at.EVENT_BROWN_OUT
    assert (plant.state[at.UNSERVED_J], plant.state[at.UNSERVED_UJ]) == (308, 641_000)
    assert (plant.state[at.ENERGY_J], plant.state[at.ENERGY_UJ]) == (0, 0)


def test_a_battery_that_ends_the_step_exactly_empty_is_no_brown_out() -> None:
    plant = calm(INITIAL_J=77, BUS_LOAD_PW=77_000)
    plant.step()
    assert plant.take_events() == 0
    assert plant.state[at.ENERGY_J] == 0


def test_power_into_a_full_battery_is_shunted_and_counted() -> None:
    plant = calm(INITIAL_J=3599, ARRAY_FULL_PW=5_678)
    plant.set_input(at.AGE_DAYS, 0)
    plant.set_input(at.ILLUMINATION, 1024)
    plant.set_input(at.COS_ARRAY, 1024)
    plant.step()
    assert plant.take_events() == at.EVENT_BATTERY_FULL
    assert (plant.state[at.SHUNTED_J], plant.state[at.SHUNTED_UJ]) == (4, 678_000)
    assert (plant.state[at.ENERGY_J], plant.state[at.ENERGY_UJ]) == (3600, 0)


def test_energy_sums_stop_at_their_largest_with_an_event() -> None:
    plant = calm(INITIAL_J=0, BUS_LOAD_PW=9_000)
    plant.state[at.UNSERVED_J] = at.SUM_MAX_J - 5
    plant.step()
    assert plant.take_events() == at.EVENT_BROWN_OUT | at.EVENT_SUM_FULL
    assert plant.state[at.UNSERVED_J] == at.SUM_MAX_J


@pytest.mark.parametrize(("load_pw", "array_pw"), [(3_001, 0), (0, 3_001)])
def test_net_power_past_its_limit_is_held(load_pw: int, array_pw: int) -> None:
    plant = calm(NET_MAX_PW=3_000, BUS_LOAD_PW=load_pw, ARRAY_FULL_PW=array_pw)
    plant.set_input(at.AGE_DAYS, 0)
    plant.set_input(at.ILLUMINATION, 1024)
    plant.set_input(at.COS_ARRAY, 1024)
    plant.step()
    assert plant.take_events() == at.EVENT_NET_POWER
    assert plant.state[at.ENERGY_J] == 1800 + (3 if array_pw else -3)


def test_net_heat_of_the_accelerator_past_its_limit_is_held() -> None:
    plant = calm(NET_MAX_PW=50_000)
    plant.set_input(at.ACCEL_ON, 1)
    plant.set_input(at.ACCEL_PW, 90_000)
    plant.step()
    assert plant.take_events() == at.EVENT_ACCEL_HEAT | at.EVENT_NET_POWER
    assert plant.state[at.T_ACCEL_UK] == 293_150_000 + 50_000 * 1000 // 300


def test_net_heat_of_the_radiator_past_its_limit_is_held() -> None:
    plant = calm(NET_MAX_PW=50_000, BUS_HEAT_PW=90_000)
    plant.step()
    assert plant.take_events() == at.EVENT_RADIATOR_HEAT
    assert plant.state[at.T_RADIATOR_UK] == 293_150_000 + 50_000 * 1000 // 4500


@pytest.mark.parametrize(
    ("word", "start_uk", "held_uk", "event"),
    [
        ("INITIAL_ACCEL_UK", at.T_MAX_UK, at.T_MAX_UK, at.EVENT_ACCEL_HOT),
        ("INITIAL_RADIATOR_UK", at.T_MAX_UK, at.T_MAX_UK, at.EVENT_RADIATOR_HOT),
    ],
)
def test_temperatures_stop_at_the_hot_end_of_the_table(
    word: str, start_uk: int, held_uk: int, event: int
) -> None:
    plant = calm(**{word: start_uk}, BUS_HEAT_PW=1_000)
    plant.set_input(at.ACCEL_ON, 1)
    plant.step()
    assert plant.take_events() & ~(at.EVENT_NET_POWER | at.EVENT_BROWN_OUT) == event
    assert held_uk in (plant.state[at.T_ACCEL_UK], plant.state[at.T_RADIATOR_UK])


def test_an_accelerator_stops_at_the_cold_end_of_the_table() -> None:
    hardware = CALM.model_copy(update={"conductance_w_per_k": 5.0, "radiator_j_per_k": 1e7})
    plant = plant_of(hardware)
    plant.state[at.T_RADIATOR_UK] = at.T_MIN_RADIATOR_UK + 1_000_000
    run(plant, 2000)
    assert plant.take_events() == at.EVENT_ACCEL_COLD
    assert plant.state[at.T_ACCEL_UK] == at.T_MIN_ACCEL_UK


def test_a_radiator_stops_at_the_cold_end_of_the_table() -> None:
    plant = plant_of(CALM.model_copy(update={"radiator_emissivity": 1.0, "radiator_j_per_k": 100.0}))
    run(plant, 2000)
    assert plant.take_events() == at.EVENT_RADIATOR_COLD
    assert plant.state[at.T_RADIATOR_UK] == at.T_MIN_RADIATOR_UK


@pytest.mark.parametrize(
    ("word", "given", "held"),
    [
        (at.ILLUMINATION, 1025, 1024),
        (at.COS_RADIATOR, -1, 0),
        (at.EXTRA_PW, 1 << 29, at.POWER_MAX),
        (at.ACCEL_ON, 2, 1),
        (at.AGE_DAYS, 99_999, at.AGE_DAYS_MAX),
    ],
)
def test_an_input_out_of_its_range_is_held(word: int, given: int, held: int) -> None:
    plant = calm()
    plant.set_input(word, given)
    assert plant.state[word] == held
    assert plant.take_events() == at.EVENT_INPUT


def test_only_inputs_can_be_set() -> None:
    with pytest.raises(IndexError):
        calm().set_input(at.INPUT_WORDS, 1)


def test_events_are_kept_until_they_are_taken() -> None:
    plant = calm(INITIAL_J=0, BUS_LOAD_PW=1_000)
    plant.step()
    plant.set_input(at.ILLUMINATION, 1024)
    plant.set_input(at.COS_ARRAY, 1024)
    plant.state[at.ARRAY_SUN_PW] = 200_000
    run(plant, 60)
    assert plant.take_events() == at.EVENT_BROWN_OUT | at.EVENT_BATTERY_FULL
    assert plant.take_events() == 0


def test_a_node_in_a_usual_orbit_meets_no_bound_but_a_full_battery() -> None:
    plant = plant_of(
        Hardware(), ILLUMINATION=1024, COS_ARRAY=1024, ACCEL_ON=1, ACCEL_PW=180_000, EXTRA_PW=20_000
    )
    for lit in (1024, 0, 1024, 0, 1024):
        plant.set_input(at.ILLUMINATION, lit)
        run(plant, 2100)
    assert plant.take_events() & ~at.EVENT_BATTERY_FULL == 0


def test_accelerator_off_draws_nothing_whatever_its_operating_point() -> None:
    plant = plant_of(Hardware(), ACCEL_ON=0, ACCEL_PW=180_000, EXTRA_PW=7_000)
    plant.step()
    assert plant.state[at.LOAD_PW] == 60_000 + 7_000
    assert plant.state[at.LEAK_PW] == 0
