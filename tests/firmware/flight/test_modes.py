"""Operating modes: the table of transitions and none else, shedding with hysteresis, commanded modes."""

import itertools

import pytest

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import modes
from ascnode_fw.wire.dictionary import CHARGE, COMPUTE, DOWNLINK, SAFE
from firmware.flight.bench import Bench, counts


def _expected(mode: int, critical: bool, low: bool, contact: bool) -> int:
    # Safety first, then the battery; out of SAFE and CHARGE one step at a time; radio only from COMPUTE.
    if critical:
        return SAFE
    if mode == SAFE or low:
        return CHARGE
    if mode == CHARGE:
        return COMPUTE
    return DOWNLINK if contact else COMPUTE


@pytest.mark.parametrize("mode", [SAFE, CHARGE, COMPUTE, DOWNLINK])
def test_every_mode_under_every_condition_goes_where_the_rules_say(mode: int) -> None:
    for critical, low, contact in itertools.product((False, True), repeat=3):
        conditions = critical * modes.CRITICAL + low * modes.LOW + contact * modes.CONTACT
        assert modes.next_mode(mode, conditions) == _expected(mode, critical, low, contact), conditions


def test_a_mode_that_does_not_exist_has_no_transitions() -> None:
    assert [modes.next_mode(4, conditions) for conditions in range(8)] == [4] * 8


def _modes(bench: Bench, charges: list[float]) -> list[tuple[int, int]]:
    # (shed level, mode) after a period at each state of charge.
    out = []
    for charge in charges:
        bench.period(counts(charge))
        out.append((bench.f[f_.SHED], bench.f[f_.MODE]))
    return out


def test_boot_leads_from_safe_over_charge_to_compute() -> None:
    bench = Bench()
    assert bench.f[f_.MODE] == SAFE
    assert _modes(bench, [0.9, 0.9, 0.9]) == [(0, CHARGE), (0, COMPUTE), (0, COMPUTE)]
    assert bench.events() == [("mode", SAFE * 256 + CHARGE), ("mode", CHARGE * 256 + COMPUTE)]


def test_load_is_shed_on_the_way_down_and_taken_up_at_higher_charges_on_the_way_up() -> None:
    # Limits of the dictionary: accelerator off below .45, back at .52; all but the beacon below .15, back at .30.
    bench = Bench()
    bench.period(times=2)
    down = [0.53, 0.46, 0.44, 0.16, 0.14]
    assert [shed for shed, _ in _modes(bench, down)] == [0, 0, 1, 1, 2]
    up = [0.16, 0.29, 0.31, 0.46, 0.51, 0.53, 0.46]
    assert _modes(bench, up) == [
        *((2, SAFE), (2, SAFE)),
        *((1, CHARGE), (1, CHARGE), (1, CHARGE)),
        *((0, COMPUTE), (0, COMPUTE)),
    ]


def test_each_change_of_shedding_is_told_once() -> None:
    bench = Bench()
    _modes(bench, [0.9, 0.44, 0.44, 0.14, 0.31, 0.6])
    assert [value for name, value in bench.events() if name == "load shed"] == [1, 2, 1, 0]


def test_noise_at_a_limit_does_not_make_the_load_flicker() -> None:
    bench = Bench()
    levels = [shed for shed, _ in _modes(bench, [0.60, 0.44, 0.46, 0.44, 0.46, 0.51, 0.49])]
    assert levels == [0, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("command", "level", "mode"), [(1, 2, SAFE), (2, 1, CHARGE)])
def test_a_commanded_mode_holds_on_a_full_battery_until_it_is_lifted(
    command: int, level: int, mode: int
) -> None:
    bench = Bench()
    bench.period(times=3)
    assert bench.command("set_mode", bytes((command,))) == 0
    assert _modes(bench, [0.9] * 5)[1:] == [(level, mode)] * 4
    assert bench.command("set_mode", b"\0") == 0
    assert _modes(bench, [0.9] * 3)[-1] == (0, COMPUTE)


def test_a_commanded_charge_mode_does_not_keep_an_empty_battery_from_safe() -> None:
    bench = Bench()
    bench.period(times=3)
    bench.command("set_mode", b"\2")
    assert _modes(bench, [0.14])[-1] == (2, SAFE)


def test_out_of_a_commanded_mode_the_way_back_takes_the_charge_that_it_takes_after_shedding() -> None:
    # Between the limits the ground's order counts like a low battery: full load only from .52 on.
    bench = Bench()
    _modes(bench, [0.48] * 3)
    bench.command("set_mode", b"\2")
    bench.period(counts(0.48))
    bench.command("set_mode", b"\0")
    assert [shed for shed, _ in _modes(bench, [0.48, 0.51, 0.53])] == [1, 1, 0]


def test_downlink_mode_takes_both_a_planned_contact_and_lock() -> None:
    bench = Bench()
    bench.period(times=3)
    bench.f[f_.RADIO_LOCK] = 1
    bench.period()
    assert bench.f[f_.MODE] == COMPUTE  # lock, but nothing planned
    bench.computer.contacts.add(10, 20)
    bench.start_at(10)
    bench.period()
    assert bench.f[f_.MODE] == DOWNLINK
    bench.f[f_.RADIO_LOCK] = 0
    bench.period()
    assert bench.f[f_.MODE] == COMPUTE  # planned, but no lock


def test_periods_spent_in_each_mode_are_counted() -> None:
    bench = Bench()
    _modes(bench, [0.9] * 4 + [0.4] * 3 + [0.1] * 2)
    assert list(bench.f[f_.MODE_PERIODS : f_.MODE_PERIODS + 4]) == [2, 4, 3, 0]
