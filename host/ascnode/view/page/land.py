"""The outline of the land, where a package that carries Natural Earth's is installed (`ascnode[page]`).

Natural Earth's 1:110m land is in the public domain; its file is read out of the package, whose code is not run.
Without it the page draws a graticule, the cities and the stations.
"""

import json
import math
from importlib import metadata
from itertools import pairwise
from typing import Any

_PACKAGE, _FILE = "cosmo-tui", "ne_110m_land.geojson"
_DIGITS = 2  # of a degree: 1 km, a tenth of a pixel
_MOST_POINTS = 50_000


def load_land() -> list[list[list[float]]]:
    """Rings of [longitude, latitude] in deg; empty where there is no such file, or it is not what it was."""
    try:
        found = [file for file in metadata.files(_PACKAGE) or () if file.name == _FILE]
        return _rings(json.loads(found[0].read_text(encoding="utf-8"))) if found else []
    except (metadata.PackageNotFoundError, OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _rings(collection: Any) -> list[list[list[float]]]:
    rings = [
        _ring(ring)
        for feature in collection["features"]
        for polygon in _polygons(feature["geometry"])
        for ring in polygon
    ]
    if sum(map(len, rings)) > _MOST_POINTS:
        raise ValueError("more points than a world map has")
    return rings


def _polygons(geometry: Any) -> list[Any]:
    many: list[Any] = geometry["coordinates"]
    return [many] if geometry["type"] == "Polygon" else many


def _ring(ring: Any) -> list[list[float]]:
    points = [[round(float(x), _DIGITS), round(float(y), _DIGITS)] for x, y in ring]
    if not all(math.isfinite(x + y) and abs(x) <= 180 and abs(y) <= 90 for x, y in points):
        raise ValueError("a point is not on the Earth")
    return points[:1] + [after for before, after in pairwise(points) if after != before]
