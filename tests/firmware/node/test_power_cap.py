"""Demand response: a commanded power cap against the plant's whole load, radio and leakage included."""

import itertools
import random

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from firmware.node.rig import Rig

BUS_W = 60.0
# The beacon goes out whatever the cap: 20 W for the few ms of a report.
BEACON_W = 0.5
LEAKY = Hardware(leakage_w=20.0)  # 20 W at 25 C, 100 W and more at the target
LIGHT = Hardware(radiator_m2=0.2, radiator_j_per_k=1200.0, accelerator_j_per_k=60.0)  # warms by 3 K a second


def _busy(hardware: Hardware | None = None, sending: bool = False, warm_s: int = 600) -> Rig:
    rig = Rig(hardware)
    if sending:
        rig.node.computer.contacts.add(0, 1 << 29)
        rig.node.computer.f[f_.RADIO_LOCK] = 1
    for _ in range(warm_s):
        _period(rig, sending)
    return rig


def _period(rig: Rig, sending: bool) -> float:
    # Load (W) of one control period with work waiting and, maybe, answers to send.
    rig.recharge()
    rig.demand()
    if sending:
        for _ in range(40 - rig.node.computer.links.held()):
            rig.node.computer.telemetry.result(bytes(51), 0, 1, 1, (1, 1, 1, 0, 1, 1, 1, 0, 0, 0))
    rig.node.step()
    return rig.load_w()


CAPS_W = [
    61.0,
    72.5,
    76.0,
    77.0,
    80.0,
    91.3,
    96.0,
    100.0,
    123.4,
    140.0,
    155.0,
    160.0,
    171.7,
    200.0,
    240.0,
    263.0,
]


@pytest.mark.parametrize("sending", [False, True], ids=["silent", "sending"])
@pytest.mark.parametrize("hardware", [Hardware(), LEAKY, LIGHT], ids=["default", "leaky", "light"])
def test_a_cap_is_met_in_the_next_period_and_ever_after(hardware: Hardware, sending: bool) -> None:
    caps = [*CAPS_W, *CAPS_W[::-1]]
    random.Random(11).shuffle(caps)
    rig = _busy(hardware, sending)
    for cap_w in caps:
        rig.cap(round(cap_w * 1000))
        loads = [_period(rig, sending) for _ in range(40)]
        assert max(loads) <= cap_w + (BEACON_W if sending and cap_w < BUS_W + 20 else 0), cap_w


def test_the_power_below_a_cap_is_used() -> None:
    # The fastest of 12, 30, 60, 95, 135, 180 W that fits with a tenth more leakage than there is.
    rig = _busy()
    powers_w = [12, 30, 60, 95, 135, 180]
    for cap_w in (85, 100, 130, 170, 210, 258):
        rig.cap(cap_w * 1000)
        for _ in range(300):
            _period(rig, False)
        leak_w = rig.node.plant.state[p_.LEAK_PW] / 1000
        best = max(power_w for power_w in powers_w if BUS_W + 1.1 * leak_w + 0.3 + power_w <= cap_w)
        assert _period(rig, False) == pytest.approx(BUS_W + leak_w + best, abs=0.2), cap_w


def test_a_steady_cap_gives_a_steady_point() -> None:
    rig = _busy()
    for cap_w in (90, 140, 180, 220):
        rig.cap(cap_w * 1000)
        points = []
        for _ in range(200):
            _period(rig, False)
            points.append(rig.node.computer.f[f_.OP])
        assert sum(a != b for a, b in itertools.pairwise(points[10:])) <= 2, cap_w


def test_a_cap_below_the_bus_load_turns_the_accelerator_off_and_holds_answers_back() -> None:
    rig = _busy(sending=True)
    rig.cap(40_000)
    loads = [_period(rig, True) for _ in range(60)]
    assert max(loads) <= BUS_W + BEACON_W
    assert rig.node.plant.state[p_.ACCEL_ON] == 0
    assert min(loads[5:]) == BUS_W


def test_reports_still_go_down_under_the_tightest_cap() -> None:
    rig = _busy(sending=True)
    rig.cap(1)
    rig.sent.clear()
    _period(rig, True)
    assert len(rig.sent) == 2  # acceptance and completion of the cap


def test_a_lifted_cap_gives_full_power_in_the_next_period() -> None:
    rig = _busy()
    before = _period(rig, False)
    rig.cap(70_000)
    for _ in range(100):
        _period(rig, False)
    rig.cap(0)
    assert _period(rig, False) == pytest.approx(before, abs=8)


def test_work_that_starts_under_a_cap_keeps_it_whatever_the_accelerator_leaks() -> None:
    # Idle, cooled and capped: the sensors have not seen the leakage for a while, and it comes back at once.
    for cap_w in CAPS_W:
        rig = _busy(LEAKY)
        rig.no_demand()
        rig.settle(300)
        assert rig.load_w() == BUS_W
        rig.cap(round(cap_w * 1000))
        assert max(_period(rig, False) for _ in range(30)) <= cap_w


def test_the_first_work_since_boot_starts_at_the_lowest_point_under_a_cap() -> None:
    for cap_w in range(61, 270, 3):
        rig = Rig()
        rig.settle(3)
        rig.cap(cap_w * 1000)
        loads = [_period(rig, False) for _ in range(20)]
        assert max(loads) <= cap_w, cap_w
        assert loads[0] <= BUS_W + 12 + 4.1
        if cap_w >= 90:
            assert rig.node.computer.f[f_.OP] >= 1


@pytest.mark.parametrize("hardware", [Hardware(), LEAKY, LIGHT], ids=["default", "leaky", "light"])
def test_no_succession_of_caps_work_and_sunlight_breaks_a_cap(hardware: Hardware) -> None:
    rng = random.Random(12)
    rig = _busy(hardware, sending=True, warm_s=10)
    for _ in range(400):
        cap_w = rng.choice([0.0, rng.uniform(61, 270), rng.uniform(61, 270)])
        rig.cap(round(cap_w * 1000))
        working, sending = rng.random() < 0.7, rng.random() < 0.4
        rig.node.computer.f[f_.RADIO_LOCK] = int(sending)
        rig.light(1024, radiator=rng.choice((0, 1024)))
        limit_w = cap_w + BEACON_W * (cap_w < BUS_W + 20) if cap_w else 1000.0
        for _ in range(rng.randrange(1, 40)):
            if working:
                assert _period(rig, sending) <= limit_w
            else:
                rig.no_demand()
                rig.settle(1)
                assert rig.load_w() <= limit_w
