"""The access link: its parts one by one, and the measured anchors."""

import numpy as np
import pytest

from ascnode.mesh.anchors import AccessScenario, bent_pipe, lasers, remote_places, simulate
from ascnode.mesh.fibre import fibre_rtt_ms, great_circle_km
from ascnode.mesh.gateways import load_gateways
from ascnode.mesh.latency import LOSSES, AccessModel, Paths, downlink_ms, pings, uplink_ms
from ascnode.sky.places import Site
from mesh.tools import great_circle_km as by_dot_product

ANCHORS_MS = {"bent_pipe": (24.7, 42.8, 86.6, 118.0), "lasers": (70.0, 109.0, 208.0, 256.0)}
BAND = 0.15  # of each percentile
N = 100_000
QUIET = AccessModel(load_up=0.0, load_down=0.0, request_share=0.0, modem_ms=0.0, hop_ms=0.0, edge_loss=0.0)


def paths(count: int, **each: float) -> Paths:
    values = {"up_km": 0.0, "down_km": 0.0, "laser_km": 0.0, "hops": 0.0, "fibre_km": 0.0, **each}
    columns = {name: np.full(count, value) for name, value in values.items()}
    return Paths(**{**columns, "hops": columns["hops"].astype(np.int64)})


def sent(model: AccessModel, into_slot_s: float = 7.0, count: int = N, **each: float) -> np.ndarray:
    key = np.arange(count)
    return pings(model, paths(count, **each), np.full(count, into_slot_s), key).rtt_ms


@pytest.mark.parametrize(
    ("scenario", "name", "loss"), [(bent_pipe(), "bent_pipe", 0.025), (lasers(), "lasers", 0.005)]
)
def test_measured_anchors_are_met_within_15_percent(scenario: AccessScenario, name: str, loss: float) -> None:
    found = simulate(scenario)
    assert len(found.rtt_ms) > 20_000
    quantiles = np.quantile(found.delivered_ms, [0.05, 0.5, 0.95, 0.99])
    assert quantiles == pytest.approx(ANCHORS_MS[name], rel=BAND)
    assert sum(found.lost().values()) == pytest.approx(loss, rel=0.2)


def test_same_seed_same_pings() -> None:
    short = AccessScenario(**{**vars(bent_pipe()), "slots": 2})
    one, again = simulate(short), simulate(short)
    assert one.rtt_ms.tobytes() == again.rtt_ms.tobytes() and one.outcome.tobytes() == again.outcome.tobytes()
    other = simulate(AccessScenario(**{**vars(short), "seed": 1}))
    assert other.rtt_ms.tobytes() != one.rtt_ms.tobytes()


def test_light_fibre_modems_and_hops_add_up() -> None:
    # A queue without load still serves: one frame's exponential time each way, and half a frame to its start.
    idle_ms = 1000 / 750 * 2.5
    assert float(np.mean(sent(QUIET))) == pytest.approx(idle_ms, rel=0.01)
    light = sent(QUIET, up_km=600, down_km=700, laser_km=2000) - sent(QUIET)
    assert light == pytest.approx(2 * 3300 / 299.792458, rel=1e-9)
    fibre = sent(QUIET, fibre_km=1000) - sent(QUIET)
    assert fibre == pytest.approx(1.5 * 2 * 1000 * 1.4682 / 299.792458, rel=1e-9)
    hops = AccessModel(**{**vars(QUIET), "hop_ms": 0.5, "modem_ms": 3.0})
    assert sent(hops, hops=4) - sent(QUIET) == pytest.approx(2 * 4 * 0.5 + 3.0, rel=1e-9)


def test_queue_keeps_packets_as_a_single_server_does() -> None:
    busy = AccessModel(**{**vars(QUIET), "load_up": 0.9})
    waits = sent(busy) - sent(QUIET)
    # M/M/1: mean 1/(mu - lambda) = 13.3 ms for a frame's service at 0.9, and 1.33 ms of it without load.
    assert float(np.mean(waits)) == pytest.approx(1000 / 750 * (10 - 1), rel=0.02)


def test_packet_without_a_grant_first_goes_to_the_gateway_and_back() -> None:
    asking = AccessModel(**{**vars(QUIET), "request_share": 0.25})
    extra = sent(asking, up_km=600, down_km=600) - sent(QUIET, up_km=600, down_km=600)
    assert float(np.mean(extra > 0)) == pytest.approx(0.25, abs=0.005)
    assert extra[extra > 0] == pytest.approx(2 * 1200 / 299.792458 + 2 * 1000 / 750, rel=1e-9)


def test_packets_of_a_slots_first_140_ms_wait_or_are_lost() -> None:
    edge = AccessModel(**{**vars(QUIET), "edge_loss": 0.4})
    key = np.arange(N)
    for into_s, share in ((0.05, 0.4), (0.141, 0.0)):
        found = pings(edge, paths(N), np.full(N, into_s), key)
        assert found.lost()["edge"] == pytest.approx(share, abs=0.005)
        waited = found.rtt_ms - sent(QUIET, 7.0)
        assert waited == pytest.approx(90.0 if into_s < 0.14 else 0.0, abs=1e-6)


def test_answer_that_meets_the_next_edge_waits_for_its_end() -> None:
    long = {"laser_km": 15_000.0}  # 100 ms there and back
    late = sent(QUIET, 14.95, **long) - sent(QUIET, 7.0, **long)
    assert late.min() > 60 and late.max() < 140


def test_parts_add_up_to_the_round_trip_and_one_way_legs_are_made_of_them() -> None:
    model, key = AccessModel(), np.arange(N)
    each = {"up_km": 600.0, "down_km": 900.0, "laser_km": 3000.0, "hops": 3, "fibre_km": 200.0}
    found = pings(model, paths(N, **each), np.full(N, 7.0), key)
    assert set(found.parts) == {
        *("light", "mesh", "fibre", "modem", "grant", "queue_up", "queue_down", "slot_edge"),
    }
    assert sum(found.parts.values()) == pytest.approx(found.rtt_ms)
    up = uplink_ms(model, np.full(N, 600.0), np.full(N, 0.0), key)
    down = downlink_ms(model, np.full(N, 900.0), np.full(N, 7.0), key)
    light_ms = 1500 / 299.792458
    assert up + down == pytest.approx(
        light_ms + 2.0 + found.parts["queue_up"] + found.parts["queue_down"] + up_waits(model, key)
    )
    assert downlink_ms(QUIET, np.full(N, 900.0), np.full(N, 0.04), key).min() == pytest.approx(103.0, abs=0.1)


def up_waits(model: AccessModel, key: np.ndarray) -> np.ndarray:
    """What a packet with no way to the scheduler waits for: its frame, and two more where it asks."""
    none = {"load_up": 0.0, "load_down": 0.0, "modem_ms": 0.0, "hop_ms": 0.0}
    return pings(AccessModel(**{**vars(model), **none}), paths(len(key)), np.full(len(key), 7.0), key).parts[
        "grant"
    ]


def test_every_packet_is_delivered_or_lost_with_a_cause() -> None:
    lossy = AccessModel(blocked=0.1, rain=0.05, overflow=0.2)
    found = pings(lossy, paths(N), np.full(N, 7.0), np.arange(N))
    assert found.lost() == pytest.approx(
        {"edge": 0, "blocked": 0.1, "rain": 0.05, "overflow": 0.2}, abs=0.005
    )
    assert len(found.delivered_ms) + round(N * sum(found.lost().values())) == N
    assert LOSSES[0] == "delivered"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"load_up": 1.0}, r"load_up is 1\.0: a queue is stable from 0 to below 1"),
        ({"edge_loss": 1.5}, r"edge_loss is 1\.5: it is a share, 0 to 1"),
        ({"modem_ms": -1}, "modem_ms is -1: it is 0 or more"),
        ({"fibre_detour": 0.9}, r"fibre_detour is 0\.9: no way is shorter than the shortest"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AccessModel(**wrong)


def test_remote_places_are_remote_and_spread() -> None:
    gateways = load_gateways()
    places = remote_places(gateways, 2000, 400)
    assert len(places) > 80
    for place in places[::9]:
        assert min(by_dot_product(place, gateway) for gateway in gateways) >= 1999
    assert (
        min(place.longitude_deg for place in places) < -100
        and max(place.longitude_deg for place in places) > 60
    )


def test_great_circles_and_fibre_are_those_of_known_places() -> None:
    new_york, london = Site("New York", 40.71, -74.01), Site("London", 51.51, -0.13)
    assert great_circle_km([new_york, london])[0, 1] == pytest.approx(5570, abs=5)  # as every atlas has it
    assert fibre_rtt_ms([new_york, london])[0, 1] == pytest.approx(54.6, abs=0.1)
    rng = np.random.default_rng(3)
    sites = [
        Site("x", float(a), float(b))
        for a, b in zip(rng.uniform(-90, 90, 9), rng.uniform(-180, 180, 9), strict=True)
    ]
    table = great_circle_km(sites)
    for i in range(9):
        for j in range(9):
            assert table[i, j] == pytest.approx(by_dot_product(sites[i], sites[j]), abs=0.01)
