"""The fleet: the vectorised twin of up to a million nodes, in floats, with the meaning of the node's firmware."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.sky.constellation import Constellation, Planes
from ascnode.sky.elements import ElementSets
from ascnode.sky.sun import sun_direction
from ascnode.sky.vectors import Floats, Integers
from ascnode.twin.fleet import kernel
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.elements import planes_of
from ascnode.twin.fleet.rows import POINTS, Bytes, Reals, Rows, new_state
from ascnode.twin.fleet.sky import plane_rows
from ascnode_fw.flight import modes
from ascnode_fw.wire import dictionary as d

SunAt = Callable[[npt.ArrayLike], Floats]  # unit vectors (..., 3) to the Sun at (...) seconds after the epoch

# A step of h seconds at a rate r leaves (r h)^2 / 12 / e of a sudden change of temperature as error for a while: with
# 0.3, 0.1 K of the 36 K by which the default node's accelerator warms at its fastest point.
_LONGEST_STEP = 0.3
SAFE_HOLD = 2  # of State.hold: all but the beacon shed
_FEW = 20_000  # nodes that one thread steps sooner than several would wake up


class Fleet:
    """Nodes on the planes of a constellation, in plane-major order.

    `state` holds all that changes, one array for each quantity. A step takes the sky at its middle, everything else
    at its start; one that the heat nodes cannot follow is done in equal parts. Raises ScenarioError for hardware or
    parameters that do not fit, ValueError for a class that is not there.
    """

    def __init__(
        self,
        planes: Planes,
        sun: SunAt,
        classes: Sequence[NodeClass],
        class_of: Integers | None = None,
        *,
        real: Any = np.float32,
        prescribed: bool = False,
        now_s: float = 0.0,
    ) -> None:
        """class_of (n,) gives each satellite's class; without it all are of the first."""
        self.planes = planes
        self.classes = tuple(classes)
        self.now_s = now_s
        self._real = real
        self._sun = sun
        self._prescribed = prescribed
        count = int(np.sum(planes.per_plane))
        each = np.zeros(count, np.int64) if class_of is None else np.asarray(class_of, np.int64)
        if each.shape != (count,) or np.any((each < 0) | (each >= len(classes))):
            raise ValueError(
                f"class_of: {count} numbers below {len(classes)} are due, one for each satellite"
            )
        self.class_of = each.astype(np.uint16)
        self._class_rows = np.array([one.row(real, flight=not prescribed) for one in classes])
        table_of, turns = _slot_tables(planes)
        self._blocks = _blocks(planes, table_of, each)
        self.state = new_state(count, real, turns, prescribed)
        self.renew(np.arange(count))

    @classmethod
    def of(
        cls,
        satellites: Constellation | ElementSets,
        epoch: datetime,
        classes: Sequence[NodeClass],
        class_of: Integers | None = None,
        **options: Any,
    ) -> "Fleet":
        """The fleet of a constellation or of real element sets under the real Sun; options as for Fleet.

        Element sets that SGP4 cannot fly at the epoch are held in SAFE.
        """
        if isinstance(satellites, ElementSets):
            planes, lost = planes_of(satellites, epoch)
        else:
            planes, lost = satellites.planes, np.zeros(satellites.count, np.bool_)
        fleet = cls(planes, lambda t_s: sun_direction(epoch, t_s), classes, class_of, **options)
        fleet.state.hold[lost] = SAFE_HOLD
        return fleet

    def __len__(self) -> int:
        return len(self.state.energy_j)

    # --- time

    def step(self, dt_s: float) -> None:
        """Plant and flight software over dt_s. Raises ValueError unless dt_s is positive and finite."""
        self._advance(True, dt_s)

    def step_open(self, dt_s: float) -> None:
        """The plant alone over dt_s, under the load that the state prescribes.

        Raises ValueError for such a dt_s, or when the fleet was made without `prescribed`.
        """
        self._advance(False, dt_s)

    def fly_open(self, dt_s: float, steps: int) -> Reals:
        """Many open-loop steps of a fleet of one: (steps, 5), see kernel.fly_one. Raises ValueError as step_open."""
        self._check(dt_s, prescribed=True)
        parts, h = self._parts(dt_s)
        t_s = self.now_s + h * (np.arange(steps * parts) + 0.5)
        record = np.empty((steps, 5), self._real)
        rows = self._plane_rows(t_s)
        kernel.fly_one(self._real(h), parts, rows, self._class_rows, self._blocks, self.state, record)
        self.now_s += steps * dt_s
        return record

    def _advance(self, closed: bool, dt_s: float) -> None:
        self._check(dt_s, prescribed=not closed)
        parts, h = self._parts(dt_s)
        run = kernel.step if len(self) <= _FEW else kernel.step_in_threads
        for part in range(parts):
            rows = self._plane_rows(self.now_s + (part + 0.5) * h)
            run(closed, self._real(h), rows, self._class_rows, self._blocks, self.state)
        self.now_s += dt_s

    def _check(self, dt_s: float, prescribed: bool) -> None:
        if not 0 < dt_s < math.inf:
            raise ValueError(f"dt_s is {dt_s}: a step takes a positive number of seconds")
        if prescribed != self._prescribed:
            raise ValueError(
                "a fleet flies open loop when it was made with prescribed=True, and else closed loop"
            )

    def _parts(self, dt_s: float) -> tuple[int, float]:
        rate = max(one.heat_rate_per_s for one in self.classes)
        parts = max(1, math.ceil(dt_s * rate / _LONGEST_STEP))
        return parts, dt_s / parts

    def _plane_rows(self, t_s: npt.ArrayLike) -> Rows:
        return plane_rows(self.planes, t_s, self._sun(t_s), self._real)

    # --- what the operator says

    def cap_node(self, cap_w: float) -> None:
        """Caps every node's power, as telecommand cap_power does; 0 is no cap. Held from the next step on.

        A cap that the bus alone exceeds leaves the accelerator off. Raises ValueError for a negative cap.
        """
        if not 0 <= cap_w < math.inf:
            raise ValueError(f"cap_w is {cap_w}: a cap is a number of watts, 0 for none")
        self._class_rows["cap_w"] = cap_w or np.inf

    def cap(self, mesh_w: float) -> None:
        """Caps the power of all nodes together: each gets a share in proportion to its peak load; 0 is no cap.

        Raises ValueError for a cap below what the buses draw, which nobody can meet.
        """
        counts = np.bincount(self.class_of, minlength=len(self.classes))
        peaks = np.array([one.peak_load_w for one in self.classes])
        share = mesh_w / float(counts @ peaks) if mesh_w else np.inf
        short = [
            one
            for one, peak in zip(self.classes, peaks, strict=True)
            if share * peak < one.hardware.bus_load_w
        ]
        if short or not share > 0:
            raise ValueError(f"a cap of {mesh_w:.6g} W for all nodes leaves less than some bus draws")
        self._class_rows["cap_w"] = share * peaks

    def renew(self, satellites: Integers) -> None:
        """Puts new nodes in the places of those satellites (k,): battery, temperatures and age as at launch."""
        s, each = self.state, self.class_of[satellites]
        hardware = [one.hardware for one in self.classes]
        for array in (s.integral_w, s.queue_kc, s.shed, s.tripped, s.hold, s.point, s.coating_worn):
            array[satellites] = 0
        for array in (s.array_left, s.capacity_left):
            array[satellites] = 1
        s.energy_j[satellites] = np.array([hw.battery_wh * 3600 * hw.initial_charge for hw in hardware])[each]
        s.accelerator_k[satellites] = (
            np.array([hw.initial_accelerator_c for hw in hardware])[each] + KELVIN_AT_0_C
        )
        s.radiator_k[satellites] = np.array([hw.initial_radiator_c for hw in hardware])[each] + KELVIN_AT_0_C

    # --- what it says

    @property
    def charge(self) -> Reals:
        """State of charge of each node (n,), 0..1 of what its battery still holds."""
        s = self.state
        charge: Reals = s.energy_j / (self.of_class("capacity_j") * s.capacity_left)
        return charge

    @property
    def mode(self) -> Bytes:
        """Mode of each node (n,), numbered as in the dictionary: where its table of transitions comes to rest."""
        mode: Bytes = _SETTLED[self.state.shed, self.state.contact]
        return mode

    @property
    def bytes_per_satellite(self) -> float:
        """Memory of the state, tables and class numbers included."""
        tables = sum(array.nbytes for array in self.state) + self.class_of.nbytes + self._blocks.nbytes
        return tables / len(self)

    def spare_j(self) -> Reals:
        """Energy (n,) that each node could spend on work until the end of its next eclipse, its queue not counted.

        As flight software forecasts it: above the reserve, with the array as it is now until dark.
        """
        rows, spare = self._plane_rows(self.now_s), np.empty_like(self.state.energy_j)
        kernel.spare_energy(rows, self._class_rows, self._blocks, self.state, self.array_w(), spare)
        return spare

    def array_w(self, t_s: float | None = None) -> Reals:
        """Array power of each node (n,), now or at another time t_s after the epoch."""
        rows = self._plane_rows(self.now_s if t_s is None else t_s)
        array = np.empty_like(self.state.energy_j)
        kernel.array_power(rows, self._class_rows, self._blocks, self.state, array)
        return array

    def working_point(self) -> tuple[Reals, Reals]:
        """Power W and clock kHz (n,) that a new job can reckon with: the point in use, or the slowest one."""
        at = np.maximum(self.state.point, 1) - 1
        tables = (
            np.stack([self._class_rows[f"{kind}{p}"] for p in range(1, POINTS + 1)]) for kind in ("w", "khz")
        )
        power, clock = (table[at, self.class_of] for table in tables)
        return power, np.maximum(clock, 1)

    def of_class(self, name: str) -> Any:
        """A constant of each satellite's class (n,), by its name in rows.CLASS_FIELDS, or the one value of all."""
        column = self._class_rows[name]
        return column[0] if len(column) == 1 else column[self.class_of]


def _settled() -> Bytes:
    # Mode by level of load shed and contact, from the flight software's own table.
    loads = (0, modes.LOW, modes.CRITICAL | modes.LOW)
    settled = np.zeros((len(loads), 2), np.uint8)
    for level, contact in np.ndindex(settled.shape):
        mode = d.COMPUTE
        for _ in modes.TABLE:
            mode = modes.next_mode(mode, loads[level] | contact * modes.CONTACT)
        settled[level, contact] = mode
    return settled


_SETTLED = _settled()


def _slot_tables(planes: Planes) -> tuple[Integers, Floats]:
    # Where each plane's slots begin in a table of turns, (p,) and (s,): planes of one size share theirs.
    sizes, each = np.unique(planes.per_plane, return_inverse=True)
    begin = np.cumsum(sizes) - sizes
    return begin[each], np.concatenate([np.arange(size) / size for size in sizes])


def _blocks(planes: Planes, table_of: Integers, class_of: Integers) -> kernel.Blocks:
    # Runs of one plane and one class, none longer than a block.
    plane_of = np.repeat(np.arange(len(planes)), planes.per_plane)
    slot = np.arange(len(plane_of)) - planes.first[plane_of]
    changed = (np.diff(plane_of, prepend=-1) != 0) | (np.diff(class_of, prepend=-1) != 0)
    run = np.maximum.accumulate(np.where(changed, np.arange(len(plane_of)), 0))
    first = np.flatnonzero(changed | ((np.arange(len(plane_of)) - run) % kernel.BLOCK == 0))
    last = np.append(first[1:], len(plane_of))
    start = table_of[plane_of[first]] + slot[first]
    columns = (first, last, start, start + last - first, plane_of[first], class_of[first])
    return np.ascontiguousarray(np.stack(columns, axis=-1))
