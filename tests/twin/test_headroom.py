"""Headroom for placement: what the firmware would admit, and a cost that rises towards every limit."""

import numpy as np
import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode.twin.fleet.headroom import admits, headroom
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from firmware.node.rig import Rig
from twin.nodes import EPOCH

NO_ECLIPSE = Constellation("high", (Shell(1500.0, 90.0, 1, 8, raan0_deg=90.0),))


def fleet() -> Fleet:
    one = Fleet.of(NO_ECLIPSE, EPOCH, [NodeClass()])
    one.step(1.0)
    return one


def test_spare_energy_is_what_the_flight_software_forecasts() -> None:
    rig = Rig(Hardware())
    one = fleet()
    for charge in (0.3, 0.65, 0.95):
        rig.node.plant.state[p_.ENERGY_J] = int(charge * 300 * 3600)
        rig.settle(3, demand=True)
        rig.node.plant.state[p_.ENERGY_J] = int(charge * 300 * 3600)
        rig.settle(1, demand=True)
        one.state.energy_j[:] = charge * 300 * 3600
        its = rig.node.computer.f[f_.SPARE_J]
        # One count of the cell's converter is 0.0013 of the charge, one of the array's 0.26 W over an hour.
        assert one.spare_j()[0] == pytest.approx(its, abs=0.0015 * 300 * 3600 + 1000)


def test_work_is_admitted_while_battery_heat_queue_and_deadline_allow() -> None:
    one = fleet()
    s = one.state
    assert admits(one, 1e5, 60).all()
    s.tripped[0], s.shed[1], s.hold[2] = 1, 1, 2
    s.queue_kc[3] = 20_000 * 70  # 70 s of the slowest point
    s.energy_j[4] = 0.2 * 300 * 3600
    s.array_left[4] = 0
    assert admits(one, 1e5, 60).tolist() == [False] * 5 + [True] * 3


@pytest.mark.parametrize(
    ("array", "better", "worse"),
    [("energy_j", 9e5, 7e5), ("accelerator_k", 300.0, 340.0), ("queue_kc", 0.0, 5e6)],
)
def test_cost_rises_towards_every_limit(array: str, better: float, worse: float) -> None:
    one = fleet()
    one.state.array_left[:] = 0.1  # else an hour of sun fills any battery
    values = getattr(one.state, array)
    values[:] = better
    values[1] = worse
    cost = headroom(one, 1e7).cost()
    assert cost[1] > cost[0] >= 0


def test_a_node_at_a_limit_costs_without_bound() -> None:
    one = fleet()
    one.state.queue_kc[0] = 1e7
    one.state.shed[1] = 1
    one.state.accelerator_k[2] = 400
    cost = headroom(one, 1e7).cost()
    assert np.isinf(cost[:3]).all() and np.isfinite(cost[3:]).all()
    assert int(np.argmin(cost)) >= 3


def test_room_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="queue_kc is 0"):
        headroom(fleet(), 0)
