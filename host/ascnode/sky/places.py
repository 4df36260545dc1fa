"""Places on the ground as a user writes them: a city's name, or latitude and longitude."""

import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches

from ascnode.errors import ScenarioError
from ascnode.sky.cities import City, load_cities
from ascnode.sky.stations import earth_fixed


@dataclass(frozen=True)
class Site:
    """A place without a name of its own; height above the ellipsoid."""

    name: str
    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0


def place(text: str) -> City | Site:
    """The place that CITY or LAT,LON or LAT,LON,HEIGHT_M means; degrees, north and east positive.

    Case and accents of a city's name do not matter. Raises ScenarioError with what comes near or is allowed.
    """
    numbers = _numbers(text)
    if numbers is not None:
        return _site(text, numbers)
    cities = {_plain(city.name): city for city in load_cities()}
    city = cities.get(_plain(text))
    if city is None:
        near = [cities[name].name for name in get_close_matches(_plain(text), cities, cutoff=0.6)]
        meant = f"did you mean {' or '.join(near)}?" if near else f"it knows {len(cities)} large cities;"
        raise ScenarioError(f"{text!r} is no city of the table: {meant} LAT,LON in degrees is allowed too")
    return city


def _site(text: str, numbers: list[float]) -> Site:
    site = Site(text.replace(" ", ""), *numbers)
    try:
        earth_fixed([site])
    except ValueError as e:
        raise ScenarioError(str(e)) from None
    return site


def _numbers(text: str) -> list[float] | None:
    """The two or three numbers of a place in degrees; None where the text is something else."""
    parts = text.split(",")
    if len(parts) not in (2, 3):
        return None
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(c for c in letters if c.isalnum())
