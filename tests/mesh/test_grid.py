"""The +grid of shells, and the planes that are found in element sets."""

from collections import Counter

import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.mesh.grid import Torus, grid_pairs, nearest_offsets
from ascnode.mesh.topology import Layout, alternating, laser_mesh, shells_of
from ascnode.sky.constellation import Constellation
from ascnode.sky.shells import Shell
from mesh.element_sets import element_sets
from mesh.tools import EPOCH, shells


def pairs_of(constellation: Constellation) -> set[tuple[int, int]]:
    (torus,) = shells_of(constellation)
    return {(int(a), int(b)) for a, b in grid_pairs(torus)}


def degrees(pairs: set[tuple[int, int]]) -> Counter[int]:
    return Counter(satellite for pair in pairs for satellite in pair)


@pytest.mark.parametrize("phasing", [0, 1, 17, 39, 71])
def test_every_satellite_of_a_delta_has_two_links_in_its_plane_and_one_to_each_side(phasing: int) -> None:
    constellation = shells(Shell(550, 53, 72, 22, phasing))
    pairs = pairs_of(constellation)
    assert len(pairs) == 2 * 1584
    assert set(degrees(pairs).values()) == {4}
    for satellite in (0, 21, 22, 800, 1583):
        plane, slot = divmod(satellite, 22)
        others = {a + b - satellite for a, b in pairs if satellite in (a, b)}
        in_plane = {plane * 22 + (slot + 1) % 22, plane * 22 + (slot - 1) % 22}
        assert in_plane <= others
        assert {other // 22 for other in others - in_plane} == {(plane + 1) % 72, (plane - 1) % 72}


@pytest.mark.parametrize("phasing", [0, 1, 17, 39, 71])
def test_neighbours_between_planes_are_those_nearest_in_argument_of_latitude(phasing: int) -> None:
    constellation = shells(Shell(550, 53, 72, 22, phasing))
    for a, b in pairs_of(constellation):
        if a // 22 != b // 22:
            apart = abs(
                constellation.orbit(a).argument_of_latitude_deg
                - constellation.orbit(b).argument_of_latitude_deg
            )
            assert min(apart, 360 - apart) <= 360 / 22 / 2 + 1e-6, (a, b)


def test_walker_phasing_comes_round_at_the_seam() -> None:
    # A plane 72 would be plane 0 with its slots counted from 39 further on.
    (torus,) = shells_of(shells(Shell(550, 53, 72, 22, 39)))
    offsets = nearest_offsets(torus)
    assert set(offsets[:71].tolist()) == {-1}  # 39/72 of a slot ahead: the one before is nearer
    assert offsets[71] % 22 == (39 - 1) % 22


def test_star_has_no_link_across_the_seam() -> None:
    pairs = pairs_of(shells(Shell(1200, 87.9, 18, 36, 1, star=True)))
    planes = {(a // 36, b // 36) for a, b in pairs}
    assert (0, 17) not in planes and (16, 17) in planes
    assert len(pairs) == 18 * 36 + 17 * 36
    assert Counter(degrees(pairs).values()) == {4: 16 * 36, 3: 2 * 36}


def test_alternating_planes_link_equal_slots_as_hypatia_does() -> None:
    for planes in (34, 27):  # with an odd number the seam joins planes of one phase
        constellation = alternating(shells(Shell(630, 51.9, planes, 34)))
        assert constellation.orbit(34).argument_of_latitude_deg == pytest.approx(360 / 34 / 2)
        assert constellation.orbit(68).argument_of_latitude_deg == pytest.approx(0)
        positions_km = constellation.positions_km(EPOCH, 77.0)
        for satellite in (0, 34, 36, 75, planes * 34 - 1):
            assert positions_km[satellite] == pytest.approx(constellation.orbit(satellite).position_km(77.0))
        between = {(a, b) for a, b in pairs_of(constellation) if a // 34 != b // 34}
        assert {(b - a) % 34 for a, b in between} == {0}


def test_offset_is_added_between_all_planes_and_at_the_seam() -> None:
    torus = Torus(100, 10, np.zeros(5), closed=True)
    pairs = {(a - 100, b - 100) for a, b in grid_pairs(torus, offset=3).tolist()}
    assert {(0, 13), (9, 12), (40, 3)} <= {*pairs, *((b, a) for a, b in pairs)}
    assert len(pairs) == 100


@pytest.mark.parametrize(
    ("planes", "per_plane", "links"), [(1, 24, 24), (1, 2, 1), (1, 1, 0), (2, 3, 9), (2, 1, 1)]
)
def test_small_shells_repeat_no_link(planes: int, per_plane: int, links: int) -> None:
    pairs = pairs_of(shells(Shell(650, 98, planes, per_plane)))
    assert len(pairs) == links
    assert all(a < b for a, b in pairs)


def test_empty_torus_is_refused() -> None:
    with pytest.raises(ValueError, match="a shell of 0 planes of 3 satellites is empty"):
        Torus(0, 3, np.array([]), closed=True)


def test_shells_do_not_touch_each_other() -> None:
    constellation = shells(Shell(550, 53, 8, 10, 1), Shell(570, 70, 6, 12, 1))
    pairs = np.concatenate([grid_pairs(torus) for torus in shells_of(constellation)])
    assert {(int(a) < 80, int(b) < 80) for a, b in pairs} == {(True, True), (False, False)}
    assert len(pairs) == 2 * (80 + 72)


@pytest.mark.parametrize("shell", [Shell(630, 51.9, 34, 34, 5), Shell(1200, 87.9, 18, 36, 3, star=True)])
def test_planes_found_in_element_sets_give_the_same_grid(shell: Shell) -> None:
    found = shells_of(element_sets(shells(shell)))
    assert [(torus.first, torus.planes, torus.per_plane, torus.closed) for torus in found] == [
        (0, shell.planes, shell.per_plane, not shell.star)
    ]
    assert np.array_equal(grid_pairs(found[0]), grid_pairs(*shells_of(shells(shell))))


def test_two_shells_are_told_apart_in_element_sets() -> None:
    constellation = shells(Shell(550, 53, 8, 10, 1), Shell(570, 70, 6, 12, 1))
    found = shells_of(element_sets(constellation))
    assert [(torus.first, torus.planes, torus.per_plane) for torus in found] == [(0, 8, 10), (80, 6, 12)]


def test_uneven_element_sets_have_no_grid_and_get_nearest_neighbours() -> None:
    whole = element_sets(shells(Shell(550, 53, 8, 10, 1)))
    holed = type(whole)("holed", whole.names[:-3], whole.records[:-3])
    assert shells_of(holed) == []
    with pytest.raises(ScenarioError, match="holed: no equal, evenly spaced planes"):
        laser_mesh(holed, layout=Layout.GRID)
    links = laser_mesh(holed).step(0.0, holed.positions_km(EPOCH, 0.0))
    assert len(links.pairs) > 77
