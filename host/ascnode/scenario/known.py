"""What placement knows of all nodes at the start of a slot."""

from collections.abc import Iterable, Mapping

import numpy as np

from ascnode.scenario.board import Flyer
from ascnode.scenario.nodes import Nodes
from ascnode.scenario.placement import Known
from ascnode.scenario.scenario import Scenario
from ascnode.twin.fleet.headroom import headroom
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.tasks import SLOTS


def known_nodes(scenario: Scenario, nodes: Nodes, boards: Mapping[int, Flyer], out: Iterable[int]) -> Known:
    """The fleet's own state; that of boards from their twins, which agree with them or the run has stopped.

    A board that has been idle, and so has not been stepped, is known by the simulated node in its place.
    """
    now_s = nodes.now_us // 1_000_000
    for satellite, flyer in boards.items():
        if flyer.twin.node.computer.f[f_.NOW_S] >= now_s > 0:
            _follow(nodes, satellite, flyer)
    count, hardware = scenario.space.count, scenario.node
    usable = np.zeros(count, dtype=np.bool_)
    usable[scenario.space.compute] = True
    usable[list(out)] = False
    jobs, queue_kc = np.zeros(count, dtype=np.int64), np.zeros(count)
    for satellite in nodes.busy():
        jobs[satellite], queue_kc[satellite] = nodes.load(satellite)
    for satellite, flyer in boards.items():
        tasks = flyer.twin.node.computer.tasks
        jobs[satellite], queue_kc[satellite] = tasks.held(), tasks.backlog_kc()
    room = headroom(nodes.fleet, SLOTS * nodes.work_kc)
    clock_khz, power_w = hardware.operating_points[-1]
    most_j = nodes.fleet.of_class("known_capacity_j") * (1 - nodes.fleet.of_class("reserve"))
    return Known(
        usable=usable,
        battery=np.asarray(room.battery, dtype=np.float64),
        heat=np.asarray(room.heat, dtype=np.float64),
        jobs=jobs,
        queue_kc=queue_kc,
        clock_khz=float(clock_khz),
        job_kc=nodes.work_kc,
        job_battery=float(power_w * nodes.work_kc / clock_khz / most_j),
    )


def _follow(nodes: Nodes, satellite: int, flyer: Flyer) -> None:
    # The simulated node in a board's place is put where the board is, as its sensors tell.
    state, computer = nodes.fleet.state, flyer.twin.node.computer
    f = computer.f
    state.energy_j[satellite] = f[f_.SOC] / 1000 * nodes.capacity_j
    state.accelerator_k[satellite] = f[f_.ACCELERATOR_CK] / 100
    state.radiator_k[satellite] = f[f_.RADIATOR_CK] / 100
    state.shed[satellite], state.tripped[satellite] = f[f_.SHED], f[f_.TRIPPED]
    state.queue_kc[satellite] = computer.tasks.backlog_kc()
