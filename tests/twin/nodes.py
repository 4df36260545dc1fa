"""Nodes of real firmware beside the fleet: the same orbits, light, eclipse plans and work."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from ascnode.scenario.hardware import Hardware
from ascnode.sky.constellation import Constellation
from ascnode.sky.environment import environment
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.plans import eclipse_plan
from ascnode.sky.shells import Shell
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.fleet import Fleet
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import tasks as t_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from firmware.node.rig import FULL, Rig

EPOCH = datetime(2026, 3, 20, 12, tzinfo=UTC)
RING = Constellation("four planes", (Shell(550.0, 53.0, 4, 1, 1),))
ORBIT_S = round(RING.orbit(0).period_s)


@dataclass(frozen=True)
class Trace:
    """One entry a step, (steps,) of a node or (steps, n) of a fleet."""

    step_s: float
    charge: npt.NDArray[np.float64]
    accelerator_c: npt.NDArray[np.float64]
    mode: npt.NDArray[np.int64]
    point: npt.NDArray[np.int64]
    load_w: npt.NDArray[np.float64]

    def minutes(self, mode: int) -> npt.NDArray[np.float64]:
        """Time spent in a mode."""
        spent: npt.NDArray[np.float64] = np.sum(self.mode == mode, axis=0) * self.step_s / 60
        return spent


def fly_node(orbit: CircularOrbit, hardware: Hardware, demand_kc_s: int, seconds: int) -> Trace:
    """The firmware in CPython at 1 s steps; a job a second as long as its table has room for one."""
    rig = Rig(hardware)
    windows = [
        (int(start), int(np.ceil(end))) for start, end in eclipse_plan(orbit, EPOCH, 0, seconds + 7000)
    ]
    rig.command("plan_add", d.PLAN_ECLIPSES, data=b"".join(struct.pack(">II", *window) for window in windows))
    lights = environment(orbit, EPOCH, np.arange(seconds) + 0.5, "edge").in_1024().tolist()
    rows = [_second(rig, light, demand_kc_s) for light in lights]
    charge, accelerator, mode, point, load = np.array(rows).T
    return Trace(1.0, charge, accelerator, mode.astype(int), point.astype(int), load)


def _second(rig: Rig, light: list[int], demand_kc_s: int) -> tuple[float, ...]:
    rig.light(light[0], 0, light[3])
    tasks, f = rig.node.computer.tasks, rig.node.computer.f
    if tasks.held() < t_.SLOTS:
        tasks.add(f, (1, 2, 1, f[f_.NOW_S] + 500_000), 1, demand_kc_s, FULL)
    rig.node.step()
    stored = rig.node.plant.state[p_.ENERGY_J] / rig.node.plant_words[p_.CAPACITY_J]
    return stored, rig.accelerator_c(), f[f_.MODE], f[f_.OP], rig.load_w()


def fly_fleet(cases: Sequence[tuple[Hardware, int]], seconds: int, step_s: float) -> Trace:
    """The ring once for each hardware and demand, queues no longer than the firmware's table: ring by ring."""
    rings = Constellation("rings", RING.shells * len(cases))
    classes = [NodeClass(hardware) for hardware, _ in cases]
    fleet = Fleet.of(rings, EPOCH, classes, np.repeat(np.arange(len(cases)), RING.count))
    s = fleet.state
    s.demand_kc_s[:] = np.repeat([demand for _, demand in cases], RING.count)
    rows = []
    for _ in range(round(seconds / step_s)):
        fleet.step(step_s)
        np.minimum(s.queue_kc, t_.SLOTS * s.demand_kc_s, out=s.queue_kc)
        rows.append((fleet.charge, s.accelerator_k - 273.15, fleet.mode, s.point.copy(), s.load_w.copy()))
    charge, accelerator, mode, point, load = (np.stack(column) for column in zip(*rows, strict=True))
    return Trace(step_s, charge, accelerator, mode, point, load)
