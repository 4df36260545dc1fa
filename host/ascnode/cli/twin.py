"""`ascnode twin`: one node's plant on its own, so that it can be compared with another tool."""

from typing import Annotated, Literal

import typer
from rich.console import Console

from ascnode.cli.sky_common import EpochText, Json, Plot, one_sentence, print_json
from ascnode.cli.twin_report import draw, print_figures
from ascnode.cli.twin_setup import hardware_of, node_of, path_from, report_of
from ascnode.errors import AscnodeError
from ascnode.scenario.hardware import DEMO_NODE
from ascnode.sky.environment import RadiatorFace
from ascnode.twin.fleet.single import Load, figures, fly, fly_integers

app = typer.Typer(
    help="The plant of one node, flown on its own.", no_args_is_help=True, pretty_exceptions_enable=False
)
_MOST_STEPS = 5_000_000
_ORBIT, _POWER, _HEAT, _ACCEL = (
    "Orbit",
    "Array, battery, load",
    "Heat",
    "Accelerator (off unless it is given)",
)


@app.callback()
def twin() -> None:
    """The plant of one node, flown on its own."""


def _option(panel: str, text: str, metavar: str | None = None) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(help=text, rich_help_panel=panel, metavar=metavar)
    return info


@app.command("run")
def run(
    orbit: Annotated[
        str | None,
        _option(_ORBIT, "In one: altitude, inclination, node, place on the orbit.", "KM,DEG[,RAAN[,U]]"),
    ] = None,
    altitude_km: Annotated[
        float | None, _option(_ORBIT, "Above the equatorial radius of 6,378.137 km.")
    ] = None,
    inclination_deg: Annotated[
        float | None, _option(_ORBIT, "Sun-synchronous with --ltan-h and without it.")
    ] = None,
    raan_deg: Annotated[float | None, _option(_ORBIT, "Right ascension of the ascending node; 0.")] = None,
    ltan_h: Annotated[
        float | None, _option(_ORBIT, "Local mean time of the ascending node, instead of --raan-deg.")
    ] = None,
    argument_of_latitude_deg: Annotated[
        float | None, _option(_ORBIT, "Start, from the ascending node; 0.")
    ] = None,
    beta_deg: Annotated[
        float | None,
        _option(_ORBIT, "Instead of all but the altitude: a Kepler orbit under a Sun that stands still."),
    ] = None,
    start_deg: Annotated[float | None, _option(_ORBIT, "With --beta-deg: start, from orbit noon; 0.")] = None,
    epoch: EpochText = None,
    two_body: Annotated[
        bool, _option(_ORBIT, "The plane stands still and the period is Kepler's: no oblateness.")
    ] = False,
    orbits: Annotated[float, _option(_ORBIT, "How many nodal periods to fly.")] = 3.0,
    duration_s: Annotated[float | None, _option(_ORBIT, "How long to fly, instead of --orbits.")] = None,
    step_s: Annotated[float, _option(_ORBIT, "Step of the integration.")] = 1.0,
    array_m2: Annotated[float, _option(_POWER, "Area of the cells.")] = DEMO_NODE.array_m2,
    cell_efficiency: Annotated[float, _option(_POWER, "Of new cells.")] = DEMO_NODE.cell_efficiency,
    mppt: Annotated[float, _option(_POWER, "Efficiency of the power tracker.")] = DEMO_NODE.mppt,
    array_face: Annotated[RadiatorFace, _option(_POWER, "Which way the array's normal points.")] = "sun",
    array_loss_per_year: Annotated[
        float, _option(_POWER, "Share of the array's power lost each year.")
    ] = DEMO_NODE.array_loss_per_year,
    age_years: Annotated[float, _option(_POWER, "Age of the array.")] = 0.0,
    solar_constant_w_m2: Annotated[
        float, _option(_POWER, "Sunlight on the array, held constant.")
    ] = DEMO_NODE.solar_constant_w_m2,
    battery_wh: Annotated[float, _option(_POWER, "Capacity.")] = DEMO_NODE.battery_wh,
    charge_efficiency: Annotated[float, _option(_POWER, "0.5..1.")] = DEMO_NODE.charge_efficiency,
    discharge_efficiency: Annotated[float, _option(_POWER, "0.5..1.")] = DEMO_NODE.discharge_efficiency,
    initial_wh: Annotated[
        float | None, _option(_POWER, f"Energy at the start; {DEMO_NODE.initial_charge:.0%} of the capacity.")
    ] = None,
    load_w: Annotated[float, _option(_POWER, "Constant load beside the accelerator.")] = DEMO_NODE.bus_load_w,
    bus_heat_w: Annotated[
        float | None, _option(_HEAT, "Of the load, what heats the radiator; all of it.")
    ] = None,
    radiator_m2: Annotated[float, _option(_HEAT, "One face.")] = DEMO_NODE.radiator_m2,
    radiator_absorptivity: Annotated[float, _option(_HEAT, "Of sunlight.")] = DEMO_NODE.radiator_absorptivity,
    radiator_emissivity: Annotated[float, _option(_HEAT, "In the infrared.")] = DEMO_NODE.radiator_emissivity,
    radiator_view_factor: Annotated[
        float | None,
        _option(_HEAT, "To the Earth; from the altitude: nadir 1/H^2, zenith 0, others as a vertical face."),
    ] = None,
    radiator_j_per_k: Annotated[float, _option(_HEAT, "Heat capacity.")] = DEMO_NODE.radiator_j_per_k,
    radiator_face: Annotated[
        RadiatorFace, _option(_HEAT, "Which way the radiator's normal points; edge: never lit by the Sun.")
    ] = "edge",
    initial_radiator_c: Annotated[float, _option(_HEAT, "At the start.")] = DEMO_NODE.initial_radiator_c,
    albedo: Annotated[float, _option(_HEAT, "Of the Earth.")] = DEMO_NODE.albedo,
    earth_infrared_w_m2: Annotated[float, _option(_HEAT, "From the Earth.")] = DEMO_NODE.earth_infrared_w_m2,
    thermal_solar_constant_w_m2: Annotated[
        float | None, _option(_HEAT, "Sunlight on the radiator; as on the array.")
    ] = None,
    stefan_boltzmann_w_m2_k4: Annotated[
        float, _option(_HEAT, "For a tool that has another.")
    ] = DEMO_NODE.stefan_boltzmann_w_m2_k4,
    accelerator_w: Annotated[float | None, _option(_ACCEL, "Turns it on, with this dynamic power.")] = None,
    leakage_w: Annotated[
        float, _option(_ACCEL, "At 25 C while it is on; doubles every 25 K.")
    ] = DEMO_NODE.leakage_w,
    accelerator_j_per_k: Annotated[float, _option(_ACCEL, "Heat capacity.")] = DEMO_NODE.accelerator_j_per_k,
    conductance_w_per_k: Annotated[
        float | None,
        _option(
            _ACCEL,
            f"To the radiator; {DEMO_NODE.conductance_w_per_k:g}, and 0 while it is off: the radiator alone.",
        ),
    ] = None,
    initial_accelerator_c: Annotated[
        float, _option(_ACCEL, "At the start.")
    ] = DEMO_NODE.initial_accelerator_c,
    node: Annotated[
        Literal["float", "integer"],
        typer.Option(help="The fleet's model in float64, or the firmware's own integers."),
    ] = "float",
    as_json: Json = False,
    plot: Plot = None,
) -> None:
    """Flies one node's plant under a constant load: extremes of battery and temperatures, eclipse, array power.

    No flight software: what the battery cannot give is unmet, what it cannot take is shunted. The Sun's distance and
    the array's solar constant do not follow the seasons.
    """
    given = dict(locals())
    with one_sentence():
        path = path_from(given)
        hardware = hardware_of(given)
        one = node_of(hardware, array_face, radiator_face)
        seconds = orbits * path.period_s if duration_s is None else duration_s
        if not (0 < step_s <= seconds and seconds / step_s <= _MOST_STEPS):
            raise AscnodeError(
                f"--step-s {step_s:g} makes no 1 to {_MOST_STEPS:,} steps of a flight of {seconds:g} s"
            )
        load = Load(accelerator_w or 0.0, accelerator_w is not None)
        fly_it = fly if node == "float" else fly_integers
        with Console(stderr=True).status("flying (kernels are compiled at first use) ..."):
            flown = fly_it(path, one, load, step_s, round(seconds / step_s), age_years)
        report = report_of(given, path) | figures(flown, one)
        if plot:
            draw(plot, flown, hardware)
    print_json(report) if as_json else print_figures(report)
