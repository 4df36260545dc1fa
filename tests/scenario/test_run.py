"""What faults, gateways and real element sets do to a run."""

from pathlib import Path

import pytest

from ascnode.scenario.run import NODE_FAILED
from scenario.flight import fly, scenario

TLE = Path(__file__).parents[3] / "shared" / "data" / "sky" / "starlink_2022-09.tle"
ONE_NODE = """
duration_s = 300
[constellation]
name = "starlink-gen1-1"
boards = [[18, 5]]
compute = "boards"
[users]
cities = 30
[gateways]
sites = 10
[downlink]
loss = 0.0
loss_low = 0.0
rain_margin_db = 60
[[workload]]
kind = "inference"
queries = 150
burst = 3
deadline_s = 250
end_s = 250
"""
# The first slot at or after 60 s starts at 72 s, that at or after 150 s at 162 s.
OUT_S, BACK_S = 72, 162
OUTAGE = '\n[[fault]]\nkind = "outage"\nat_s = 60\nfor_s = 90\nsatellite = 401\n'
FAILURE = '\n[[fault]]\nkind = "failure"\nat_s = 60\nsatellite = 401\n'


@pytest.mark.parametrize("board", [True, False])
def test_a_node_that_is_out_answers_nobody_until_it_is_back(tmp_path: Path, board: bool) -> None:
    flown = scenario(tmp_path, ONE_NODE + OUTAGE)
    run, figures, _ = fly(flown if board else flown.without_boards(), tmp_path / "run.sqlite")
    assert figures.boards == board
    meanwhile = [a for a in run.ledger.accounts if OUT_S * 1e6 < a.query.sent_us < BACK_S * 1e6]
    assert len(meanwhile) > 20
    assert not [a for a in run.ledger.done if OUT_S * 1e6 + 1e6 < a.answered_us < BACK_S * 1e6]
    # queries wait on the way for its return; then it takes as many as it has slots for, or a few more
    late = [a for a in meanwhile if a.answered_us >= BACK_S * 1e6]
    assert len(late) >= 16
    assert {a.cause for a in meanwhile} <= {"", "refused: queue full", "no satellite in view"}
    assert max(a.parts[1] for a in late) > 60e6  # of the mesh


def test_a_node_that_fails_loses_what_it_held_and_never_comes_back(tmp_path: Path) -> None:
    busy = ONE_NODE.replace("queries = 150", "queries = 1500")
    run, figures, _ = fly(scenario(tmp_path, busy + FAILURE).without_boards(), tmp_path / "run.sqlite")
    assert figures.causes.get(NODE_FAILED, 0) > 0
    assert max(a.answered_us for a in run.ledger.done) < OUT_S * 1e6 + 1e6


def test_a_board_that_is_out_has_no_lock(tmp_path: Path) -> None:
    flown = scenario(tmp_path, ONE_NODE.replace("duration_s = 300", "duration_s = 120") + OUTAGE)
    run, _, _ = fly(flown, tmp_path / "run.sqlite")
    assert [status.contact for status in run.status()] == [False]


def test_answers_come_down_at_gateways_where_that_is_asked(tmp_path: Path) -> None:
    text = ONE_NODE.replace("[downlink]", '[downlink]\nto = "gateway"')
    run, figures, _ = fly(scenario(tmp_path, text).without_boards(), tmp_path / "run.sqlite")
    assert sum(run.flow.per_gateway.values()) == figures.answered > 100
    assert set(figures.answers_per_gateway.top) <= {gateway.name for gateway in run.gateways}


def test_without_gateways_such_answers_wait_to_the_end(tmp_path: Path) -> None:
    text = ONE_NODE.replace("[downlink]", '[downlink]\nto = "gateway"').replace(
        "sites = 10", 'sites = "none"'
    )
    _, figures, _ = fly(scenario(tmp_path, text).without_boards(), tmp_path / "run.sqlite")
    assert figures.answered == 0
    assert figures.mesh.bytes_waiting > 0
    assert figures.causes["not down by the end"] == figures.held > 100


@pytest.mark.skipif(not TLE.exists(), reason="needs ../shared/data/sky/starlink_2022-09.tle: see its README")
def test_real_element_sets_fly_with_a_board_among_them(tmp_path: Path) -> None:
    text = (
        f'epoch = 2022-09-20T12:00:00Z\nduration_s = 60\nconstellation = {{file = "{TLE}", boards = [5], '
        'compute = 30}\nlasers = {layout = "nearest"}\n[[workload]]\nkind = "inference"\nqueries = 40\n'
        "end_s = 40\n"
    )
    run, figures, _ = fly(scenario(tmp_path, text), tmp_path / "run.sqlite")
    assert run.scenario.space.count == 3023
    assert figures.answered > 25
    assert figures.queries_sent == figures.answered + figures.lost == 40


def test_training_waves_take_as_long_as_their_slowest_worker_and_end_with_every_gradient(
    tmp_path: Path,
) -> None:
    text = (
        'duration_s = 300\nconstellation = {name = "starlink-gen1-1", compute = 30}\n'
        'users = {cities = 5}\n[[workload]]\nkind = "training"\nworkers = 6\nwaves = 4\njobs = 5\n'
        "gradient_kb = 500.0\n"
    )
    run, figures, _ = fly(scenario(tmp_path, text), tmp_path / "run.sqlite")
    (wave,) = figures.training
    assert (wave.workers, wave.waves) == (6, 4)
    assert figures.answered == 6 * 4 * 5
    # five jobs of 0.67 s at the fastest clock, and a wave is over before the slot of the next
    assert 5 * 0.66 < wave.wave_s["p50"] < 15
    starts = sorted({account.query.sent_us for account in run.ledger.accounts})
    assert len(starts) == 4 and all(start == 0 or start % 15_000_000 == 12_000_000 for start in starts)
    # shards out and gradients back
    assert figures.mesh.bytes_delivered >= 4 * 6 * 500_000
