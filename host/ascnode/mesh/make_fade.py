"""Makes `fade.csv` from ITU models: `python -m ascnode.mesh.make_fade` (needs ascnode[fade]).

The attenuation by rain, clouds, gases and scintillation that is exceeded for a share of an average year: ITU-R P.618
with the maps of P.837, P.839, P.840, P.836 and P.453, by the `itur` library. Nothing of it is needed at run time.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.progress import track

from ascnode.mesh.gateways import load_gateways
from ascnode.sky.cities import load_cities
from ascnode.sky.stations import Station

TABLE = Path(__file__).with_name("fade.csv")
PERCENT = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
ELEVATIONS_DEG = (25, 40, 65)
# Middle of the Ku user downlink 10.7..12.7 GHz and of the Ka gateway uplink 27.5..30 GHz; dishes [A].
BANDS = (("user", 11.7, 0.5, load_cities), ("gateway", 28.75, 1.5, load_gateways))


def main() -> None:
    """Writes the table."""
    try:
        import itur
    except ModuleNotFoundError:
        sys.exit("make_fade: needs itur: pip install 'ascnode[fade]'")
    head = [
        f"# Made by ascnode.mesh.make_fade with itur {version('itur')} (ITU-R P.618 and its maps); do not edit.",
        "# Attenuation in dB exceeded for a share of an average year, by rain, clouds, gases and scintillation.",
        "# " + "; ".join(f"{link}: {ghz} GHz, dish {dish_m} m" for link, ghz, dish_m, _ in BANDS) + ".",
        "link,place,elevation_deg," + ",".join(f"{percent:g}%" for percent in PERCENT),
    ]
    rows = [row for link, ghz, dish_m, load in BANDS for row in _rows(itur, link, ghz, dish_m, load())]
    TABLE.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")


def _rows(itur: object, link: str, ghz: float, dish_m: float, places: Sequence[Station]) -> Iterator[str]:
    latitude = np.array([place.latitude_deg for place in places])
    longitude = np.array([place.longitude_deg for place in places])
    height_km = np.array([place.height_m / 1000 for place in places])
    for elevation_deg in ELEVATIONS_DEG:
        columns = [
            itur.atmospheric_attenuation_slant_path(  # type: ignore[attr-defined]
                latitude, longitude, ghz, elevation_deg, percent, dish_m, hs=height_km
            ).value
            for percent in track(PERCENT, f"{link} {elevation_deg} deg")
        ]
        for place, values in zip(places, np.array(columns).T, strict=True):
            yield f"{link},{place.name},{elevation_deg}," + ",".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
