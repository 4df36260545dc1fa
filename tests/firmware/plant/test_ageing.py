"""The array's ageing against (1-d)^years in floats."""

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode_fw.plant import layout as at
from firmware.plant.nodes import plant_of

TOLERANCE = 1.2e-4


@pytest.mark.parametrize("loss", [0.0, 0.005, 0.02, 0.0275, 0.1, 0.2])
def test_power_after_some_years_is_one_less_the_loss_to_that_power(loss: float) -> None:
    plant = plant_of(Hardware(array_loss_per_year=loss), ILLUMINATION=1024, COS_ARRAY=1024)
    for days in (0, 1, 100, 365, 1461, 2557, 7305, at.AGE_DAYS_MAX):
        plant.set_input(at.AGE_DAYS, days)
        plant.step()
        left = (1 - loss) ** (days / 365.25)
        assert plant.state[at.ARRAY_PW] == pytest.approx(left * 472_093, abs=TOLERANCE * 472_093)


def test_five_years_at_two_percent_leave_90_percent() -> None:
    plant = plant_of(Hardware(array_loss_per_year=0.02), AGE_DAYS=1826)
    assert plant.state[at.ARRAY_FACTOR] / 32768 == pytest.approx(0.90391, abs=TOLERANCE)


def test_a_new_array_has_all_its_power() -> None:
    assert plant_of(Hardware()).state[at.ARRAY_SUN_PW] == 472_093


def test_power_never_rises_with_age() -> None:
    plant = plant_of(Hardware(array_loss_per_year=0.03))
    powers = []
    for days in range(0, 10_957, 13):
        plant.set_input(at.AGE_DAYS, days)
        powers.append(plant.state[at.ARRAY_SUN_PW])
    assert powers == sorted(powers, reverse=True)
