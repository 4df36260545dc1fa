"""Compiled loops of `ascnode.sky.visibility`. Stations and planes are rows; vectors are in the satellites' frame."""

import math

import numpy as np

from ascnode.sky.compiled import compiled
from ascnode.sky.vectors import Floats, Integers

Vector = tuple[float, float, float]

_ROUNDING = 1e-9  # of a slot: the ends of an arc are looked at anyway


@compiled
def _row(vectors: Floats, i: int) -> Vector:
    return vectors[i, 0], vectors[i, 1], vectors[i, 2]


@compiled
def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _is_up(satellite: Vector, site: Vector, up: Vector, sine: float) -> bool:
    """Whether a satellite is as high over the horizon as it has to be."""
    sight = (satellite[0] - site[0], satellite[1] - site[1], satellite[2] - site[2])
    return _dot(sight, up) >= sine * math.sqrt(_dot(sight, sight))


@compiled
def near_pairs(normal: Floats, shell: Integers, up: Floats, reach: Floats) -> int:
    """How many planes come within reach of a station, over all stations: no fewer than there are arcs."""
    near = 0
    for m in range(len(up)):
        vertical = _row(up, m)
        for p in range(len(normal)):
            near += abs(_dot(_row(normal, p), vertical)) <= reach[shell[p], m]
    return near


@compiled
def _half_arc(a: Vector, b: Vector, site: Vector, up: Vector, sine: float) -> tuple[float, float]:
    """Middle and half width, rad from slot 0, of an arc that holds all that is up; a negative width for none.

    a and b are the places in km of slot 0 and 90 deg ahead. With phi from the middle, a satellite's height is
    A cos phi - h and its distance squared D - 2 B cos(phi - delta), at least D - 2 B (|sin delta| + cos phi): then
    height = sine * distance is a quadratic in cos phi.
    """
    a_up, b_up, a_site, b_site = _dot(a, up), _dot(b, up), _dot(a, site), _dot(b, site)
    highest = math.sqrt(a_up * a_up + b_up * b_up)
    nearest = (a_up * a_site + b_up * b_site) / highest  # B cos delta
    sideways = abs(a_up * b_site - b_up * a_site) / highest  # B |sin delta|
    square = _dot(a, a) + _dot(site, site) - 2 * sideways
    h, s2 = _dot(site, up), sine * sine
    half = highest * h - s2 * nearest
    root = half * half - highest * highest * (h * h - s2 * square)
    cosine = (half + math.sqrt(max(root, 0.0))) / (highest * highest)
    if cosine <= 1:
        return math.atan2(b_up, a_up), math.acos(cosine)
    return 0.0, -1.0


@compiled
def _is_slot_up(
    slot: int, angles: Floats, slot0: Vector, ahead: Vector, site: Vector, up: Vector, sine: float
) -> bool:
    """Of slot 0 .. 2 n - 1 of a plane with n; angles (n, 2) are cosines and sines from slot 0."""
    i = slot if slot < len(angles) else slot - len(angles)
    c, s = angles[i, 0], angles[i, 1]
    satellite = (
        slot0[0] * c + ahead[0] * s,
        slot0[1] * c + ahead[1] * s,
        slot0[2] * c + ahead[2] * s,
    )
    return _is_up(satellite, site, up, sine)


@compiled
def find_arcs(
    normal: Floats,
    a: Floats,
    b: Floats,
    shell: Integers,
    slots: tuple[Integers, Integers, Floats],
    ground: tuple[Floats, Floats, Floats],
    reach: Floats,
    size: int,
) -> tuple[Integers, Integers, Integers, Integers]:
    """The columns of Arcs, of at most `size` arcs; a and b (p, 3) in km, as for _half_arc."""
    per_plane, begin_slot, turns = slots
    sites, ups, sines = ground
    begin = np.zeros(len(ups) + 1, dtype=np.int64)
    plane, slot, count = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    k = 0
    for m in range(len(ups)):
        site, up, sine = _row(sites, m), _row(ups, m), sines[m]
        for p in range(len(normal)):
            if abs(_dot(_row(normal, p), up)) > reach[shell[p], m]:
                continue
            slot0, ahead = _row(a, p), _row(b, p)
            middle, width = _half_arc(slot0, ahead, site, up, sine)
            if width < 0:
                continue
            n = per_plane[p]
            angles = turns[begin_slot[p] : begin_slot[p] + n]
            first, last = _whole_slots(middle, width, n)
            while last >= first and not _is_slot_up(first, angles, slot0, ahead, site, up, sine):
                first += 1
            while last > first and not _is_slot_up(last, angles, slot0, ahead, site, up, sine):
                last -= 1
            if last >= first:
                plane[k], slot[k], count[k] = p, (first if first < n else first - n), last - first + 1
                k += 1
        begin[m + 1] = k
    return begin, plane[:k], slot[:k], count[:k]


@compiled
def _whole_slots(middle: float, width: float, n: int) -> tuple[int, int]:
    """First (0..n-1) and last (below first + n) of n slots that lie in an arc; last < first for none."""
    per_rad = n / (2 * math.pi)
    first = math.ceil((middle - width) * per_rad - _ROUNDING)
    last = math.floor((middle + width) * per_rad + _ROUNDING)
    last = min(last, first + n - 1)
    while first < 0:
        first, last = first + n, last + n
    return first, last


@compiled
def members(
    first: Integers,
    per_plane: Integers,
    plane: Integers,
    slot: Integers,
    count: Integers,
    satellite: Integers,
) -> None:
    """The satellites of arcs, ascending in each: an arc over the plane's end comes in two parts."""
    k = 0
    for i in range(len(plane)):
        n, begin = per_plane[plane[i]], first[plane[i]]
        over = max(slot[i] + count[i] - n, 0)
        for j in range(over):
            satellite[k + j] = begin + j
        for j in range(over, count[i]):
            satellite[k + j] = begin + slot[i] + j - over
        k += count[i]


@compiled
def look_at_all(position: Floats, site: Floats, up: Floats, sine: Floats) -> tuple[Integers, Integers]:
    """Sightings without planes to go by: begin (m + 1,) and satellite (v,)."""
    begin = np.zeros(len(up) + 1, dtype=np.int64)
    satellite = np.empty(1024, dtype=np.int64)
    k = 0
    for m in range(len(up)):
        for i in range(len(position)):
            if _is_up(_row(position, i), _row(site, m), _row(up, m), sine[m]):
                if k == len(satellite):
                    satellite = np.concatenate((satellite, np.empty(k, dtype=np.int64)))
                satellite[k] = i
                k += 1
        begin[m + 1] = k
    return begin, satellite[:k]


@compiled
def sights(position: Floats, site: Floats, frame: Floats, begin: Integers, satellite: Integers) -> Floats:
    """Lines of sight (v, 3) along the rows of each station's frame (m, 3, 3)."""
    sight = np.empty((len(satellite), 3))
    for m in range(len(site)):
        for v in range(begin[m], begin[m + 1]):
            i = satellite[v]
            x, y, z = position[i, 0] - site[m, 0], position[i, 1] - site[m, 1], position[i, 2] - site[m, 2]
            for axis in range(3):
                sight[v, axis] = frame[m, axis, 0] * x + frame[m, axis, 1] * y + frame[m, axis, 2] * z
    return sight
