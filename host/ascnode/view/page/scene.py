"""What of a run does not change while it flies: orbits, places on the ground, lasers, limits."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.errors import ScenarioError
from ascnode.mesh.slots import SLOT_S, slot_number, slot_start_s
from ascnode.mesh.topology import Layout, laser_mesh
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slots import gateways_of, users_of
from ascnode.sky.constants import EARTH_RADIUS_KM
from ascnode.sky.sun import sun_direction
from ascnode.sky.time import gmst_rad
from ascnode_fw.flight.tasks import SLOTS
from ascnode_fw.wire import dictionary as d

_SUN_EVERY_S = 3600.0  # the Sun moves 0.04 deg in that time
_DAY_S = 86_400.0
_MICRORADIANS = 7  # digits behind the point: under a metre in low orbit


def scene_of(scenario: Scenario, lasers: list[list[int]] | None = None) -> dict[str, Any]:
    """Everything that the page draws a run's sky and limits from, as JSON; angles in rad and deg, times in s.

    `lasers` are those that its record says are planned. Raises ScenarioError where the constellation's file is no
    longer there.
    """
    space = scenario.space
    return {
        "name": scenario.name,
        "epoch": scenario.epoch.isoformat().replace("+00:00", "Z"),
        "length_s": scenario.length_s,
        "step_s": scenario.step_ms / 1000,
        "slots": _slots(scenario),
        "earth": _earth(scenario),
        "planes": _columns(vars(space.planes())),
        "names": [space.name(i) for i in range(space.count)],
        "compute": space.compute.tolist(),
        "boards": list(space.boards),
        "users": _places(users_of(scenario)),
        "gateways": _places(gateways_of(scenario)),
        "lasers": _lasers(scenario) if lasers is None else lasers,
        "limits": limits_of(scenario),
        "points": [list(point) for point in scenario.node.operating_points],
        "caps": [cap.model_dump() for cap in scenario.cap],
    }


def limits_of(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """The lines that a node's charts are drawn with: by quantity, each with a word and a value.

    Charge as a share, temperatures in °C, power in W, as the flight software's parameters have them by default.
    """
    value = {row[0]: row[2] for row in d.PARAMETERS}
    charge = {"reserve": d.P_SOC_RESERVE, "charge": d.P_SOC_CHARGE, "safe": d.P_SOC_SAFE}
    heat = {"trip": d.P_TEMP_TRIP, "target": d.P_TEMP_TARGET}
    return {
        "charge": [_limit(word, value[p] / 1000) for word, p in charge.items()],
        "accelerator_c": [_limit(word, value[p] / 100 - KELVIN_AT_0_C) for word, p in heat.items()],
        "array_w": [_limit("full sun", scenario.node.array_full_sun_w)],
        "point": [_limit("fastest", len(scenario.node.operating_points) - 1)],
        "queue": [_limit("full", SLOTS)],
    }


def _limit(word: str, value: float) -> dict[str, Any]:
    return {"word": word, "value": round(value, 3)}


def _slots(scenario: Scenario) -> dict[str, float]:
    # The first one is under way at the epoch, unless the epoch is an edge.
    first = slot_number(scenario.epoch, 0.0)
    start_s = slot_start_s(scenario.epoch, first)
    last = slot_number(scenario.epoch, max(0.0, scenario.length_s - 1e-6))
    return {"first": first, "start_s": start_s, "each_s": SLOT_S, "count": last - first + 1}


def _earth(scenario: Scenario) -> dict[str, Any]:
    now, tomorrow = gmst_rad(scenario.epoch, [0.0, _DAY_S])
    hours = np.arange(0.0, scenario.length_s + 2 * _SUN_EVERY_S, _SUN_EVERY_S)
    return {
        "radius_km": EARTH_RADIUS_KM,
        "gmst_rad": float(now),
        # a sidereal day is shorter than a day: the angle has gone once around and some
        "turn_rad_s": float((tomorrow - now) % (2 * np.pi) + 2 * np.pi) / _DAY_S,
        "sun_every_s": _SUN_EVERY_S,
        "sun": np.round(sun_direction(scenario.epoch, hours), 6).tolist(),
    }


def _columns(table: dict[str, npt.NDArray[Any]]) -> dict[str, list[float]]:
    # Rates are 1e-3 rad/s and below, and count for days: they keep all digits.
    return {
        name: (column if name.endswith("rate_rad_s") else np.round(column, _MICRORADIANS)).tolist()
        for name, column in table.items()
    }


def _places(places: Any) -> list[list[Any]]:
    return [[place.name, round(place.latitude_deg, 3), round(place.longitude_deg, 3)] for place in places]


def _lasers(scenario: Scenario) -> list[list[int]]:
    # What a +grid always tries; other links come and go, and are in the record of each slot.
    try:
        mesh = laser_mesh(scenario.space.satellites, layout=Layout(scenario.lasers.layout))
    except ScenarioError:
        return []
    pairs: list[list[int]] = mesh.fixed.tolist()
    return pairs
