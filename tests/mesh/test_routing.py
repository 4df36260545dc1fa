"""Routes against scipy's Dijkstra, over shells, layouts, instants and outages."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from ascnode.mesh.ground import GroundLinks, GroundRules
from ascnode.mesh.large import find_route
from ascnode.mesh.links import Links
from ascnode.mesh.network import Snapshot
from ascnode.mesh.outages import Outages
from ascnode.mesh.routing import TO_GROUND, UNREACHABLE, build_graph, find_routes
from ascnode.mesh.survey import follow
from ascnode.mesh.topology import Layout
from ascnode.sky.cities import load_cities
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from mesh.tools import as_matrix, network, shells

STARLINK = shells(Shell(550, 53, 72, 22, 39))
TELESAT = shells(Shell(1015, 98.98, 27, 13, 1, star=True), Shell(1325, 50.88, 20, 11, 1))
SPARSE = shells(Shell(780, 86.4, 6, 11, 2, star=True))  # Iridium's: many cities see nothing at 25 deg
TEN_THOUSAND = shells(Shell(550, 53, 100, 100, 1))
CASES = [
    (STARLINK, Layout.GRID, Outages()),
    (STARLINK, Layout.GRID, Outages(random_share=0.5, seed=3)),
    (STARLINK, Layout.NEAREST, Outages()),
    (STARLINK, Layout.NONE, Outages()),
    (TELESAT, Layout.BOTH, Outages()),
    (TELESAT, Layout.NEAREST, Outages(random_share=0.3, seed=1)),
    (SPARSE, Layout.GRID, Outages()),
    (TEN_THOUSAND, Layout.GRID, Outages(random_share=0.1, seed=2)),
]


@pytest.mark.parametrize(("satellites", "layout", "outages"), CASES)
@pytest.mark.parametrize("t_s", [0.0, 1234.5])
def test_distances_are_scipys_and_next_hops_lead_along_them(
    satellites: Constellation, layout: Layout, outages: Outages, t_s: float
) -> None:
    cities = load_cities()[:40]
    snapshot = network(satellites, cities, layout, outages).at(t_s)
    routes = snapshot.routes()
    n = satellites.count
    expected = dijkstra(as_matrix(snapshot), indices=range(n, n + 40))[:, :n].T
    assert np.array_equal(np.isinf(routes.distance_km), np.isinf(expected))
    reached = np.isfinite(expected)
    assert reached.any()
    assert np.max(np.abs(routes.distance_km[reached] - expected[reached])) < 1e-8
    for satellite in range(0, n, max(1, n // 40)):
        check_way(snapshot, satellite, int(satellite % 40))


def check_way(snapshot: Snapshot, satellite: int, station: int) -> None:
    """The lengths of the links that the table of next hops names add up to the distance."""
    routes = snapshot.routes()
    way = routes.onwards(satellite, station)
    if np.isinf(routes.distance_km[satellite, station]):
        assert way == [satellite] and routes.next_hop[satellite, station] == UNREACHABLE
        return
    assert routes.next_hop[way[-1], station] == TO_GROUND
    lengths = {
        (int(a), int(b)): km
        for (a, b), km in zip(snapshot.links.pairs, snapshot.links.length_km, strict=True)
    }
    total = sum(lengths[min(a, b), max(a, b)] for a, b in pairwise(way))
    seen, range_km = snapshot.ground.seen_by(station)
    total += float(range_km[list(seen).index(way[-1])])
    assert total == pytest.approx(routes.distance_km[satellite, station], abs=1e-6)


@pytest.mark.parametrize(("satellites", "layout", "outages"), CASES)
def test_city_pairs_and_single_routes_agree(
    satellites: Constellation, layout: Layout, outages: Outages
) -> None:
    cities = load_cities()[:100:5]
    snapshot = network(satellites, cities, layout, outages).at(600.0)
    routes = snapshot.routes()
    table = routes.all_pairs_km()
    pairs = np.array([(a, b) for a in range(20) for b in range(20) if a != b])
    hops, signature = follow(routes, pairs)
    for i, (a, b) in enumerate(pairs.tolist()):
        guided, plain = find_route(snapshot, a, b), find_route(snapshot, a, b, guided=False)
        path = routes.path(a, b)
        for length_km in (guided.length_km, plain.length_km, routes.pair_km(a, b)[0]):
            assert length_km == pytest.approx(table[a, b], abs=1e-7)
        assert guided.path == plain.path == path
        assert guided.settled <= plain.settled
        assert hops[i] == len(path) and (signature[i] == 0) == (not path)
    assert np.allclose(table, table.T, atol=1e-7)


def test_single_routes_below_the_horizon_are_exact_too() -> None:
    # Ground links through the Earth, as with a range alone: the bound must not count on a clear horizon.
    cities = load_cities()[:12]
    rules = GroundRules(None, 5800.0)
    snapshot = network(TELESAT, cities, rules=rules).at(0.0)
    table = snapshot.routes().all_pairs_km()
    for a in range(12):
        for b in range(12):
            assert find_route(snapshot, a, b).length_km == pytest.approx(table[a, b], abs=1e-7)


def test_table_does_not_depend_on_how_stations_are_shared_out() -> None:
    cities = load_cities()[:30]
    whole = network(STARLINK, cities).at(0.0).routes()
    for i in (0, 13, 29):
        alone = network(STARLINK, cities[i : i + 1]).at(0.0).routes()
        assert np.array_equal(alone.distance_km[:, 0], whole.distance_km[:, i])
        assert np.array_equal(alone.next_hop[:, 0], whole.next_hop[:, i])


def line(ranges: dict[int, float]) -> tuple[Links, GroundLinks]:
    """Four satellites in a line, 1,000 km apart but the last two in one place; one station."""
    links = Links(np.array([[0, 1], [1, 2], [2, 3]]), np.array([1000.0, 1000.0, 0.0]))
    seen = np.array(sorted(ranges), dtype=np.int32)
    km = np.array([ranges[i] for i in sorted(ranges)])
    return links, GroundLinks(np.array([0, len(seen)], dtype=np.int32), seen, km, np.ones(len(seen)))


def test_satellites_in_one_place_do_not_pass_on_to_each_other_for_ever() -> None:
    links, ground = line({0: 500.0})
    routes = find_routes(build_graph(4, links), ground)
    assert routes.onwards(3, 0) == [3, 2, 1, 0]
    assert routes.distance_km[:, 0] == pytest.approx([500, 1500, 2500, 2500], abs=1e-5)


def test_higher_range_loses_against_a_hop_and_forwarding_has_its_price() -> None:
    links, ground = line({0: 500.0, 1: 1600.0})
    assert find_routes(build_graph(4, links), ground).next_hop[:, 0].tolist() == [TO_GROUND, 0, 1, 2]
    priced = find_routes(build_graph(4, links, hop_km=200.0), ground)
    assert priced.next_hop[:, 0].tolist() == [TO_GROUND, TO_GROUND, 1, 2]
    assert priced.distance_km[2, 0] == pytest.approx(2800)


def test_station_without_a_satellite_reaches_nobody() -> None:
    links, ground = line({})
    routes = find_routes(build_graph(4, links), ground)
    assert np.isinf(routes.distance_km).all() and (routes.next_hop == UNREACHABLE).all()
    assert routes.path(0, 0) == [] and routes.pair_km(0, 0) == (0.0, UNREACHABLE)
