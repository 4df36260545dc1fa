"""From engineering units to the plant's integers, and what is refused on the way."""

import math

import pytest
from pydantic import ValidationError

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import (
    DEMO_NODE,
    Hardware,
    HardwareError,
    OperatingPoint,
    nadir_view_factor,
    plant_words,
    power_scale_k,
    vertical_view_factor,
)
from ascnode_fw.plant import layout as at
from firmware.plant.nodes import plant_of, run, scaled


@pytest.mark.parametrize(("altitude_km", "nadir", "vertical"), [(550, 0.8475, 0.2579), (650, 0.8236, 0.2407)])
def test_view_factors_to_the_earth(altitude_km: float, nadir: float, vertical: float) -> None:
    assert nadir_view_factor(altitude_km) == pytest.approx(nadir, abs=6e-5)
    assert vertical_view_factor(altitude_km) == pytest.approx(vertical, abs=6e-5)


def test_words_of_the_demo_node_are_its_watts_and_joules() -> None:
    words = plant_words(DEMO_NODE, 1000)
    assert words[at.SCALE_K] == 0
    assert words[at.ARRAY_FULL_PW] == round(1361 * 1.2 * 0.298 * 0.97 * 1000)
    assert words[at.CAPACITY_J] == 300 * 3600
    assert words[at.INITIAL_J] == 270 * 3600
    assert words[at.SUN_HEAT_PW] == round(0.07 * 1361 * 0.6 * 1000)
    assert words[at.ALBEDO_HEAT_PW] == round(0.3 * 0.07 * 1361 * 0.6 * 0.2579 * 1000)
    assert words[at.EARTH_IR_PW] == round(0.82 * 0.6 * 0.2579 * 237 * 1000)
    assert (words[at.CHARGE_LOSS_NUM], words[at.CHARGE_LOSS_DEN]) == (3, 100)
    assert (words[at.DISCHARGE_LOSS_NUM], words[at.DISCHARGE_LOSS_DEN]) == (3, 97)
    assert (words[at.ACCEL_RISE_NUM], words[at.ACCEL_RISE_DEN]) == (10, 3)
    conductance = words[at.CONDUCT_NUM] / 2 ** words[at.CONDUCT_SHIFT] / 4096e-6 / 1000
    assert conductance == pytest.approx(5.0, rel=1e-4)


def test_tables_hold_the_law_of_stefan_and_boltzmann_and_the_doubling_of_leakage() -> None:
    words = plant_words(DEMO_NODE, 1000)
    for i in (0, 70, 153):
        kelvin = 150 + i * 2.097152
        watts = 0.82 * 0.6 * 5.670374e-8 * kelvin**4
        assert words[at.EMISSION + i] == pytest.approx(watts * 1000, rel=2e-4, abs=1)
    for i in (10, 30, 50):
        kelvin = 200 + i * 4.194304
        assert words[at.LEAKAGE + i] == pytest.approx(4000 * 2 ** ((kelvin - 298.15) / 25), rel=1.2e-3, abs=1)


@pytest.mark.parametrize(
    ("size", "step_ms", "k"),
    [
        (0.05, 1000, 0),
        (1, 1000, 0),
        (1, 100, 0),
        (1, 5000, 2),
        (2.3, 1000, 1),
        (40, 1000, 5),
        (9000, 1000, 13),
    ],
)
def test_k_is_the_smallest_that_fits(size: float, step_ms: int, k: int) -> None:
    hardware = scaled(Hardware(), size)
    assert power_scale_k(hardware, step_ms) == k
    words = plant_words(hardware, step_ms)
    assert words[at.NET_MAX_PW] / 0.97 * step_ms < 2**30
    assert words[at.ARRAY_FULL_PW] <= words[at.NET_MAX_PW]
    assert words[at.CAPACITY_J] <= 2**29


@pytest.mark.parametrize("size", [0.0103, 1, 33.3, 7777])
def test_large_and_small_nodes_keep_their_time_constants(size: float) -> None:
    # uK a step of one pw times capacity, and against the next size: no rounding of C to whole 2^k J/K.
    words = plant_words(scaled(Hardware(accelerator_j_per_k=317.3), size), 1000)
    rise = words[at.ACCEL_RISE_NUM] / words[at.ACCEL_RISE_DEN]
    assert rise * 317.3 * size / 2 ** words[at.SCALE_K] == pytest.approx(1000, rel=1e-4)


REFUSED = [
    (
        Hardware(accelerator_j_per_k=15.0),
        1000,
        "accelerator_j_per_k = 15 asks for step_ms below C/(4G) = 750, not 1000",
    ),
    (Hardware(radiator_j_per_k=30.0), 1000, "radiator_j_per_k = 30 asks for step_ms below C/(4G)"),
    (Hardware(), 0, "step_ms = 0 lies outside 1..60000"),
    (Hardware(), 60_001, "step_ms = 60001 lies outside 1..60000"),
    (
        Hardware(conductance_w_per_k=0.0, accelerator_j_per_k=0.1),
        1000,
        "accelerator_j_per_k is too small",
    ),
    (Hardware(conductance_w_per_k=5000.0, accelerator_j_per_k=1e6, radiator_j_per_k=1e6), 1000, "conduct"),
    (Hardware(array_m2=1e5, solar_constant_w_m2=1e4, radio_w=1e7), 60_000, "array_m2 of "),
]


@pytest.mark.parametrize(("hardware", "step_ms", "complaint"), REFUSED, ids=[text for _, _, text in REFUSED])
def test_what_does_not_fit_is_refused_in_a_sentence_that_names_the_field(
    hardware: Hardware, step_ms: int, complaint: str
) -> None:
    with pytest.raises(HardwareError) as refusal:
        plant_words(hardware, step_ms)
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert isinstance(refusal.value, ScenarioError) and isinstance(refusal.value, ValueError)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("battery_wh", 0),
        ("array_m2", -1.0),
        ("charge_efficiency", 0.3),
        ("radiator_emissivity", 1.2),
        ("initial_radiator_c", -300),
        ("array_loss_per_year", math.nan),
        ("leakage_w", math.inf),
        ("cycles_per_mac", 2.5),
        ("operating_points", []),
        ("operating_points", [[0, 0], [1, 2], [1, 3]]),
        ("operating_points", [[0, 5], [1, 4]]),
        ("battery", 300),
    ],
)
def test_fields_out_of_their_limits_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Hardware.model_validate({field: value})


def test_a_scenario_gives_operating_points_as_pairs() -> None:
    hardware = Hardware.model_validate({"operating_points": [[0, 0], [50_000, 33.5]]})
    assert hardware.operating_points == (OperatingPoint(0, 0.0), OperatingPoint(50_000, 33.5))


def _settled_c(power_w: float, cos_radiator: int) -> float:
    plant = plant_of(
        DEMO_NODE,
        ILLUMINATION=1024,
        COS_ARRAY=1024,
        COS_RADIATOR=cos_radiator,
        ACCEL_ON=1,
        ACCEL_PW=round(power_w * 1000),
    )
    return run(plant, 12_000)[at.T_ACCEL_UK] * 1e-6 - 273.15


@pytest.mark.parametrize("cos_radiator", [0, 1024])
def test_the_demo_node_is_too_hot_flat_out_and_fine_at_half(cos_radiator: int) -> None:
    assert _settled_c(180, cos_radiator) > 85
    assert _settled_c(95, cos_radiator) < 60


def test_the_demo_node_flat_out_takes_more_than_40_percent_through_an_eclipse() -> None:
    plant = plant_of(DEMO_NODE, ACCEL_ON=1, ACCEL_PW=180_000)
    used_j = plant.state[at.ENERGY_J] - run(plant, 2136)[at.ENERGY_J]
    assert used_j > 0.4 * 300 * 3600
