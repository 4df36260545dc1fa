"""Power manager: load shedding, forecast, reserve, commanded cap."""

from collections.abc import Callable

import pytest

from ascnode_fw.plant import layout as p_
from ascnode_hil.measure import Measurement
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import busy, image, lengthen

_BESIDE = 0.01  # of the charge: beyond what converter and curve round
_DISCHARGE_EFFICIENCY = 0.97


def _levels(node: HilNode) -> list[int]:
    return [event.value for event in node.events("load shed")]


@pytest.mark.ascnode_requirement("PWR-01")
def test_the_accelerator_is_shed_below_the_working_limit_until_the_exit(
    ascnode_node: HilNode, ascnode_sky: HilSky
) -> None:
    node = ascnode_node
    lengthen(node)
    ascnode_sky.sun()
    ascnode_sky.contact()
    limit, way_back = (node.parameter(name) / 1000 for name in ("charge_low", "charge_low_exit"))
    works = {}
    for charge in (0.9, limit + _BESIDE, limit - _BESIDE, way_back - _BESIDE, way_back + _BESIDE):
        node.sense_charge(charge)
        node.query(image(), deadline_s=100_000)
        node.step(3)
        works[charge] = node.accelerator_w > 0
    assert list(works.values()) == [True, True, False, False, True]
    assert _levels(node) == [1, 0]


@pytest.mark.ascnode_requirement("PWR-02")
def test_all_but_the_beacon_is_shed_below_the_safe_limit_until_the_exit(
    ascnode_node: HilNode, ascnode_sky: HilSky
) -> None:
    node = ascnode_node
    ascnode_sky.contact()
    limit, way_back = (node.parameter(name) / 1000 for name in ("charge_safe", "charge_safe_exit"))
    modes = []
    for charge in (limit + _BESIDE, limit - _BESIDE, way_back - _BESIDE, way_back + _BESIDE):
        node.sense_charge(charge)
        node.step(3)
        modes.append(node.mode)
    assert modes == ["CHARGE", "SAFE", "SAFE", "CHARGE"]
    assert _levels(node) == [1, 2, 1]


@pytest.mark.ascnode_requirement("PWR-03")
@pytest.mark.parametrize(("share", "code"), [(0.85, "ok"), (1.15, "battery reserve")])
def test_work_is_admitted_when_the_charge_lasts_through_the_next_eclipse(
    ascnode_node: HilNode, ascnode_sky: HilSky, share: float, code: str
) -> None:
    # What lies above the reserve carries the bus for `lasts_s` of darkness.
    node = ascnode_node
    ascnode_sky.sun()
    ascnode_sky.contact()
    charge = node.parameter("charge_reserve") / 1000 + 0.05
    node.sense_charge(charge)
    node.step(2)
    spare_j = node.parameter("battery_capacity") * 0.05
    lasts_s = spare_j * 1000 * _DISCHARGE_EFFICIENCY / node.parameter("bus_load")
    node.plan("eclipses", [(int(node.now_s), int(node.now_s + share * lasts_s))])
    _, sent = node.query(image(), deadline_s=100_000)
    node.step(2)
    report = node.report(sent)
    assert report is not None and report.code == code


@pytest.mark.ascnode_requirement("PWR-04")
def test_work_before_and_in_an_eclipse_leaves_the_reserve(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    # Light that carries bus and work, but does not fill the battery for what comes.
    node = ascnode_node
    lengthen(node)
    hardware = node.hardware
    ascnode_sky.contact()
    ascnode_sky.sun(2.45 * hardware.bus_load_w / hardware.array_full_sun_w)
    reserve = node.parameter("charge_reserve") / 1000
    node.poke("plant", p_.ENERGY_J, int((reserve + 0.08) * node.twin.node.plant_words[p_.CAPACITY_J]))
    ascnode_sky.eclipse(1500, 3600)
    busy(node, 3600, chunk_s=20)
    lowest = 100 * min(node.trace.charge)
    ascnode_measure("soc_min", lowest, "%", low=100 * reserve - 1, marginal=100 * reserve)
    ascnode_measure("jobs_done", node.state("jobs done"), "jobs", low=5)


@pytest.mark.ascnode_requirement("PWR-05")
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_power_cap_is_met_in_the_next_period_and_kept(
    ascnode_node: HilNode,
    ascnode_sky: HilSky,
    ascnode_measure: Callable[..., Measurement],
    share: float,
) -> None:
    node = ascnode_node
    lengthen(node)
    ascnode_sky.sun()
    ascnode_sky.contact()
    busy(node, 120)
    before_w = node.load_w
    assert before_w > node.hardware.bus_load_w + 50
    cap_pw = int(share * before_w * 1000 / node.joules_per_unit)
    node.send("cap_power", cap_pw)
    loads_w = []
    for _ in range(90):
        node.step()
        loads_w.append(node.load_w)
    cap_w = cap_pw * node.joules_per_unit / 1000
    ascnode_measure("load_under_cap_max", max(loads_w), "W", high=cap_w)
    assert max(loads_w) > node.hardware.bus_load_w  # it works on
