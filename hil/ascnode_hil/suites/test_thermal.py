"""Thermal governor: trip, hysteresis, the target, throttling."""

from collections.abc import Callable

import numpy as np
import pytest

from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode_fw.plant import layout as p_
from ascnode_hil.measure import Measurement
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import busy, lengthen

_WARM_C = 60.0  # a radiator above what it settles at: heat is the limit from the start


def _celsius(node: HilNode, parameter: str) -> float:
    return node.parameter(parameter) / 100 - KELVIN_AT_0_C


def _working(node: HilNode, sky: HilSky) -> None:
    # Long jobs in the Sun, and a governor that lets heat through: what ends work is the trip.
    lengthen(node)
    node.configure(governor_k_over=0, governor_k_integral=0)
    sky.sun()
    sky.contact()
    busy(node, 20)
    assert node.accelerator_w > 0


@pytest.mark.ascnode_requirement("THM-01")
def test_at_the_trip_temperature_the_accelerator_is_off_within_a_period(
    ascnode_node: HilNode, ascnode_sky: HilSky
) -> None:
    node = ascnode_node
    _working(node, ascnode_sky)
    trip_c = _celsius(node, "temperature_trip")
    node.sense_accelerator_c(trip_c - 0.3)
    node.step()
    assert node.state("accelerator on") == 1 and node.accelerator_w > 0
    node.sense_accelerator_c(trip_c)
    node.step()
    assert node.state("accelerator on") == 0 and node.accelerator_w == 0
    assert node.plant("accel_on 0|1") == 0


@pytest.mark.ascnode_requirement("THM-02")
def test_a_trip_ends_at_its_exit_and_is_told(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    _working(node, ascnode_sky)
    trip_c, exit_c = (_celsius(node, f"temperature_trip{end}") for end in ("", "_exit"))
    on = []
    for temperature_c in (trip_c + 0.2, trip_c - 1, exit_c + 0.2, exit_c - 0.2, trip_c - 1):
        node.sense_accelerator_c(temperature_c)
        node.step()
        on.append(node.state("accelerator on"))
    node.step(2)
    assert on == [0, 0, 0, 1, 1]
    told = [event for event in node.events() if event.event.startswith("thermal trip")]
    assert [event.event for event in told] == ["thermal trip", "thermal trip over"]
    assert told[0].value >= node.parameter("temperature_trip")
    assert told[1].value <= node.parameter("temperature_trip_exit")


@pytest.mark.ascnode_requirement("THM-03")
def test_the_governor_holds_the_target_under_full_work(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    lengthen(node)
    node.configure(charge_reserve=100)
    ascnode_sky.sun(cos_radiator=1.0, albedo=0.7)
    ascnode_sky.contact()
    node.poke("plant", p_.T_RADIATOR_UK, round((_WARM_C + KELVIN_AT_0_C) * 1e6))
    busy(node, 1500, chunk_s=20)
    target_c, trip_c = (_celsius(node, name) for name in ("temperature_target", "temperature_trip"))
    settled_c = np.array(node.trace.accelerator_c)[np.array(node.trace.t_s) > 1000]
    ascnode_measure("accelerator_peak", max(node.trace.accelerator_c), "C", high=trip_c, marginal=trip_c - 3)
    limits = {"low": target_c - 2, "high": target_c + 1, "marginal": (target_c - 1, target_c + 0.5)}
    ascnode_measure("accelerator_settled", float(settled_c.mean()), "C", **limits)
    assert not node.events("thermal trip")


@pytest.mark.ascnode_requirement("THM-04")
def test_throttled_time_is_counted_and_told(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    lengthen(node)
    node.configure(housekeeping_period=1)
    ascnode_sky.sun()
    ascnode_sky.contact()
    busy(node, 20)
    before_s = _told_throttled_s(node)
    node.sense_accelerator_c(_celsius(node, "temperature_target") + 5)
    busy(node, 30)
    node.sense_accelerator_c(20)
    busy(node, 20)
    throttled_s = _told_throttled_s(node) - before_s
    assert throttled_s == pytest.approx(30, abs=2 * node.period_s)


def _told_throttled_s(node: HilNode) -> int:
    told = [heard for heard in node.heard if heard.name == "housekeeping"]
    return told[-1].fields["throttled"]
