"""A slot as a viewer needs it: every satellite's state, and who was served by whom over which lasers."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ascnode.mesh.assignment import NONE
from ascnode.record.packed import FleetState, pack_fleet, pack_json
from ascnode.scenario.board import Flyer
from ascnode.scenario.outages import Out
from ascnode.scenario.slot import Slot
from ascnode.sky.constants import EARTH_RADIUS_KM
from ascnode.sky.sun import sun_direction
from ascnode.sky.vectors import Floats, Integers
from ascnode_fw.flight import layout as f_

if TYPE_CHECKING:
    from ascnode.scenario.run import Run


def fleet_of(run: "Run", slot: Slot, out: Out) -> bytes:
    """All satellites at the slot's end, packed. A board is known by its twin, or, where that has not been stepped so
    far, by the simulated node in its place."""
    nodes = run.nodes
    fleet, state, count = nodes.fleet, nodes.fleet.state, run.scenario.space.count
    jobs = np.zeros(count, np.int64)
    for satellite in nodes.busy():
        jobs[satellite] = nodes.load(satellite)[0]
    columns: dict[str, Any] = {
        "charge": np.asarray(fleet.charge, np.float64),
        "accelerator_k": state.accelerator_k.copy(),
        "radiator_k": state.radiator_k.copy(),
        "operating_point": state.point.copy(),
        "jobs": jobs,
        "mode": fleet.mode.copy(),
        "sunlit": _sunlit(run, slot, out),
        "out": _marked(out.satellites, count),
        "shed": state.shed != 0,
        "tripped": state.tripped != 0,
        "board": _marked(run.scenario.space.boards, count),
    }
    for satellite, flyer in run.twins().items():
        if flyer.twin.now_us >= slot.end_us:
            _put(columns, satellite, flyer)
    fastest = len(run.scenario.node.operating_points) - 1
    columns["throttled"] = (columns["jobs"] > 0) & (columns["operating_point"] < fastest)
    return pack_fleet(FleetState(**columns))


def _marked(which: Any, count: int) -> Any:
    marks = np.zeros(count, np.bool_)
    marks[list(which)] = True
    return marks


def _sunlit(run: "Run", slot: Slot, out: Out) -> Any:
    # The Sun's centre is above the limb. The mesh knows no place of satellites that are out.
    space, end_s = run.scenario.space, slot.end_us / 1e6
    places: Floats = slot.satellite_km[1]
    if out.satellites:
        places = space.satellites.positions_km(space.epoch, end_s)
    beyond_limb_km2 = np.einsum("ij,ij->i", places, places) - EARTH_RADIUS_KM**2
    return places @ sun_direction(space.epoch, end_s) >= -np.sqrt(beyond_limb_km2)


def _put(columns: dict[str, Any], satellite: int, flyer: Flyer) -> None:
    f, tasks = flyer.twin.node.computer.f, flyer.twin.node.computer.tasks
    for name, value in (
        ("charge", f[f_.SOC] / 1000),
        ("accelerator_k", f[f_.ACCELERATOR_CK] / 100),
        ("radiator_k", f[f_.RADIATOR_CK] / 100),
        ("operating_point", f[f_.OP] & 0xFF),  # an upset may have made it anything
        ("jobs", tasks.held()),
        ("mode", f[f_.MODE] & 3),
        ("shed", f[f_.SHED] != 0),
        ("tripped", f[f_.TRIPPED] != 0),
    ):
        columns[name][satellite] = value


def service_of(slot: Slot, out: Out, planned: Integers) -> bytes:
    """Who serves whom during the slot, packed: docs/records.md has the keys. planned (m, 2) are the lasers that do not
    change, such as a +grid."""
    gateways = np.flatnonzero(slot.gateway != NONE)
    lost, more = _changed(slot.lasers, planned)
    return pack_json(
        {
            "serving": slot.serving.tolist(),
            "gateway": [gateways.tolist(), slot.gateway[gateways].tolist()],
            "lasers_out": lost.tolist(),
            "lasers_more": more.tolist(),
            "out": sorted(out.satellites),
            "gateways_out": sorted(out.gateways),
        }
    )


def _changed(lasers: Integers, planned: Integers) -> tuple[Integers, Integers]:
    # What of the plan is not there, and what is there beside it.
    if np.array_equal(lasers, planned):
        return planned[:0], planned[:0]
    up, fixed = _keys(lasers), _keys(planned)
    return planned[~np.isin(fixed, up)], lasers[~np.isin(up, fixed)]


def _keys(pairs: Integers) -> Integers:
    return (pairs[:, 0] << 32) | pairs[:, 1]
