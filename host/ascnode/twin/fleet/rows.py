"""What the kernels work on: a row for each class of node and each orbit plane, and one array for each quantity."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[Any]  # float32 or float64, the same in all arrays of a fleet
Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.void]
Row = Any  # one record of Rows
Real = Any  # a scalar of the arrays' type

POINTS = 7  # operating points beside idle

# One class of node, W, J, K and s. `..._worn`: what a worn-out coating adds. `..._0` and `..._1`: the cosine of the
# Sun's incidence on a face is max(0, ..._0 + ..._1 cos psi), psi at the Earth's centre from satellite to Sun.
# half_count_w: what the array's sensor reads too little on average.
_CLASS_FIELDS = """
array_w array_0 array_1
sun_w sun_worn_w albedo_share face_0 face_1 infrared_w infrared_worn_w bus_heat_w
emission_w_k4 emission_worn_w_k4 per_accel_j_k per_radiator_j_k conductance_w_k leakage_w
capacity_j eta_charge per_eta_discharge bus_w
safe safe_exit low low_exit reserve known_capacity_j known_bus_w half_count_w radio_w idle_w
control_s target_k trip_k trip_exit_k cutoff_k sustainable_w top_w over_w_k under_w_k integral_w_k_s cap_w
"""
CLASS_FIELDS = (
    *_CLASS_FIELDS.split(),
    *(f"w{point}" for point in range(1, POINTS + 1)),
    *(f"khz{point}" for point in range(1, POINTS + 1)),
)
# One plane at one time. The cosine of psi is cos_slot0 cos(d) + cos_ahead sin(d), d the angle ahead of slot 0;
# sines and cosines of the psi at which half of the Sun is hidden, and 1 / sin of the Sun's radius; slot 0's turns
# since the end of the last eclipse, and how much of a turn is light; hour_s: what is forecast without an eclipse.
PLANE_FIELDS = (
    *("cos_slot0", "cos_ahead", "cos_edge", "sin_edge", "per_sun"),
    *("since_turns", "lit_turns", "period_s", "hour_s"),
)


def rows_type(fields: tuple[str, ...], real: Any) -> np.dtype[np.void]:
    """Record type with these fields, all of type `real`."""
    return np.dtype([(field, real) for field in fields])


class State(NamedTuple):
    """One array (n,) for each quantity, satellites in plane-major order; the tables hold slot angles.

    A user may set what acts on the nodes and what they hold; the rest is what the last step says.
    """

    # Integrated.
    energy_j: Reals
    accelerator_k: Reals
    radiator_k: Reals
    integral_w: Reals  # of the thermal governor
    queue_kc: Reals  # work that waits, 1000 cycles
    shed: Bytes  # 0 nothing, 1 the accelerator, 2 all but the beacon
    tripped: Bytes
    # What acts on the nodes.
    demand_kc_s: Reals  # work that arrives
    radio_share: Reals  # of the time in which the transmitter is on
    hold: Bytes  # least level of load shed: 1 CHARGE commanded, 2 SAFE commanded or out of service
    contact: Bytes  # 1: in a ground contact, with lock
    # Ageing.
    array_left: Reals  # share of the new array's power
    capacity_left: Reals  # share of the new battery's capacity
    coating_worn: Reals  # 0 new, 1 end of life
    # Of the last step.
    load_w: Reals
    point: Bytes  # operating point, 0 idle
    # Sums since the start, or since a user has zeroed them; energies on the side of the cells.
    shunted_j: Reals
    unserved_j: Reals
    # A prescribed load, of step_open alone.
    prescribed_w: Reals  # dynamic power of the accelerator while it is on
    prescribed_on: Reals  # 1: it leaks; 0: off
    prescribed_extra_w: Reals  # beside bus and accelerator; heats the radiator
    # Tables of slot angles, shared by planes of one size.
    cosines: Reals
    sines: Reals
    turns: Reals


_BYTES = ("shed", "tripped", "hold", "contact", "point")
_PRESCRIBED = ("prescribed_w", "prescribed_on", "prescribed_extra_w")
_TABLES = ("cosines", "sines", "turns")
PER_SATELLITE = tuple(name for name in State._fields if name not in _TABLES)


def new_state(count: int, real: Any, turns: npt.NDArray[np.float64], prescribed: bool) -> State:
    """All zero, but the tables, for slots at `turns` ahead of slot 0."""
    angles = 2 * np.pi * turns
    arrays: dict[str, Any] = {
        name: np.zeros(count, np.uint8 if name in _BYTES else real) for name in PER_SATELLITE
    }
    if not prescribed:
        arrays |= {name: np.zeros(0, real) for name in _PRESCRIBED}
    tables = {"cosines": np.cos(angles), "sines": np.sin(angles), "turns": turns}
    return State(**arrays, **{name: table.astype(real) for name, table in tables.items()})
