"""What the tests of the mesh share."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from scipy.sparse import csr_matrix

from ascnode.mesh.ground import GroundRules
from ascnode.mesh.network import Network, Snapshot
from ascnode.mesh.outages import Outages
from ascnode.mesh.topology import Layout, laser_mesh
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from ascnode.sky.stations import Station

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EARTH_RADIUS_KM = 6378.137


def shells(*parts: Shell) -> Constellation:
    return Constellation("test", parts)


def network(
    satellites: Constellation,
    stations: Sequence[Station],
    layout: Layout = Layout.GRID,
    outages: Outages | None = None,
    rules: GroundRules | None = None,
) -> Network:
    mesh = laser_mesh(satellites, layout=layout, outages=outages)
    return Network(satellites, mesh, stations, EPOCH, rules)


def as_matrix(snapshot: Snapshot) -> csr_matrix:
    """Satellites 0..n-1, then stations, as an undirected graph for scipy; stations only receive."""
    n, k = len(snapshot.positions_km), snapshot.ground.stations
    a, b = snapshot.links.pairs.T
    station = np.repeat(np.arange(k), np.diff(snapshot.ground.first))
    down = (snapshot.ground.satellite, n + station)
    rows = np.concatenate([a, b, down[1]])
    columns = np.concatenate([b, a, down[0]])
    link_km = np.maximum(snapshot.links.length_km, 1e-6)  # satellites in one place are 1 mm apart
    lengths = np.concatenate([link_km, link_km, snapshot.ground.range_km])
    return csr_matrix((lengths, (rows, columns)), shape=(n + k, n + k))


def least_distance_km(a: np.ndarray, b: np.ndarray, samples: int = 20001) -> float:
    """How near to the Earth's centre the segment comes, by walking along it."""
    share = np.linspace(0, 1, samples)[:, None]
    return float(np.min(np.linalg.norm(a + share * (b - a), axis=1)))


def great_circle_km(a: Station, b: Station) -> float:
    """By the dot product of unit vectors, on the mean sphere."""

    def unit(place: Station) -> np.ndarray:
        latitude, longitude = math.radians(place.latitude_deg), math.radians(place.longitude_deg)
        return np.array(
            [
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            ]
        )

    return 6371.0088 * math.acos(min(1.0, float(unit(a) @ unit(b))))
