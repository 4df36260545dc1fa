"""One node: what it starts from, the time its plant takes, conditions that last, and what it says of itself."""

import struct
from zlib import crc32

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.session import messages
from ascnode.twin.store import MemoryStore
from ascnode_fw.flight import layout as f_
from ascnode_fw.node import Node, load_keys
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import Model
from firmware.node.rig import Rig

KEYS = struct.pack(">H32sH32s", 0, b"k" * 32, 0x1234, b"q" * 32)
KEYS_FILE = KEYS + struct.pack("<I", crc32(KEYS))


# --- keys


def test_keys_are_read_by_their_index() -> None:
    assert load_keys(KEYS_FILE) == {0: b"k" * 32, 0x1234: b"q" * 32}


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        KEYS_FILE[:-1],
        KEYS_FILE + b"\0",
        KEYS_FILE[:20],
        b"x" + KEYS_FILE[1:],
        KEYS_FILE[:-1] + b"\0",
    ],
)
def test_keys_that_are_missing_cut_or_damaged_are_refused_in_a_sentence(data: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"keys\.bin is (missing|damaged)"):
        load_keys(data)


@pytest.mark.parametrize("name", ["plant.bin", "keys.bin"])
def test_a_node_without_its_files_does_not_start(name: str) -> None:
    files = dict(Rig().store.files)
    del files[name]
    with pytest.raises(ValueError):
        Node(MemoryStore(files), Model(), bytes(8), lambda body: None)


# --- boot


def _events(rig: Rig) -> list[tuple[int, int]]:
    links = rig.node.computer.links
    packets = [bytes(links.packet(slot)) for slot in range(48) if links.words[slot * 9]]
    return [
        struct.unpack_from(">HBi", packet, 13)[::2]
        for packet in sorted(packets, key=lambda packet: packet[2:4])
        if packet[12] == d.TM_EVENT
    ]


def test_a_boot_is_told_with_its_cause() -> None:
    rig = Rig()
    rig.node.boot(1000, 0, 0, 3, 17)
    assert _events(rig) == [(d.EV_BOOT, 3)]
    assert rig.node.computer.f[f_.BOOTS] == 17


def test_parameters_that_were_lost_are_told_at_boot() -> None:
    rig = Rig()
    rig.store.files["params"] = rig.store.files["params"][:-1] + b"?"
    rig.node.boot(0, 0, 0, 2, 0)
    assert _events(rig) == [(d.EV_BOOT, 2), (d.EV_PARAMS_DEFAULTED, 1)]
    assert rig.node.computer.v[d.P_CAPACITY_J] == d.PARAMETERS[d.P_CAPACITY_J][2]


def test_a_boot_keeps_flash_and_loses_memory() -> None:
    rig = Rig()
    fresh = [bytes(buffer) for _, buffer, _ in Rig().node.buffers()]
    rig.command("set_param", d.P_HK_PERIOD_S, 33)
    rig.command("plan_add", d.PLAN_CONTACTS, data=struct.pack(">II", 100, 200))
    rig.command("cap_power", 99_999)
    rig.settle(200, demand=True)
    rig.node.boot(0, 0, 0, 0, 0)
    rig.light(1024)
    after = {name: bytes(buffer) for name, buffer, _ in rig.node.buffers()}
    assert rig.node.computer.v[d.P_HK_PERIOD_S] == 33
    names = [name for name, _, _ in rig.node.buffers()]
    differing = {name for name, before in zip(names, fresh, strict=True) if after[name] != before}
    assert differing == {"params", "node"}  # the last sequence number is kept as well


def test_the_hello_says_who_and_what_the_node_is() -> None:
    rig = Rig()
    rig.node.boot(5000, 0, 0, 3, 0x1234)
    for _ in range(3):
        rig.command("ping")
    rig.node.handle(memoryview(messages.hello(0xBEEF)))
    identity = messages.parse_identity(rig.sent[-1])
    assert (identity.nonce, identity.boots, identity.reset_cause, identity.sequence) == (0xBEEF, 0x1234, 3, 3)
    assert (identity.unique_id, identity.dictionary) == (rig.node.unique_id, d.digest())
    assert identity.plant_crc == crc32(rig.store.files["plant.bin"][:-4])
    assert identity.model_id == 0x12345678
    assert identity.max_body == 1024
    assert "sim" in identity.capabilities


# --- time


def _cooled_k(control_ms: int, periods: int) -> float:
    # How far the radiator cools in the dark.
    rig = Rig()
    rig.light(0, albedo=0)
    rig.command("set_param", d.P_CONTROL_MS, control_ms)
    rig.settle(periods)
    return 293.15 - rig.node.plant.state[p_.T_RADIATOR_UK] * 1e-6


@pytest.mark.parametrize("control_ms", [2000, 500, 1500, 10, 10_000])
def test_the_plant_takes_as_much_time_as_the_flight_software(control_ms: int) -> None:
    # 300 s: as much heat goes whatever the control period is, also one that is not whole steps of the plant.
    assert _cooled_k(control_ms, 300_000 // control_ms) == pytest.approx(_cooled_k(1000, 300), rel=0.005)


# --- conditions


def test_a_brown_out_is_told_once_and_again_when_it_comes_again() -> None:
    rig = Rig()
    rig.light(0)
    state = rig.node.plant.state
    for _ in range(2):
        state[p_.ENERGY_J] = 0
        rig.settle(50)
        assert [event for event, _ in _events(rig)].count(d.EV_BROWN_OUT) == _ + 1
        state[p_.ENERGY_J] = 10_000
        rig.settle(1)


def test_an_accelerator_held_at_its_hottest_is_told_as_a_clamp() -> None:
    rig = Rig(Hardware(accelerator_j_per_k=20.0, conductance_w_per_k=0.1))
    rig.node.plant.state[p_.T_ACCEL_UK] = p_.T_MAX_UK
    rig.node.computer.v[d.P_TEMP_TRIP] = 46_499
    rig.node.computer.v[d.P_TEMP_TARGET] = 46_000
    rig.settle(3, demand=True)
    rig.node.plant.state[p_.T_ACCEL_UK] = p_.T_MAX_UK
    rig.settle(1, demand=True)
    assert d.EV_HEAT_CLAMP in [event for event, _ in _events(rig)]


def test_an_upset_that_overfills_the_battery_does_not_stop_the_node() -> None:
    rig = Rig()
    rig.node.plant.state[p_.ENERGY_J] |= 1 << 22
    rig.settle(2)
    assert rig.charge() == 1.0
