"""The fade tables: monotone where physics says so, and interpolated without leaving them."""

import pytest

from ascnode.mesh.fade import load_fade
from ascnode.mesh.gateways import load_gateways
from ascnode.mesh.make_fade import ELEVATIONS_DEG, PERCENT
from ascnode.sky.cities import load_cities


@pytest.mark.parametrize("link", ["user", "gateway"])
def test_every_place_has_a_table_that_falls_with_share_and_elevation(link: str) -> None:
    for place in load_cities() if link == "user" else load_gateways():
        fade = load_fade(link, place.name)
        assert fade.exceeded_db.shape == (len(ELEVATIONS_DEG), len(PERCENT))
        assert (fade.exceeded_db > 0).all()
        assert (fade.exceeded_db[:, 1:] <= fade.exceeded_db[:, :-1]).all(), place.name
        assert (fade.exceeded_db[1:, -1] <= fade.exceeded_db[:-1, -1]).all(), place.name


def test_rainy_and_dry_places_are_told_apart_and_ka_suffers_more_than_ku() -> None:
    assert load_fade("user", "Singapore").db(40, 1e-4) > 2 * load_fade("user", "Cairo").db(40, 1e-4)
    assert load_fade("gateway", "London north west").db(40, 1e-3) > 2 * load_fade("user", "London").db(
        40, 1e-3
    )


def test_table_values_come_back_and_those_between_lie_between() -> None:
    fade = load_fade("user", "Tokyo")
    assert fade.db(40, 0.001) == pytest.approx(fade.exceeded_db[1, 2])
    assert fade.exceeded_db[2, 2] < fade.db(50, 0.001) < fade.exceeded_db[1, 2]
    assert fade.exceeded_db[1, 3] < fade.db(40, 0.002) < fade.exceeded_db[1, 2]
    assert fade.db(90, 1e-9) == fade.db(65, 1e-4)


def test_outage_is_the_inverse_of_what_is_exceeded() -> None:
    fade = load_fade("user", "Tokyo")
    for share in (0.0001, 0.002, 0.05, 0.3):
        assert fade.outage(33.0, fade.db(33.0, share)) == pytest.approx(share, rel=0.05)
    assert fade.outage(40.0, 100.0) == pytest.approx(0.0001)
    assert fade.outage(40.0, 0.0) == pytest.approx(0.3)


def test_unknown_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no fade table has a user at Atlantis"):
        load_fade("user", "Atlantis")
