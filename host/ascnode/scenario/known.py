"""What placement knows of all nodes at the start of a slot."""

from collections.abc import Iterable, Mapping

import numpy as np

from ascnode.scenario.board import Flyer
from ascnode.scenario.nodes import Nodes
from ascnode.scenario.placement import Known
from ascnode.scenario.scenario import Scenario
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

_COOL_K = 100.0  # below the target temperature heat costs nothing


def known_nodes(scenario: Scenario, nodes: Nodes, boards: Mapping[int, Flyer], out: Iterable[int]) -> Known:
    """The fleet's own state; that of boards from their twins, which agree with them or the run has stopped."""
    follow_boards(nodes, boards)
    count, fleet, hardware = scenario.space.count, nodes.fleet, scenario.node
    usable = np.zeros(count, dtype=np.bool_)
    usable[scenario.space.compute] = True
    usable[list(out)] = False
    state = fleet.state
    jobs, queue_kc = np.zeros(count, dtype=np.int64), np.zeros(count)
    for satellite in nodes.busy():
        jobs[satellite], queue_kc[satellite] = nodes.load(satellite)
    target_k = d.PARAMETERS[d.P_TEMP_TARGET][2] / 100
    clock_khz, power_w = hardware.operating_points[-1]
    known = Known(
        usable=usable,
        shut=(state.shed > 0) | (state.tripped > 0),
        spare=np.asarray(fleet.spare_j(), dtype=np.float64) / (hardware.battery_wh * 3600),
        cool=(target_k - np.asarray(state.accelerator_k, dtype=np.float64)) / _COOL_K,
        jobs=jobs,
        queue_kc=queue_kc,
        clock_khz=float(clock_khz),
        job_kc=nodes.work_kc,
        job_share=power_w * nodes.work_kc / clock_khz / (hardware.battery_wh * 3600),
    )
    for satellite, flyer in boards.items():
        computer = flyer.twin.node.computer
        known.jobs[satellite] = computer.tasks.held()
        known.queue_kc[satellite] = computer.tasks.backlog_kc()
        known.shut[satellite] = bool(computer.f[f_.SHED] or computer.f[f_.TRIPPED])
    return known


def follow_boards(nodes: Nodes, boards: Mapping[int, Flyer]) -> None:
    """The simulated node in a board's place is put where the board is, as its sensors tell."""
    state = nodes.fleet.state
    for satellite, flyer in boards.items():
        f = flyer.twin.node.computer.f
        if f[f_.SOC]:  # it has sensed something
            state.energy_j[satellite] = f[f_.SOC] / 1000 * nodes.capacity_j
            state.accelerator_k[satellite] = f[f_.ACCELERATOR_CK] / 100
            state.radiator_k[satellite] = f[f_.RADIATOR_CK] / 100
