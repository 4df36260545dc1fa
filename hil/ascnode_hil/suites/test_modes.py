"""Modes: the table of transitions, commanded modes, events."""

import itertools
import random

import pytest

from ascnode_fw.wire import dictionary as d
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky

_CHARGES = {"critical": 0.08, "low": 0.4, "good": 0.8}
_WALK = ("critical", "low", "good", "good", "good", "good")  # to get as far as DOWNLINK
_AUTOMATIC, _SAFE, _CHARGE = 0, 1, 2

# From each mode, by charge and contact; the battery comes first.
_BY_CHARGE = {
    "SAFE": {"critical": "SAFE", "low": "CHARGE", "good": "CHARGE"},
    "CHARGE": {"critical": "SAFE", "low": "CHARGE", "good": "COMPUTE"},
    "COMPUTE": {"critical": "SAFE", "low": "CHARGE"},
    "DOWNLINK": {"critical": "SAFE", "low": "CHARGE"},
}


def _next(mode: str, charge: str, contact: bool) -> str:
    if charge in _BY_CHARGE[mode]:
        return _BY_CHARGE[mode][charge]
    return "DOWNLINK" if contact else "COMPUTE"


@pytest.mark.ascnode_requirement("MOD-01")
def test_modes_follow_the_table_on_a_random_walk(ascnode_node: HilNode) -> None:
    node = ascnode_node
    rng = random.Random(node.seed)
    node.contact()
    mode, seen = "SAFE", set()
    for _ in range(200):
        charge, contact = rng.choice(_WALK), rng.random() < 0.5
        node.sense_charge(_CHARGES[charge])
        node.lock(contact)
        node.step()
        expected = _next(mode, charge, contact)
        assert node.mode == expected, f"from {mode} with {charge} charge, contact {contact}"
        seen.add((mode, expected))
        mode = expected
    changes = {(a, b) for a, b in seen if a != b}
    assert len(changes) == 9  # each of the table


@pytest.mark.ascnode_requirement("MOD-02")
@pytest.mark.parametrize(
    ("charge", "commanded", "mode"),
    [
        ("good", _AUTOMATIC, "DOWNLINK"),
        ("good", _CHARGE, "CHARGE"),
        ("good", _SAFE, "SAFE"),
        ("low", _AUTOMATIC, "CHARGE"),
        ("low", _SAFE, "SAFE"),
        ("critical", _AUTOMATIC, "SAFE"),
        ("critical", _CHARGE, "SAFE"),
    ],
)
def test_a_commanded_mode_gives_no_more_than_the_charge_allows(
    ascnode_node: HilNode, ascnode_sky: HilSky, charge: str, commanded: int, mode: str
) -> None:
    node = ascnode_node
    ascnode_sky.contact()
    node.sense_charge(_CHARGES[charge])
    node.step(3)
    assert node.command("set_mode", commanded) == "ok"
    node.step(3)
    assert node.mode == mode


@pytest.mark.ascnode_requirement("MOD-03")
def test_every_change_of_mode_is_told(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    ascnode_sky.contact()
    modes = [node.mode]
    for charge in ("good", "good", "good", "low", "critical", "low", "good", "good"):
        node.sense_charge(_CHARGES[charge])
        node.step()
        modes.append(node.mode)
    node.step(2)
    changes = [(a, b) for a, b in itertools.pairwise(modes) if a != b]
    told = [divmod(event.value, 256) for event in node.events("mode")]
    assert [(d.MODES[a], d.MODES[b]) for a, b in told] == changes
