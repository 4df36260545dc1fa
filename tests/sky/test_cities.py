"""The table of cities: sane, spread over the world, and where maps have them."""

import math
import re

from ascnode.sky.cities import City, load_cities


def city(name: str) -> City:
    return next(one for one in load_cities() if one.name == name)


def test_about_a_hundred_cities_each_once() -> None:
    cities = load_cities()
    assert 90 <= len(cities) <= 110
    assert len({one.name for one in cities}) == len(cities)
    assert len({(one.latitude_deg, one.longitude_deg) for one in cities}) == len(cities)


def test_every_figure_is_in_its_range() -> None:
    for one in load_cities():
        assert re.fullmatch(r"[A-Z]{2}", one.country), one
        assert -56 < one.latitude_deg < 70 and -180 < one.longitude_deg <= 180, one
        assert one.latitude_deg == round(one.latitude_deg, 2), one
        assert one.longitude_deg == round(one.longitude_deg, 2), one
        assert -10 <= one.height_m <= 4000, one
        assert 500_000 < one.population < 40_000_000 and one.population % 1000 == 0, one


def test_largest_come_first() -> None:
    populations = [one.population for one in load_cities()]
    assert populations == sorted(populations, reverse=True)
    assert load_cities()[0] == City("Tokyo", "JP", 35.69, 139.69, 40, 37_000_000)


def test_cities_are_spread_over_the_world() -> None:
    cities = load_cities()
    assert sum(one.latitude_deg < 0 for one in cities) >= 15
    assert len({one.country for one in cities}) >= 50
    thirds = [sum(low <= one.longitude_deg < low + 120 for one in cities) for low in (-180, -60, 60)]
    assert min(thirds) >= 15


def test_no_two_cities_are_neighbours() -> None:
    cities = load_cities()
    for i, a in enumerate(cities):
        for b in cities[i + 1 :]:
            narrowing = math.cos(math.radians(a.latitude_deg))
            apart_deg = math.hypot(
                a.latitude_deg - b.latitude_deg, narrowing * (a.longitude_deg - b.longitude_deg)
            )
            assert apart_deg > 0.5, (a, b)


def test_signs_and_heights_of_known_places() -> None:
    sao_paulo, la_paz, auckland = city("Sao Paulo"), city("La Paz"), city("Auckland")
    assert (sao_paulo.latitude_deg, sao_paulo.longitude_deg) == (-23.55, -46.63)
    assert (auckland.latitude_deg, auckland.longitude_deg) == (-36.85, 174.76)
    assert 3500 <= la_paz.height_m <= 3700
