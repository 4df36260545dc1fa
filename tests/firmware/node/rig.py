"""A whole node in CPython: firmware over the real plant, under a sky of the tests' own."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import bench_key, node_files, unique_id
from ascnode.session.commanding import Commander
from ascnode.twin.store import MemoryStore
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import tasks as t_
from ascnode_fw.node import Node
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import Model
from firmware.plant.orbits import SunlitOrbit

FULL = memoryview(bytes(64))


class Rig:
    """One node; `sent` are the bodies that it put on the wire."""

    def __init__(
        self, hardware: Hardware | None = None, model: Model | None = None, step_ms: int = 1000
    ) -> None:
        self.hardware = hardware or Hardware()
        self.sent: list[bytes] = []
        self.store = MemoryStore(node_files(self.hardware, b"", 1, 0, step_ms))
        self.node = Node(
            self.store, model or Model(), unique_id(1, 0), lambda body: self.sent.append(bytes(body))
        )
        self.commander = Commander(bench_key(1, 0))
        self.light(1024)

    @property
    def f(self) -> "np.ndarray | object":
        return self.node.computer.f

    def light(self, illumination: int, radiator: int = 0, albedo: int = 300) -> None:
        """Sunlight on array and radiator, albedo, all over 1024."""
        plant = self.node.plant
        plant.set_input(p_.ILLUMINATION, illumination)
        plant.set_input(p_.COS_ARRAY, 1024)
        plant.set_input(p_.COS_RADIATOR, radiator)
        plant.set_input(p_.ALBEDO, albedo)

    def command(self, name: str, *arguments: int, data: bytes = b"") -> None:
        """A signed telecommand at the radio."""
        self.node.receive(memoryview(self.commander.packet(name, *arguments, data=data)))

    def cap(self, cap_pw: int) -> None:
        self.command("cap_power", cap_pw)

    def demand(self) -> None:
        """As much work as the table holds of jobs that take minutes each."""
        tasks, f = self.node.computer.tasks, self.node.computer.f
        while tasks.held() < 4:
            tasks.add(f, (1, 2, 1, f[f_.NOW_S] + 500_000), 1, 5_000_000, FULL)

    def no_demand(self) -> None:
        """Drops all jobs."""
        tasks = self.node.computer.tasks
        for slot in range(t_.SLOTS):
            if tasks.words[slot * t_.WORDS]:
                tasks.remove(slot)
        self.node.computer.f[f_.RUNNING] = -1

    def settle(self, steps: int, demand: bool = False) -> None:
        """Control periods."""
        for _ in range(steps):
            if demand:
                self.demand()
            self.node.step()

    def load_w(self) -> float:
        """What the plant drew in the last step: bus, radio, accelerator with its leakage."""
        return self.node.plant.state[p_.LOAD_PW] / 1000 * float(1 << self.node.plant_words[p_.SCALE_K])

    def accelerator_c(self) -> float:
        return self.node.plant.state[p_.T_ACCEL_UK] * 1e-6 - 273.15

    def charge(self) -> float:
        return self.node.plant.state[p_.ENERGY_J] / self.node.plant_words[p_.CAPACITY_J]

    def recharge(self) -> None:
        """Fills the battery, for tests that are not about it."""
        self.node.plant.state[p_.ENERGY_J] = self.node.plant_words[p_.CAPACITY_J]


@dataclass
class Flight:
    """Trace of a node in orbit: one entry a second."""

    charge: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    point: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    accelerator_c: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    eclipses: list[tuple[int, int]]


def fly(
    rig: Rig, orbit: SunlitOrbit, orbits: float, each: Callable[[Rig, int], None] = lambda *_: None
) -> Flight:
    """Full demand through some orbits, with the eclipses uplinked; `each` may meddle before every step."""
    seconds = math.ceil(orbits * orbit.period_s)
    lit, cos_psi = orbit.sun(np.arange(seconds + 7000.0))
    eclipses = _dark(lit)
    data = b"".join(struct.pack(">II", *window) for window in eclipses)
    rig.command("plan_add", d.PLAN_ECLIPSES, data=data)
    trace = Flight(np.zeros(seconds), np.zeros(seconds, np.int64), np.zeros(seconds), eclipses)
    for t in range(seconds):
        rig.light(round(1024 * lit[t]), 0, round(1024 * cos_psi[t]))
        rig.demand()
        each(rig, t)
        rig.node.step()
        trace.charge[t], trace.accelerator_c[t] = rig.charge(), rig.accelerator_c()
        trace.point[t] = rig.node.computer.f[f_.OP]
    return trace


def _dark(lit: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[tuple[int, int]]:
    # Whole seconds in which any of the Sun is hidden.
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (lit < 1).astype(int), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
