"""From the options of `ascnode twin run` to an orbit and a node."""

import re
from typing import Any

from pydantic import ValidationError

from ascnode.cli.sky_common import iso, parse_epoch
from ascnode.errors import AscnodeError
from ascnode.scenario.hardware import DEMO_NODE, Hardware, nadir_view_factor, vertical_view_factor
from ascnode.sky.environment import RadiatorFace
from ascnode.sky.orbit import CircularOrbit
from ascnode.sky.shells import sun_synchronous_inclination_deg
from ascnode.sky.sun import mean_sun_deg
from ascnode.twin.fleet.classes import NodeClass
from ascnode.twin.fleet.single import Path, path_at_beta, path_of

_ELEMENTS = ("altitude_km", "inclination_deg", "raan_deg", "argument_of_latitude_deg")
_OPTIONS = {"bus_load_w": "--load-w", "initial_charge": "--initial-wh"}


def path_from(given: dict[str, Any]) -> Path:
    """The orbit that the options name. AscnodeError where they say too little, or contradict each other."""
    if given["orbit"] is not None:
        _read_elements(given)
    if given["altitude_km"] is None:
        raise AscnodeError(
            "give the orbit: --orbit KM,DEG, or --altitude-km and --inclination-deg or --beta-deg"
        )
    if given["beta_deg"] is not None:
        _refuse(given, "--beta-deg", (*_ELEMENTS[1:], "ltan_h", "epoch"))
        return path_at_beta(given["altitude_km"], given["beta_deg"], given["start_deg"] or 0.0)
    _refuse(given, "an orbit without --beta-deg", ("start_deg",))
    epoch = parse_epoch(given["epoch"])
    if given["ltan_h"] is not None:
        _refuse(given, "--ltan-h", ("raan_deg",))
        if not 0 <= given["ltan_h"] < 24:
            raise AscnodeError(f"--ltan-h is {given['ltan_h']:g}: it lies within 0..24")
        given["raan_deg"] = (mean_sun_deg(epoch) + 15 * (given["ltan_h"] - 12)) % 360
        if given["inclination_deg"] is None:
            given["inclination_deg"] = sun_synchronous_inclination_deg(given["altitude_km"])
    if given["inclination_deg"] is None:
        raise AscnodeError("give --inclination-deg, --ltan-h for a sun-synchronous orbit, or --beta-deg")
    orbit = CircularOrbit(*(given[element] or 0.0 for element in _ELEMENTS))
    return path_of(orbit, epoch, oblate=not given["two_body"])


def hardware_of(given: dict[str, Any]) -> Hardware:
    """The node that the options describe. AscnodeError names the option that makes no sense."""
    fields = {name: given[name] for name in Hardware.model_fields if given.get(name) is not None}
    fields["bus_load_w"] = given["load_w"]
    fields.setdefault("bus_heat_w", given["load_w"])
    on = given["accelerator_w"] is not None
    fields.setdefault("conductance_w_per_k", DEMO_NODE.conductance_w_per_k if on else 0.0)
    fields.setdefault("radiator_view_factor", _view_factor(given["radiator_face"], given["altitude_km"]))
    if given["initial_wh"] is not None and given["battery_wh"] > 0:
        if not 0 <= given["initial_wh"] <= given["battery_wh"]:
            raise AscnodeError(
                f"--initial-wh is {given['initial_wh']:g}: it lies within 0 and the capacity of {given['battery_wh']:g}"
            )
        fields["initial_charge"] = given["initial_wh"] / given["battery_wh"]
    heat, light = given["thermal_solar_constant_w_m2"], given["solar_constant_w_m2"]
    if heat is not None and light > 0:
        fields["radiator_absorptivity"] = given["radiator_absorptivity"] * heat / light
    for name in ("age_years", "accelerator_w"):
        if not 0 <= (given[name] or 0.0) < 1e7:
            raise AscnodeError(f"--{name.replace('_', '-')} is {given[name]:g}: it is not negative")
    try:
        return Hardware.model_validate(fields)
    except ValidationError as error:
        one = error.errors()[0]
        field = str(one["loc"][0]) if one["loc"] else ""
        option = _OPTIONS.get(field, f"--{field.replace('_', '-')}")
        raise AscnodeError(f"{option}: {one['msg'][0].lower()}{one['msg'][1:]}") from None


def node_of(hardware: Hardware, array_face: RadiatorFace, radiator_face: RadiatorFace) -> NodeClass:
    """The fleet's class of node for it."""
    return NodeClass(hardware, radiator_face=radiator_face, array_face=array_face)


def report_of(given: dict[str, Any], path: Path) -> dict[str, Any]:
    """What was flown, ahead of the figures."""
    elements = {} if given["beta_deg"] is not None else {name: given[name] or 0.0 for name in _ELEMENTS[1:]}
    return {
        "node": given["node"],
        "altitude_km": given["altitude_km"],
        **elements,
        "epoch": iso(parse_epoch(given["epoch"]), 0.0) if elements else None,
        "beta_deg": round(path.beta_deg(0.0), 6),
        "period_s": round(path.period_s, 6),
        "step_s": given["step_s"],
    }


def _read_elements(given: dict[str, Any]) -> None:
    # --orbit as the elements that it stands for.
    _refuse(given, "--orbit", (*_ELEMENTS, "ltan_h", "beta_deg"))
    try:
        numbers = [float(part) for part in re.split("[,:/]", given["orbit"])]
    except ValueError:
        numbers = []
    if not 2 <= len(numbers) <= 4:
        raise AscnodeError(
            f"--orbit is {given['orbit']!r}: write altitude and inclination as 550,53, then RAAN and U"
        )
    given.update(zip(_ELEMENTS, numbers, strict=False))


def _refuse(given: dict[str, Any], what: str, names: tuple[str, ...]) -> None:
    for name in names:
        if given[name] is not None:
            raise AscnodeError(f"{what} leaves no room for --{name.replace('_', '-')}: give one of them")


def _view_factor(face: RadiatorFace, altitude_km: float) -> float:
    if face == "zenith":
        return 0.0
    return nadir_view_factor(altitude_km) if face == "nadir" else vertical_view_factor(altitude_km)
