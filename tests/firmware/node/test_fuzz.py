"""Hostile frames: whatever comes in, the node raises nothing, stays obedient and its state stays in range."""

import random
from collections.abc import Callable

import pytest

from ascnode.session import messages
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import links as l_
from ascnode_fw.flight import tasks as t_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY
from firmware.node.test_exchange import SUN, Host, S

BODIES = 20_000
LONGEST_STEPS = 5000
_FULL_CONTACT = bytes(4) + (1 << 29).to_bytes(4, "big")
SAFE_KINDS = (link.PACKET, link.ENVIRONMENT, link.RADIO)


class StandsStillError(Exception):
    """An exchange that does not come to its end."""


def _guarded(host: Host) -> None:
    # A time word that an upset has turned back keeps an exchange going for hours: cut short, as by a watchdog.
    node, step = host.node, host.node.step
    steps = [0]

    def counted() -> None:
        steps[0] += 1
        if steps[0] > LONGEST_STEPS:
            raise StandsStillError("too many steps")
        step()

    node.step = counted  # type: ignore[method-assign]
    handle = node.handle

    def restart(body: memoryview) -> bool:
        steps[0] = 0
        return handle(body)

    node.handle = restart  # type: ignore[method-assign]


def _now_us(host: Host) -> int:
    # as the host would know it, whatever an upset did to the node's clock
    return max(0, min(host.now_us, (1 << 30) * S))


def _orders(rng: random.Random, host: Host) -> bytes:
    now_s = _now_us(host) // S
    name = rng.choice([row[1] for row in d.COMMANDS])
    arguments: dict[str, tuple[tuple[int, ...], bytes]] = {
        "ping": ((), b""),
        "set_param": ((rng.randrange(60), rng.choice((0, 1, 7, 1000, 100_000, -1))), b""),
        "get_param": ((rng.randrange(60),), b""),
        "set_mode": ((rng.randrange(4),), b""),
        "cap_power": ((rng.choice((0, 70_000, 200_000, 1 << 21)),), b""),
        "plan_clear": ((rng.randrange(3),), b""),
        "plan_add": (
            (rng.randrange(3),),
            now_s.to_bytes(4, "big") + (now_s + rng.randrange(99)).to_bytes(4, "big"),
        ),
        "query": (
            (rng.randrange(99), host.model.model_id, rng.randrange(4), now_s + rng.randrange(60)),
            bytes(64),
        ),
        "custody": ((), (host.node.computer.f[f_.TM_COUNT] & 0x3FFF).to_bytes(2, "big")),
        "update_begin": ((rng.randrange(3), 0, rng.choice((0, 1, 5000, 1 << 20))), bytes(48)),
        "update_chunk": ((504 * rng.randrange(12),), bytes(504)),
        "update_status": ((rng.randrange(3),), b""),
        "update_verify": ((), b""),
        "update_commit": ((rng.randrange(3), rng.randrange(99)), b""),
        "update_abort": ((), b""),
        "update_confirm": ((), b""),
        "update_revert": ((rng.randrange(3),), b""),
    }
    fixed, data = arguments[name]
    return host.commander.packet(name, *fixed, data=data)


def _events(rng: random.Random, host: Host, kinds: tuple[int, ...]) -> list[messages.Event]:
    now_us = _now_us(host)
    out = []
    for _ in range(rng.randrange(5)):
        at_us = now_us + rng.randrange(8) * S // 2
        kind = rng.choice(kinds)
        if kind == link.PACKET:
            out.append(messages.packet(at_us, _orders(rng, host)))
        elif kind == link.ENVIRONMENT:
            out.append(messages.environment(at_us, *(rng.choice((0, 1024, 700)) for _ in range(4))))
        elif kind == link.RADIO:
            out.append(messages.radio_lock(at_us, rng.random() < 0.8))
        else:
            mask = rng.choice((1 << rng.randrange(31), -(1 << 31), rng.randrange(1 << 31)))
            out.append(messages.poke(at_us, rng.randrange(13), rng.randrange(60), mask))
    return out


def _body(rng: random.Random, host: Host, kinds: tuple[int, ...]) -> bytes:
    """A frame that makes sense."""
    choice = rng.randrange(20)
    if choice == 0:
        return messages.hello(rng.randrange(1 << 16))
    if choice == 1:
        return bytes((d.LINK, link.TO_REPL)) + b"repl?"
    if choice == 2:
        return messages.begin(rng.randrange(1 << 29) * 1000, rng.randrange(10_000), 4, 1)
    if choice == 3:
        return messages.place(link.SNAPSHOT, rng.randrange(13), rng.randrange(300))
    if choice == 4 and link.POKE in kinds:
        data = rng.randbytes(4 * rng.randrange(20))
        return messages.place(link.RESTORE, rng.randrange(13), 4 * rng.randrange(40), data)
    if choice in (5, 6):
        return bytes((d.FLIGHT,)) + _orders(rng, host)
    if choice == 7:
        return rng.randbytes(rng.randrange(80))
    ahead_us = rng.choice((0, 1, 3 * S, 17 * S))
    events = _events(rng, host, kinds)
    flags = rng.choice((0, 0, 0, link.STOP_ON_CUSTODY, link.MORE))
    return messages.exchange(_now_us(host) + ahead_us, events, flags, MAX_BODY)[0]


def _mutated(rng: random.Random, body: bytes) -> bytes:
    out = bytearray(body)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
        where = rng.randrange(len(out) + 1)
        what = rng.randrange(4)
        if what == 0 and where < len(out):
            out[where] ^= 1 << rng.randrange(8)
        elif what == 1 and where < len(out):
            out[where] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif what == 2:
            del out[where : where + rng.randrange(1, 9)]
        elif what == 3:
            out[where:where] = rng.randbytes(rng.randrange(1, 9))
    return bytes(out[:MAX_BODY])


def _in_range(host: Host) -> None:
    f = host.node.computer.f
    assert 0 <= f[f_.NOW_MS] <= 999 and 0 <= f[f_.NOW_S] <= 1 << 30
    assert 0 <= f[f_.MODE] <= 3 and 0 <= f[f_.SHED] <= 2 and 0 <= f[f_.COMMANDED] <= 2
    assert f[f_.ACCEL_ON] in (0, 1) and 0 <= f[f_.OP] < d.OP_MAX and -1 <= f[f_.RUNNING] < t_.SLOTS
    assert all(-(1 << 30) < word < 1 << 30 for word in f)
    tasks, links = host.node.computer.tasks, host.node.computer.links
    assert tasks.held() == sum(1 for i in range(0, len(tasks.words), t_.WORDS) if tasks.words[i])
    states = [links.words[i] for i in range(0, len(links.words), l_.WORDS)]
    assert (links.counters[1], links.counters[2]) == (states.count(1), states.count(2))
    assert min(host.node.plant.state) >= 0
    v = host.node.computer.v
    assert all(low <= v[number] <= high for number, _, _, low, high, _ in d.PARAMETERS)


def _fuzz(seed: int, bodies: int, kinds: tuple[int, ...], check: Callable[[Host], None]) -> Host:
    rng = random.Random(seed)
    host = Host()
    host.in_contact()
    _guarded(host)
    for turn in range(bodies):
        if turn % 50 == 0:  # else a wild parameter or mode would stand for the rest
            for name in [name for name in host.twin._store.files if name == "params"]:
                del host.twin._store.files[name]
            host.twin.handle(messages.begin(0, 0, 4, 0))
            host.commander.sequence = max(0, host.node.counters[0].last)
            host.exchange(
                3 * S, [SUN, messages.radio_lock(0, True), host.order(0, "plan_add", 0, data=_FULL_CONTACT)]
            )
        host.twin.handle(_mutated(rng, _body(rng, host, kinds)))
        check(host)
        if host.commander.sequence > host.node.counters[0].last + 1000:
            host.commander.sequence = max(0, host.node.counters[0].last)
    return host


@pytest.fixture
def short_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "EXCHANGE_MAX_S", 40)


@pytest.mark.usefixtures("short_exchanges")
@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_frames_of_all_kinds_never_raise_and_leave_the_state_in_range(seed: int) -> None:
    host = _fuzz(seed, BODIES // 2, SAFE_KINDS, _in_range)
    f = host.node.computer.f
    assert host.node.handle(memoryview(messages.hello(1)))
    assert f[f_.TM_COUNT] > 0
    assert host.exchange(host.now_us + 5 * S).steps == 5


@pytest.mark.usefixtures("short_exchanges")
def test_upsets_of_any_word_never_raise() -> None:
    # An upset may stop the flight software until the next begin; it must not stop the board.
    host = _fuzz(3, BODIES, (*SAFE_KINDS, link.POKE, link.POKE), lambda _: None)
    host.twin.handle(messages.begin(0, 0, 4, 0))
    assert host.exchange(5 * S).steps == 5


@pytest.mark.parametrize("word", [f_.NOW_S, f_.NOW_MS], ids=["seconds", "ms"])
def test_a_clock_that_an_upset_turns_back_does_not_keep_an_exchange_from_ending(word: int) -> None:
    host = Host()
    host.exchange(1000 * S, [SUN])
    _guarded(host)
    names = [name for name, _, _ in host.node.buffers()]
    upset = messages.poke(1001 * S, names.index("flight"), word, -(1 << 31))
    for body in messages.exchange(1010 * S, [upset], 0, MAX_BODY):
        (answer,) = host.twin.handle(body)
    assert b"too many steps" not in answer


def test_a_control_period_that_an_upset_clears_does_not_stop_time() -> None:
    host = Host()
    _guarded(host)
    names = [name for name, _, _ in host.node.buffers()]
    upset = messages.poke(S, names.index("params"), d.P_CONTROL_MS, 1000)
    for body in messages.exchange(10 * S, [upset], 0, MAX_BODY):
        (answer,) = host.twin.handle(body)
    assert b"too many steps" not in answer


def test_a_telecommand_after_an_upset_of_the_clock_does_not_stop_the_board() -> None:
    host = Host()
    host.in_contact()
    names = [name for name, _, _ in host.node.buffers()]
    for body in messages.exchange(
        host.now_us + S, [messages.poke(0, names.index("flight"), f_.NOW_S, -(1 << 31))], 0, MAX_BODY
    ):
        host.twin.handle(body)
    host.twin.handle(bytes((d.FLIGHT,)) + host.commander.packet("ping"))
    host.twin.handle(messages.begin(0, 0, 4, 0))
    assert host.exchange(5 * S).steps == 5


def test_state_arrays_have_the_names_that_a_difference_is_told_by() -> None:
    for name, buffer, names in Host().node.buffers():
        if names:
            assert len(names) == len(buffer), name
            assert len(set(names)) == len(names)
    assert len(p_.STATE_NAMES) == p_.STATE_WORDS
