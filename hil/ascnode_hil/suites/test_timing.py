"""Timing: events, latency, exchanges, real time, parity."""

from collections.abc import Callable

import pytest

from ascnode.errors import ParityError
from ascnode.session import messages
from ascnode.twin.pair import Pair
from ascnode_fw.flight import layout as f_
from ascnode_hil.faults import HilFaults
from ascnode_hil.measure import Measurement
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import image, images

# What depends on how many telecommands and boots there were before, on the same flash.
_OF_THE_NUMBERS = ("queue crc", "boots")


@pytest.mark.ascnode_requirement("TIM-01")
def test_an_event_takes_effect_at_the_first_period_at_or_after_its_time(ascnode_node: HilNode) -> None:
    node = ascnode_node
    node.contact()
    assert node.period_s == 1
    sent = [node.send("ping", at_s=at_s) for at_s in (10.0, 20.001, 30.999, 40.5)]
    node.advance(45)
    reports = [node.report(one) for one in sent]
    assert [report.made_s for report in reports if report] == [10, 21, 31, 41]


@pytest.mark.ascnode_requirement("TIM-02")
def test_a_result_is_made_when_its_work_is_done_to_the_millisecond(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.step(3)
    start_s = node.now_s + 5
    job, _ = node.query(image(), at_s=start_s)
    node.until(lambda: node.answer(job), 30, "result")
    (result,) = [one for one in node.heard if one.name == "result"]
    clock_khz = node.parameter(f"clock_{result.fields['operating_point']}")
    exact_s = -(-result.fields["work"] * 1000 // clock_khz) / 1000
    assert exact_s < 1  # within one period, at one clock
    assert result.made_s == pytest.approx(start_s + exact_s, abs=1e-9)
    ascnode_measure("latency_inference", result.made_s - start_s, "s")


@pytest.mark.ascnode_requirement("TIM-03")
def test_the_same_events_give_the_same_bytes_however_time_is_cut(
    ascnode_node: HilNode, ascnode_open: Callable[[int], HilNode]
) -> None:
    told = []
    for cut_s in (600.0, 1.0, 37.0):
        node = ascnode_open(0)
        node.environment(0.8)
        node.contact(100, 400)
        for picture, at_s in zip(images(node.seed, 6), (50.2, 51, 51, 200.7, 201, 390), strict=True):
            node.query(picture, at_s=at_s)
        while node.now_s < 600:
            node.advance_to(min(600, node.now_s + cut_s))
        packets = [(h.sent_us, h.name, {**h.fields, "sequence": 0}, h.packet.data) for h in node.heard]
        state = {name: node.state(name) for name in f_.NAMES if name not in _OF_THE_NUMBERS}
        told.append((packets, state, node.charge, node.accelerator_c))
    assert told[0] == told[1] == told[2]
    assert len(told[0][0]) > 20


@pytest.mark.ascnode_requirement("TIM-04")
def test_in_real_time_periods_are_stepped_when_they_are_due(
    ascnode_node: HilNode, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    period_ms, periods = 50, 40
    node.configure(control_period=period_ms)
    node.step()
    assert node.period_s == period_ms / 1000
    jitter = node.in_real_time(period_ms / 1000 * periods)
    assert jitter.periods == periods
    ascnode_measure("step_lateness_mean", jitter.mean_us / 1000, "ms")
    ascnode_measure("step_lateness_max", jitter.latest_us / 1000, "ms")
    # A machine without real time misses some; more than half is no longer the machine.
    ascnode_measure("deadline_misses", len(jitter.missed), "periods", high=periods / 2, marginal=0)


@pytest.mark.ascnode_requirement("TIM-05")
def test_a_word_in_which_board_and_twin_differ_is_named(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    flyer = node.device.flyer
    if not isinstance(flyer, Pair):
        pytest.skip("a twin alone has no board to agree with")
    ascnode_sky.sun()
    node.advance(30)  # agrees, or it would have raised
    before = flyer.mismatches
    flyer.hide(None)
    node.poke("flight", 11, 4321)
    upset = node._queue[-1][2]
    assert isinstance(upset, messages.Event)
    flyer.hide(upset)
    try:
        with pytest.raises(ParityError, match="flight: power cap pw is 4321 on the board and 0 on its twin"):
            node.advance(5)
    finally:
        flyer.hide(None)
    assert flyer.mismatches == before + 1


@pytest.mark.ascnode_requirement("TIM-06")
@pytest.mark.parametrize("effect", ["drop", "bit_errors", "burst", "duplicate", "reorder", "stall"])
def test_a_bad_cable_to_the_bench_changes_nothing(
    ascnode_node: HilNode, ascnode_open: Callable[[int], HilNode], ascnode_faults: HilFaults, effect: str
) -> None:
    if ascnode_node.kind == "twin":
        pytest.skip("a twin alone has no cable")
    rate = 2e-4 if effect == "bit_errors" else 0.1
    ascnode_faults({"kind": "wire", "effect": effect, "rate": rate, "stall_s": 0.1, "start_s": 5})
    spoiled = _flight(ascnode_node)
    assert ascnode_faults.injected
    assert _flight(ascnode_open(0)) == spoiled


def _flight(node: HilNode) -> list[object]:
    # Two minutes, exchange by exchange: what the radio sent and what the plant came to.
    node.environment(0.8)
    node.contact()
    for picture, at_s in zip(images(node.seed, 3), (20, 40.5, 60), strict=True):
        node.query(picture, at_s=at_s)
    while node.now_s < 120:
        node.advance(4)
    packets = [(h.sent_us, h.name, {**h.fields, "sequence": 0}, h.packet.data) for h in node.heard]
    return [packets, node.charge, node.accelerator_c]
