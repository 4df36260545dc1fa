"""The large cities from which ground users send their queries."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class City:
    """One city: country is the two-letter code of ISO 3166-1, height is above the sea."""

    name: str
    country: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    population: int


def load_cities() -> tuple[City, ...]:
    """The table `cities.csv` of this package, about 100 cities, largest first."""
    lines = files("ascnode.sky").joinpath("cities.csv").read_text(encoding="utf-8").splitlines()
    _, *rows = (line for line in lines if not line.startswith("#"))
    return tuple(_city(row) for row in rows)


def _city(row: str) -> City:
    name, country, latitude_deg, longitude_deg, height_m, population_thousands = row.split(",")
    return City(
        name,
        country,
        float(latitude_deg),
        float(longitude_deg),
        float(height_m),
        1000 * int(population_thousands),
    )
