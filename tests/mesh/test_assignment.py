"""Slots assigned: candidates, caps, gateways, handover; on a constellation thin enough to run out of beams."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ascnode.mesh.assignment import NONE, Assignment, Downlink, DownlinkRules, Weights
from ascnode.mesh.gateways import exchange_km, load_gateways
from ascnode.mesh.slots import slot_edges_s, slot_number
from ascnode.sky.cities import load_cities
from ascnode.sky.eclipse import illumination
from ascnode.sky.passes import elevation_deg
from ascnode.sky.shells import Shell
from ascnode.sky.stations import earth_fixed, to_earth_fixed
from ascnode.sky.sun import sun_direction
from ascnode.sky.time import gmst_rad
from mesh.test_geostationary import brute_force_deg
from mesh.tools import EARTH_RADIUS_KM, EPOCH, shells

STARLINK = shells(Shell(550, 53, 72, 22, 39))
THIN = shells(Shell(550, 53, 24, 12, 5))
CITIES = load_cities()
GATEWAYS = load_gateways()
FIRST = slot_number(EPOCH, 0.0) + 1


def downlink(rules: DownlinkRules | None = None, beams: int = 4) -> Downlink:
    return Downlink(STARLINK, CITIES, GATEWAYS, EPOCH, rules, [beams] * len(CITIES))


@pytest.fixture(scope="module")
def slots() -> list[Assignment]:
    planner = downlink()
    chosen: list[Assignment] = []
    for i in range(4):
        chosen.append(planner.assign(FIRST + i, chosen[-1] if chosen else None))
    return chosen


def test_slots_start_at_the_edges(slots: list[Assignment]) -> None:
    assert [slot.start_s for slot in slots] == slot_edges_s(EPOCH, 0.0, 60.0).tolist() == [12, 27, 42, 57]


def test_every_beam_is_high_enough_and_clear_of_the_arc_by_brute_force(slots: list[Assignment]) -> None:
    slot = slots[1]
    positions_km = STARLINK.positions_km(EPOCH, slot.start_s)
    fixed_km = to_earth_fixed(positions_km, gmst_rad(EPOCH, slot.start_s))
    site_km, up = earth_fixed(CITIES)
    assert len(slot.cell) > 300
    for i in range(0, len(slot.cell), 12):
        cell, satellite = int(slot.cell[i]), int(slot.satellite[i])
        high = float(elevation_deg(STARLINK.orbit(satellite), CITIES[cell], EPOCH, slot.start_s))
        assert high >= 25 - 1e-6
        sight = fixed_km[satellite] - site_km[cell]
        assert brute_force_deg(site_km[cell], up[cell], sight, 4000) >= 22 - 0.01


def test_exclusion_takes_the_south_from_northern_cities() -> None:
    # Madrid's arc is due south up to 43 deg: candidates there need the exclusion gone.
    madrid = [city for city in CITIES if city.name == "Madrid"]
    counts = {}
    for angle in (0.0, 22.0):
        planner = Downlink(STARLINK, madrid, GATEWAYS, EPOCH, DownlinkRules(arc_angle_deg=angle))
        positions_km = STARLINK.positions_km(EPOCH, 12.0)
        seen, _ = planner.candidates(12.0, positions_km, planner.cells, planner.cell_arcs)
        counts[angle] = len(seen.satellite)
    assert 0 < counts[22.0] < counts[0.0]


def test_no_two_beams_of_a_cell_share_a_channel_or_a_satellite(slots: list[Assignment]) -> None:
    for slot in slots:
        beams = list(zip(slot.cell.tolist(), slot.channel.tolist(), strict=True))
        assert len(set(beams)) == len(beams)
        assert len(set(zip(slot.cell.tolist(), slot.satellite.tolist(), strict=True))) == len(beams)
        assert slot.channel.min() >= 0 and slot.channel.max() < 8
        assert max(Counter(slot.cell.tolist()).values()) <= 4


@pytest.mark.parametrize("beams_per_satellite", [1, 3])
def test_satellites_run_out_of_beams_and_keep_their_cap(beams_per_satellite: int) -> None:
    rules = DownlinkRules(beams_per_satellite=beams_per_satellite)
    slot = Downlink(THIN, CITIES, GATEWAYS, EPOCH, rules, [2] * len(CITIES)).assign(FIRST)
    used = Counter(slot.satellite.tolist())
    assert max(used.values()) == beams_per_satellite
    generous = Downlink(THIN, CITIES, GATEWAYS, EPOCH, DownlinkRules(), [2] * len(CITIES)).assign(FIRST)
    assert len(slot.cell) < len(generous.cell)


@pytest.mark.parametrize("antennas", [1, 2])
def test_gateways_run_out_of_antennas_and_keep_their_cap(antennas: int) -> None:
    gateways = [replace(gateway, antennas=antennas) for gateway in GATEWAYS]
    slot = Downlink(STARLINK, CITIES, gateways, EPOCH, beams=[4] * 100).assign(FIRST)
    used = slot.gateway[slot.gateway != NONE]
    assert max(Counter(used.tolist()).values()) == antennas
    assert set(np.flatnonzero(slot.gateway != NONE)) <= set(slot.satellite.tolist())
    assert len(used) < np.count_nonzero(downlink().assign(FIRST).gateway != NONE)


def test_handover_is_a_change_of_satellite(slots: list[Assignment]) -> None:
    assert slots[0].handover.sum() == 0
    for before, after in pairwise(slots):
        assert np.array_equal(after.handover == 1, after.satellite_of != before.satellite_of)
    assert 0 < slots[1].handover.sum() < 100


def test_who_clings_to_its_satellite_hands_over_less() -> None:
    clinging = downlink(DownlinkRules(weights=Weights(same=2.0)))
    first = clinging.assign(FIRST)
    assert (
        clinging.assign(FIRST + 1, first).handover.sum() < downlink().assign(FIRST + 1, first).handover.sum()
    )


def chosen_by(**weights: float) -> Assignment:
    """A slot where only the named terms of the score count; satellites with odd numbers are old."""
    none = dict.fromkeys(("elevation", "north", "sunlit", "young", "bent_pipe", "chance"), 0.0)
    rules = DownlinkRules(weights=Weights(**{**none, **weights}))
    return Downlink(STARLINK, CITIES, GATEWAYS, EPOCH, rules, age=np.arange(1584) % 2.0).assign(FIRST)


def mean_elevation_deg(slot: Assignment) -> float:
    pairs = zip(slot.cell.tolist(), slot.satellite.tolist(), strict=True)
    return float(
        np.mean([elevation_deg(STARLINK.orbit(s), CITIES[c], EPOCH, slot.start_s) for c, s in pairs])
    )


def share_north(slot: Assignment) -> float:
    """Of northern cities below 45 deg: how many look to a satellite whose ground track is north of them."""
    z_km = STARLINK.positions_km(EPOCH, slot.start_s)[:, 2]
    pairs = [
        (CITIES[c].latitude_deg, s) for c, s in zip(slot.cell.tolist(), slot.satellite.tolist(), strict=True)
    ]
    north = [
        z_km[s] / (EARTH_RADIUS_KM + 550) > np.sin(np.radians(latitude))
        for latitude, s in pairs
        if latitude < 45
    ]
    return float(np.mean(north))


def test_scores_prefer_what_they_say() -> None:
    by_chance = chosen_by(chance=1.0)
    assert mean_elevation_deg(chosen_by(elevation=1.0)) > mean_elevation_deg(by_chance) + 5
    assert share_north(chosen_by(north=1.0)) > share_north(by_chance) + 0.1
    young = chosen_by(young=1.0).satellite % 2 == 0
    assert np.mean(young) > np.mean(by_chance.satellite % 2 == 0) + 0.2
    dark = illumination(STARLINK.positions_km(EPOCH, 12.0), sun_direction(EPOCH, 12.0)) == 0
    assert np.mean(dark[chosen_by(sunlit=1.0).satellite]) < np.mean(dark[by_chance.satellite]) - 0.1
    piped = chosen_by(bent_pipe=1.0)
    assert np.count_nonzero(piped.gateway[piped.satellite] != NONE) > np.count_nonzero(
        by_chance.gateway[by_chance.satellite] != NONE
    )


def test_same_seed_same_slots_and_another_seed_others() -> None:
    one, again = downlink().assign(FIRST), downlink().assign(FIRST)
    assert one.satellite.tobytes() == again.satellite.tobytes()
    assert one.channel.tobytes() == again.channel.tobytes()
    assert downlink(DownlinkRules(seed=1)).assign(FIRST).satellite.tobytes() != one.satellite.tobytes()


def test_rules_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="arc_angle_deg is 91: it lies between 0 and 90"):
        DownlinkRules(arc_angle_deg=91)
    with pytest.raises(ValueError, match="channels is 0: it is 1 or more"):
        DownlinkRules(channels=0)
    with pytest.raises(ValueError, match="a cell has 0 to 8 beams, one a channel"):
        downlink(beams=9)


def test_gateways_are_apart_on_land_near_their_exchanges() -> None:
    assert 40 <= len(GATEWAYS) <= 100
    assert len({gateway.name for gateway in GATEWAYS}) == len(GATEWAYS)
    assert all(1 <= gateway.antennas <= 40 for gateway in GATEWAYS)
    assert exchange_km(GATEWAYS).min() > 10 and exchange_km(GATEWAYS).max() < 350
