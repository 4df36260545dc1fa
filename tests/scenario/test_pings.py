"""The measured Starlink round trips, met within a stated band by the scenario that ships for them."""

from pathlib import Path

import pytest

from ascnode.errors import ScenarioError
from ascnode.scenario.pings import PingFigures, fly_pings
from ascnode.scenario.scenario import Scenario, load, ready_made
from ascnode.scenario.tables.space import ConstellationTable, ShellTable
from ascnode.scenario.tables.work import Ping
from scenario.flight import scenario

# Measured on Starlink (ms, share): the anchors, none of which the model was fitted to percentile by percentile.
MEASURED = {
    "bent-pipe": ({"p5": 24.7, "p50": 42.8, "p95": 86.6, "p99": 118.0}, 0.025),
    "lasers": ({"p5": 70.0, "p50": 109.0, "p95": 208.0, "p99": 256.0}, 0.005),
}
BAND = 0.15  # of each percentile
LOSS_BAND = 0.3  # of the loss


@pytest.fixture(scope="module", params=MEASURED)
def flown(request: pytest.FixtureRequest) -> PingFigures:
    shipped = load(ready_made("starlink-rtt"))
    (work,) = (one for one in shipped.workload if isinstance(one, Ping) and one.via == request.param)
    return fly_pings(work, shipped)


def test_round_trips_lie_within_the_band_around_the_measured_ones(flown: PingFigures) -> None:
    measured, _ = MEASURED[flown.via]
    for name, rtt_ms in measured.items():
        assert flown.rtt_ms[name] == pytest.approx(rtt_ms, rel=BAND), name


def test_loss_lies_within_the_band_around_the_measured_one(flown: PingFigures) -> None:
    _, loss = MEASURED[flown.via]
    assert flown.loss == pytest.approx(loss, rel=LOSS_BAND)
    assert flown.loss == pytest.approx(sum(flown.lost.values()), abs=1e-4)


def test_users_of_a_list_ping_over_lasers(tmp_path: Path) -> None:
    text = (
        'duration_s = 600\nusers = {cities = ["-45,-120"]}\n'
        '[[workload]]\nkind = "ping"\nvia = "lasers"\nslots = 2\npackets = 5\n'
    )
    flown = scenario(tmp_path, text)
    (work,) = flown.workload
    assert isinstance(work, Ping)
    assert fly_pings(work, flown).packets == 10


def test_a_constellation_without_a_name_cannot_ping() -> None:
    nameless = Scenario(constellation=ConstellationTable(shells=(ShellTable(),)))
    with pytest.raises(ScenarioError, match="by name, code or file"):
        fly_pings(Ping(), nameless)
