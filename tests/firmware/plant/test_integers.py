"""Every intermediate stays within (-2^30, 2^30), whatever configuration is accepted and whatever state it is in."""

import random
from array import array

import pytest

from ascnode.scenario.hardware import Hardware, plant_words
from ascnode_fw.plant import config
from ascnode_fw.plant import layout as at
from ascnode_fw.plant.model import Plant
from firmware.audited_int import LIMIT, Audited, LeftTheRangeError
from firmware.plant.audited import audited_plant
from firmware.plant.nodes import scaled

Bounds = tuple[int, int]


def _pick(rng: random.Random, low: int, high: int) -> int:
    # An end half of the time; else any order of magnitude.
    if rng.random() < 0.5:
        return rng.choice((low, high))
    return min(high, low + int((high - low + 1) ** rng.random()) - rng.randrange(2) * (high > low))


def _table(rng: random.Random, count: int) -> list[int]:
    # Up to the steepest rise and the highest entry that are accepted.
    steepest = _pick(rng, 0, (1 << 19) - 1)
    entries, last = [], 0
    for _ in range(count):
        last = min(1 << 24, last + _pick(rng, 0, steepest))
        entries.append(last)
    return entries


def _hostile_words(rng: random.Random) -> "array[int]":
    while True:
        words = [max(low, _pick(rng, low, high)) for _, low, high in config._LIMITS]
        words[at.INITIAL_J] = _pick(rng, 0, words[at.CAPACITY_J])
        words += _table(rng, at.EMISSION_WORDS) + _table(rng, at.LEAKAGE_WORDS)
        try:
            config.check(array("i", words))
        except ValueError:
            continue
        return array("i", words)


def _hostile_state(rng: random.Random, words: "array[int]") -> list[int]:
    state = [0] * at.STATE_WORDS
    state[at.ENERGY_J] = _pick(rng, 0, words[at.CAPACITY_J])
    state[at.ENERGY_UJ] = _pick(rng, 0, 999_999) if state[at.ENERGY_J] < words[at.CAPACITY_J] else 0
    state[at.CHARGE_REM] = _pick(rng, 0, words[at.CHARGE_LOSS_DEN] - 1)
    state[at.DISCHARGE_REM] = _pick(rng, 0, words[at.DISCHARGE_LOSS_DEN] - 1)
    state[at.T_ACCEL_UK] = _pick(rng, at.T_MIN_ACCEL_UK, at.T_MAX_UK)
    state[at.ACCEL_REM] = _pick(rng, 0, words[at.ACCEL_RISE_DEN] - 1)
    state[at.T_RADIATOR_UK] = _pick(rng, at.T_MIN_RADIATOR_UK, at.T_MAX_UK)
    state[at.RADIATOR_REM] = _pick(rng, 0, words[at.RADIATOR_RISE_DEN] - 1)
    for total in (at.SHUNTED_J, at.UNSERVED_J):
        state[total] = _pick(rng, 0, at.SUM_MAX_J)
        state[total + 1] = _pick(rng, 0, 999_999)
    return state


def _set_hostile_inputs(rng: random.Random, plant: Plant) -> None:
    for word in range(at.INPUT_WORDS):
        plant.set_input(word, _pick(rng, -5, 1 << 29))


def test_hostile_configurations_states_and_inputs_stay_within_30_bits() -> None:
    rng = random.Random(30)
    Audited.widest = 0
    counts = [0] * at.SENSOR_WORDS
    for _ in range(1500):
        words = _hostile_words(rng)
        plant = audited_plant(words, _hostile_state(rng, words))
        plant.set_input(at.AGE_DAYS, 0)
        for _ in range(8):
            plant.step()
            plant.sample(counts)
            _set_hostile_inputs(rng, plant)
        assert all(0 <= count <= 4095 for count in counts)
        assert min(plant.state) >= 0
    assert Audited.widest > 0.98 * LIMIT  # the limits are not wider than they need be


@pytest.mark.parametrize("size", [0.01, 1, 2.2, 100, 9000])
def test_real_hardware_stays_within_30_bits_and_gives_the_same_bits(size: float) -> None:
    rng = random.Random(31)
    words = plant_words(scaled(Hardware(), size), 1000)
    plain, audited = Plant(words), audited_plant(words)
    for step in range(2000):
        if step % 20 == 0:
            inputs = [rng.randrange(1025) for _ in range(4)]
            inputs += [
                rng.randrange(1 << 19),
                rng.randrange(1 << 19),
                rng.randrange(2),
                rng.randrange(10_958),
            ]
            for word, value in enumerate(inputs):
                plain.set_input(word, value)
                audited.set_input(word, value)
        plain.step()
        audited.step()
    assert list(plain.state) == list(audited.state)


def test_the_audit_itself_catches_what_leaves_the_range() -> None:
    words = plant_words(Hardware(), 1000)
    words[at.CONDUCT_NUM] = 20_000
    plant = audited_plant(words)
    plant.state[at.T_ACCEL_UK] = at.T_MAX_UK
    plant.state[at.T_RADIATOR_UK] = at.T_MIN_RADIATOR_UK
    with pytest.raises(LeftTheRangeError):
        plant.step()
    with pytest.raises(LeftTheRangeError):
        1024 * Audited(1 << 20)
