"""Every intermediate of the flight software stays within (-2^30, 2^30), whatever is commanded and whatever happens.

Not covered: numbers that come out of struct and crc32 (commands' u32 arguments before their limits are checked, the
rolling CRC), sizes and lengths, and the accelerator; plant and kernels have audits of their own.
"""

import random
import struct

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from firmware.audited_int import LIMIT, Audited, LeftTheRangeError
from firmware.flight.bench import Model
from firmware.node.audited import AuditedArray, audit, audit_sensors
from firmware.node.rig import Rig
from firmware.plant.nodes import scaled

STEPS = 20_000


def _any(rng: random.Random, low: int, high: int) -> int:
    # An end half of the time, else any order of magnitude.
    if rng.random() < 0.5:
        return rng.choice((low, high))
    return min(high, low + int((high - low + 1) ** rng.random()))


def _parameter(rng: random.Random, rig: Rig) -> None:
    number, _, default, low, high, _ = rng.choice(d.PARAMETERS)
    rig.command("set_param", number, rng.choice((default, _any(rng, low, high))))


def _window(rng: random.Random, rig: Rig) -> None:
    start_s = int(rig.node.computer.f[f_.NOW_S]) + _any(rng, 0, 1 << 20)
    windows = [(start_s, min(LIMIT - 1, start_s + 1 + _any(rng, 0, 1 << 29)))]
    if rng.random() < 0.3:
        rig.command("plan_clear", rng.randrange(2))
    rig.command(
        "plan_add", rng.randrange(2), data=b"".join(struct.pack(">II", *window) for window in windows)
    )


def _query(rng: random.Random, rig: Rig) -> None:
    deadline_s = min(LIMIT - 1, int(rig.node.computer.f[f_.NOW_S]) + _any(rng, 0, LIMIT - 1))
    rig.command("query", _any(rng, 0, LIMIT - 1), 0x12345678, rng.randrange(256), deadline_s, data=bytes(64))


def _weather(rng: random.Random, rig: Rig) -> None:
    rig.light(_any(rng, 0, 1024), _any(rng, 0, 1024), _any(rng, 0, 1024))
    rig.node.computer.f[f_.RADIO_LOCK] = int(rng.random() < 0.8)
    if rng.random() < 0.2:
        state = rig.node.plant.state
        state[p_.ENERGY_J] = _any(rng, 0, rig.node.plant_words[p_.CAPACITY_J])
        state[p_.T_ACCEL_UK] = _any(rng, p_.T_MIN_ACCEL_UK, p_.T_MAX_UK)
        state[p_.T_RADIATOR_UK] = _any(rng, p_.T_MIN_RADIATOR_UK, p_.T_MAX_UK)


def _custody(rng: random.Random, rig: Rig) -> None:
    count = int(rig.node.computer.f[f_.TM_COUNT])
    numbers = [count - rng.randrange(40) & 0x3FFF for _ in range(rng.randrange(1, 9))]
    rig.command("custody", data=struct.pack(f">{len(numbers)}H", *numbers))


def _other(rng: random.Random, rig: Rig) -> None:
    rig.command("cap_power", rng.choice((0, _any(rng, 1, (1 << 20) - 1))))
    rig.command("set_mode", rng.choice((0, 0, 0, 1, 2)))
    rig.command("get_param", rng.randrange(50))


def _calm(rig: Rig) -> None:
    # The dictionary's values, charge and a contact again, else wild ones would add up to a node that does nothing.
    rig.command("set_mode", 0)
    rig.command("cap_power", 0)
    rig.command("plan_clear", d.PLAN_ECLIPSES)
    rig.command("plan_clear", d.PLAN_CONTACTS)
    now_s = int(rig.node.computer.f[f_.NOW_S])
    rig.command("plan_add", d.PLAN_CONTACTS, data=struct.pack(">II", now_s, now_s + 10_000))
    rig.node.plant.state[p_.ENERGY_J] = rig.node.plant_words[p_.CAPACITY_J]
    for number, _, default, _, _, _ in d.PARAMETERS:
        rig.command("set_param", number, default)


HARDWARE = {
    "default": (Hardware(), 1 << 29),
    "2 MW": (scaled(Hardware(), 2000.0), 0),
    "2 W": (scaled(Hardware(), 0.01), 12_345),
}


@pytest.mark.parametrize("name", HARDWARE)
def test_random_commands_and_extreme_environments_stay_within_30_bits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(f"{name} node")
    hardware, start_s = HARDWARE[name]
    audit(monkeypatch)
    Audited.widest = 0
    rig = Rig(hardware, Model(macs=200_000))
    rig.node.boot(start_s, 0, 0, 4, 0)
    audit_sensors(rig.node)
    actions = (_parameter, _parameter, _window, _query, _query, _query, _weather, _custody, _other)
    for step in range(STEPS // len(HARDWARE)):
        if rng.random() < 0.3:
            rng.choice(actions)(rng, rig)
        if step % 100 == 99:
            _calm(rig)
        rig.node.step()
    f = rig.node.computer.f
    assert isinstance(f, AuditedArray)
    assert f[f_.JOBS_DONE] > 20 and f[f_.JOBS_EXPIRED] > 0 and f[f_.JOBS_REFUSED] > 100
    assert rig.node.computer.links.counters[3] > 20  # answers went out
    assert Audited.widest > LIMIT // 2  # it was not all far from the edge


def test_the_audit_itself_catches_what_leaves_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    audit(monkeypatch)
    rig = Rig()
    audit_sensors(rig.node)
    rig.node.computer.v[d.P_RADIO_PW] = LIMIT // 1000 + 1
    rig.node.computer.contacts.add(0, 100)
    rig.node.computer.f[f_.RADIO_LOCK] = 1
    with pytest.raises(LeftTheRangeError):
        rig.node.step()
    with pytest.raises(LeftTheRangeError):
        (1 << 15) * (rig.node.computer.v[d.P_CAPACITY_J] % 7 + (1 << 15))
