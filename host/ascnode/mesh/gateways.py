"""Where the constellation meets the ground's fibre."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from ascnode.mesh.fibre import great_circle_km
from ascnode.sky.places import Site
from ascnode.sky.vectors import Floats


@dataclass(frozen=True)
class Gateway:
    """A gateway, its antennas (each follows one satellite), and the exchange point that its fibre leads to."""

    name: str
    country: str
    latitude_deg: float
    longitude_deg: float
    height_m: float
    antennas: int
    exchange: Site


def load_gateways() -> tuple[Gateway, ...]:
    """The table `gateways.csv` of this package [A]."""
    lines = files("ascnode.mesh").joinpath("gateways.csv").read_text(encoding="utf-8").splitlines()
    _, *rows = (line for line in lines if not line.startswith("#"))
    return tuple(_gateway(row.split(",")) for row in rows)


def _gateway(row: list[str]) -> Gateway:
    name, country, latitude, longitude, height, antennas, exchange, x_latitude, x_longitude = row
    site = Site(exchange, float(x_latitude), float(x_longitude))
    return Gateway(name, country, float(latitude), float(longitude), float(height), int(antennas), site)


def exchange_km(gateways: Sequence[Gateway]) -> Floats:
    """Great-circle distance of each gateway to its exchange point, (g,)."""
    return np.array([great_circle_km([one, one.exchange])[0, 1] for one in gateways])
