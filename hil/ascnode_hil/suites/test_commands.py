"""Commands: authentic, once, in the window, reported, within limits."""

import struct

import pytest

from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key
from ascnode.session.commanding import Commander
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import WINDOW
from ascnode_hil.node import PARAMETERS, HilNode
from ascnode_hil.suites.work import image

_CAP_PW = 77_000


def _signer(node: HilNode, sequence: int, key: bytes | None = None) -> Commander:
    return Commander(key or bench_key(node.device.setup.seed, node.device.node), BENCH_KEY_INDEX, sequence)


def _begun(node: HilNode) -> None:
    # In contact, and with nothing more to tell.
    node.contact()
    assert node.command("ping") == "ok"
    node.step(5)


@pytest.mark.ascnode_requirement("CMD-01")
@pytest.mark.parametrize("forgery", ["other key", "bit of the command", "bit of the code", "cut short"])
def test_a_forged_telecommand_has_no_effect_and_no_answer(ascnode_node: HilNode, forgery: str) -> None:
    node = ascnode_node
    _begun(node)
    refused = node.state("commands refused")
    key = bytes(32) if forgery == "other key" else None
    packet = bytearray(_signer(node, node.sequence, key).packet("cap_power", _CAP_PW))
    if forgery == "bit of the command":
        packet[14] ^= 1
    elif forgery == "bit of the code":
        packet[-1] ^= 1
    elif forgery == "cut short":
        del packet[-1]
    node.send_packet(bytes(packet))
    assert [one for one in node.step(3) if one.name != "housekeeping"] == []
    assert node.state("power cap pw") == 0
    assert node.state("commands refused") == refused + 1
    assert node.command("ping") == "ok"  # and the number that it used up is still free


@pytest.mark.ascnode_requirement("CMD-02")
def test_a_telecommand_that_comes_again_is_refused(ascnode_node: HilNode) -> None:
    node = ascnode_node
    _begun(node)
    sent = node.send("cap_power", _CAP_PW)
    node.step(2)
    assert node.state("power cap pw") == _CAP_PW
    assert node.command("cap_power", 0) == "ok"
    refused = node.state("commands refused")
    node.send_packet(sent.packet)
    assert [one for one in node.step(3) if one.name != "housekeeping"] == []
    assert node.state("power cap pw") == 0
    assert node.state("commands refused") == refused + 1


@pytest.mark.ascnode_requirement("CMD-03")
def test_a_number_beyond_the_window_is_refused_and_moves_nothing(ascnode_node: HilNode) -> None:
    node = ascnode_node
    _begun(node)
    beyond = _signer(node, node.sequence + WINDOW).packet("cap_power", _CAP_PW)
    node.send_packet(beyond)
    node.step(2)
    assert node.state("power cap pw") == 0
    assert node.command("ping") == "ok"


@pytest.mark.ascnode_requirement("CMD-04")
@pytest.mark.parametrize(
    ("name", "arguments", "data", "code"),
    [
        ("ping", (), b"", "ok"),
        ("ping", (), b"x", "bad arguments"),
        ("get_param", (1,), b"", "ok"),
        ("get_param", (999,), b"", "unknown parameter"),
        ("set_param", (999, 1), b"", "unknown parameter"),
        ("set_mode", (3,), b"", "out of limits"),
        ("cap_power", (1 << 20,), b"", "out of limits"),
        ("plan_clear", (2,), b"", "out of limits"),
        ("plan_add", (1,), b"1234567", "bad arguments"),
        ("plan_add", (1,), struct.pack(">II", 20, 10), "plan full"),
        ("custody", (), b"", "bad arguments"),
        ("query", (1, 0, 0, 9999), image().tobytes(), "unknown model"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_every_telecommand_is_reported_with_its_code(
    ascnode_node: HilNode, name: str, arguments: tuple[int, ...], data: bytes, code: str
) -> None:
    node = ascnode_node
    node.contact()
    sent = node.send(name, *arguments, data=data)
    node.step(4)
    reports = [one for one in node.heard if one.fields.get("sequence") == sent.sequence]
    told = [(one.name, one.code) for one in reports]
    accepted = [("acceptance", code)]
    assert told == (accepted if code != "ok" else [*accepted, ("completion", "ok")])


@pytest.mark.ascnode_requirement("CMD-05")
def test_a_parameter_beyond_its_limits_is_refused_and_stays(ascnode_node: HilNode) -> None:
    node = ascnode_node
    node.contact()
    before = {name: node.parameter(name) for name in PARAMETERS}
    for number, name, _, low, high, _ in d.PARAMETERS:
        for value in (low - 1, high + 1):
            assert node.command("set_param", number, value) == "out of limits", f"{name} = {value}"
    assert {name: node.parameter(name) for name in PARAMETERS} == before
