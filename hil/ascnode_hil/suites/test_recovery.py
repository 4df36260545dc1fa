"""Recovery: power cuts at writes, watchdog, replay after a reset, a safe start."""

import random
from collections.abc import Callable

import pytest

from ascnode_fw.wire import dictionary as d
from ascnode_hil.faults import HilFaults
from ascnode_hil.measure import Measurement
from ascnode_hil.node import PARAMETERS, HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import image, lengthen

# Parameters that steer nothing here, with two values each.
_CHANGED = {"custody_timeout": (21, 31), "custody_tries": (9, 7), "worth_result": (30001, 29999)}
_CUTS = 10
_WRITES = {"twin": 3, "virtual": 12}  # to set them all: of files, or of the file system's blocks


@pytest.mark.ascnode_requirement("RCV-01")
def test_parameters_survive_a_power_cut_at_any_write(
    ascnode_node: HilNode, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    confirmed = _set_all(node, 0)
    rng = random.Random(node.seed)
    cuts = 0
    for round_ in range(1, _CUTS + 1):
        values = {name: pair[round_ % 2] for name, pair in _CHANGED.items()}
        for name, value in values.items():
            node.send("set_param", PARAMETERS[name], value)
        write, halves = rng.randint(1, _WRITES[node.kind]), rng.randint(0, 2)
        cuts += node.cut_power_at_write(node.period_s, write, halves)
        found = {name: node.parameter(name) for name in values}
        for name, value in found.items():
            assert value in (confirmed[name], values[name]), f"{name} after a cut at write {write}"
        renewed = [found[name] == values[name] for name in values]
        assert renewed == sorted(renewed, reverse=True), "a later parameter is stored without an earlier one"
        node.contact()
        node.step(2)
        assert not node.events("parameters defaulted")
        confirmed = _set_all(node, round_ % 2)
    ascnode_measure("power_cuts_at_writes", cuts, "cuts", low=_CUTS * 0.3)


def _set_all(node: HilNode, which: int) -> dict[str, int]:
    # Sets and confirms; a cut afterwards takes none of it back.
    node.contact()
    values = {name: pair[which] for name, pair in _CHANGED.items()}
    for name, value in values.items():
        assert node.command("set_param", PARAMETERS[name], value) == "ok"
    node.cut_power()
    assert {name: node.parameter(name) for name in values} == values
    return values


@pytest.mark.ascnode_requirement("RCV-02")
def test_a_watchdog_reset_keeps_the_plant(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    ascnode_sky.sun(0.4)
    ascnode_sky.contact()
    node.query(image())
    node.advance(300)
    before = node.charge, node.accelerator_c, node.plant("t_radiator uK") / 1e6
    boots = node.state("boots")
    for word in (0, 1):  # an upset: windows, and the first of them, far outside the table
        node.poke("contacts", word, 30_001 - word)
    node.step(2)
    assert node.state("boots") == boots + 1
    after = node.charge, node.accelerator_c, node.plant("t_radiator uK") / 1e6
    for was, now, most in zip(before, after, (0.001, 0.5, 0.3), strict=True):
        assert abs(now - was) < most
    assert after[0] != node.hardware.initial_charge
    node.contact()
    node.step(2)
    assert node.events("boot")[-1].value == d.WATCHDOG


@pytest.mark.ascnode_requirement("RCV-03")
def test_an_old_telecommand_is_refused_after_a_reset(ascnode_node: HilNode) -> None:
    node = ascnode_node
    node.contact()
    sent = node.send("cap_power", 77_000)
    node.step(2)
    assert node.state("power cap pw") == 77_000
    node.reset()
    node.contact()
    node.send_packet(sent.packet)
    node.step(3)
    assert node.state("power cap pw") == 0
    assert node.command("ping") == "ok"


@pytest.mark.ascnode_requirement("RCV-04")
def test_after_a_power_cut_the_node_starts_safe_and_tells_the_cause(
    ascnode_node: HilNode, ascnode_sky: HilSky
) -> None:
    node = ascnode_node
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.step(3)
    assert node.command("cap_power", node.parameter("bus_load") + 1) == "ok"
    assert node.command("set_mode", 2) == "ok"
    node.query(image(), deadline_s=100_000)
    node.step(2)
    node.cut_power()
    assert node.mode == "SAFE"
    told = ("power cap pw", "commanded mode", "jobs done", "shed level")
    assert [node.state(word) for word in told] == [0, 0, 0, 0]
    assert node.twin.node.computer.tasks.held() == 0
    node.contact()
    node.step(2)
    (boot,) = [event for event in node.events("boot") if event.made_s >= node.now_s - 5]
    assert boot.value == d.RESET_CAUSES.index("power cut")


@pytest.mark.ascnode_requirement("RCV-05")
@pytest.mark.parametrize("trigger", ["job", "answer"])
@pytest.mark.parametrize(
    ("effect", "off_s", "cause"),
    [
        ("reset", 0, "reset"),
        ("watchdog", 0, "watchdog"),
        ("power_cut", 30, "power cut"),
        ("brown_out", 5, "power cut"),
    ],
)
def test_after_an_outage_the_node_tells_the_cause_and_works_again(
    ascnode_node: HilNode,
    ascnode_faults: HilFaults,
    ascnode_sky: HilSky,
    effect: str,
    off_s: float,
    cause: str,
    trigger: str,
) -> None:
    node = ascnode_node
    fault = {"kind": "board", "effect": effect, "off_s": off_s, "start_s": 10, "trigger": trigger}
    ascnode_faults(fault)
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.advance(10)
    lengthen(node, 40_000)  # a job takes several periods
    lost, _ = node.query(image())
    node.until(lambda: _boots(ascnode_faults), 120, f"return after a {effect}")
    node.contact()  # its plans are gone
    node.advance(10)
    assert d.RESET_CAUSES[node.events("boot")[-1].value] == cause
    job, _ = node.query(image())
    node.until(lambda: node.answer(job), 60, "result after the outage")
    results = [(answer.job, answer.code) for answer in node.answers() if answer.job != lost]
    assert results == [(job, "ok")]
    ascnode_faults.became("recovered")


def _boots(faults: HilFaults) -> bool:
    return any(one.target == "boot" for one in faults.injected)
