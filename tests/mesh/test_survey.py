"""Figures of a whole mesh, against counting by hand."""

from itertools import pairwise

import numpy as np
import pytest

from ascnode.mesh.survey import quantiles, survey
from ascnode.sky.cities import load_cities
from ascnode.sky.shells import Shell
from mesh.tools import network, shells

CITIES = load_cities()[:15]
KUIPER = shells(Shell(630, 51.9, 34, 34, 1))


def test_survey_counts_what_single_steps_show() -> None:
    times_s = [0.0, 60.0, 120.0]
    found = survey(network(KUIPER, CITIES), times_s)
    again = network(KUIPER, CITIES)
    paths: list[list[list[int]]] = []
    for i, t_s in enumerate(times_s):
        routes = again.at(t_s).routes()
        paths.append([routes.path(a, b) for a, b in found.pairs.tolist()])
        lengths = [routes.pair_km(a, b)[0] for a, b in found.pairs.tolist()]
        assert found.rtt_ms[i] == pytest.approx(2000 * np.array(lengths) / 299792.458)
        assert found.hops[i].tolist() == [len(path) for path in paths[-1]]
    changes = [sum(x != y for x, y in pairwise(three)) for three in zip(*paths, strict=True)]
    assert found.changed.tolist() == changes and sum(changes) > 0
    assert found.links == [2 * 1156] * 3
    assert found.degree.tolist() == [0, 0, 0, 0, 1156]
    assert len(found.length_km) == 2 * 1156


def test_survey_without_an_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="a survey takes at least one instant"):
        survey(network(KUIPER, CITIES), [])


def test_quantiles_leave_out_what_is_not_finite() -> None:
    assert list(quantiles(np.array([1.0, np.inf, 3.0]), [0.5])) == [2.0]
    assert np.isnan(next(iter(quantiles(np.array([np.inf]), [0.5]))))
