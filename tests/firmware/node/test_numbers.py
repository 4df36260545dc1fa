"""Numbered SIM requests at the node: obeyed once, answered as often as they are asked, and in order."""

import random
import struct

import pytest

from ascnode.session import messages
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY
from firmware.node.test_exchange import SUN, Host, S


class Numbered(Host):
    """A host that numbers its requests in session 1."""

    def __init__(self) -> None:
        super().__init__()
        self.twin.handle(messages.hello(1))
        self.number = 0

    def request(self, body: bytes, number: int | None = None) -> list[bytes]:
        self.number = self.number + 1 if number is None else number
        return self.twin.handle(messages.numbered(body, 1, self.number))


def exchange(until_us: int, *events: messages.Event) -> bytes:
    (body,) = messages.exchange(until_us, events, 0, MAX_BODY)
    return body


def test_a_request_that_comes_again_gets_the_same_bytes_and_moves_nothing() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    host.request(exchange(5 * S, SUN, messages.radio_lock(0, True)))
    plan = host.order(0, "plan_add", d.PLAN_CONTACTS, data=struct.pack(">II", 0, 1 << 29))
    first = host.request(exchange(100 * S, plan, host.query(10 * S, 1)))
    state = host.snapshot()
    for _ in range(3):
        assert host.request(b"\x01\x02" + bytes(4) + exchange(100 * S)[6:], host.number) == first
        assert host.snapshot() == state
    assert messages.parse_done(first[-1]).outputs


@pytest.mark.parametrize(
    "body",
    [messages.begin(0, 0, 4, 0), exchange(50 * S), messages.place(link.RESTORE, 0, 0, bytes(8))],
    ids=["begin", "exchange", "restore"],
)
def test_a_request_of_another_number_or_session_is_passed_over(body: bytes) -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    for t in range(1, 9):
        host.request(exchange(t * S))
    state = host.snapshot()
    for number in (0, 1, host.number - 1, host.number + 2, 65535):
        assert host.twin.handle(messages.numbered(body, 1, number)) == []
    assert host.twin.handle(messages.numbered(body, 2, host.number + 1)) == []
    assert host.snapshot() == state


def test_frames_of_an_exchange_count_once_and_in_order() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    events = [messages.environment(i * S // 4, i, i, 0, 0) for i in range(200)]
    frames = [messages.numbered(body, 1, 2) for body in messages.exchange(100 * S, events, 0, MAX_BODY)]
    rng = random.Random(3)
    answers: list[bytes] = []
    while not answers:  # in any order, as often as it takes
        for reply in host.twin.handle(rng.choice(frames)):
            if reply[0] == d.SIM:
                answers.append(reply)
            else:
                assert reply[:6] == bytes((d.LINK, link.CREDIT, 0, 1, 0, 2))
    done = messages.parse_done(answers[-1])
    assert (done.applied, done.steps) == (200, 100)
    assert host.node.plant.state[p_.ILLUMINATION] == 199


def test_a_refused_request_has_not_happened_and_is_refused_again() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    state = host.snapshot()
    wrong = exchange(5000 * S)
    first = host.request(wrong)
    assert first[0][:6] == bytes((d.LINK, link.REFUSED, 0, 1, 0, 2))
    assert host.request(wrong, 2) == first
    assert host.snapshot() == state
    assert messages.parse_done(host.request(exchange(3 * S), 3)[0]).steps == 3


def test_an_event_that_is_not_whole_is_refused_before_any_step() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    state = host.snapshot()
    late = messages.Event(50 * S, link.ENVIRONMENT, b"123")
    assert host.request(exchange(60 * S, SUN, late))[0][:2] == bytes((d.LINK, link.REFUSED))
    assert host.snapshot() == state


def test_a_hello_repeated_or_late_keeps_the_session_and_a_later_one_opens_another() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    for nonce, session, number in ((1, 1, 1), (65000, 1, 1), (2, 2, 0), (1, 2, 0), (30_000, 30_000, 0)):
        identity = messages.parse_identity(host.twin.handle(messages.hello(nonce))[0])
        assert (identity.nonce, identity.number) == (session, number)


def test_a_board_without_a_session_says_so_to_a_numbered_request() -> None:
    host = Host()
    (said,) = host.twin.handle(messages.numbered(exchange(5 * S), 4, 1))
    assert messages.parse_identity(said).nonce == 0


def test_a_period_that_fails_in_lockstep_is_a_watchdogs_reset_and_ends_the_exchange() -> None:
    host = Numbered()
    host.request(messages.begin(0, 0, 4, 0))
    energy = host.node.plant.state[p_.ENERGY_J]
    step, calls = host.node.computer.step, []

    def failing(words: object) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise ValueError("an upset's work")
        step(words)  # type: ignore[arg-type]

    host.node.computer.step = failing  # type: ignore[method-assign]
    answer = host.request(exchange(10 * S))
    done = messages.parse_done(answer[0])
    assert (done.stop, done.steps, done.now_us) == (link.RECOVERED, 4, 3 * S)
    f = host.node.computer.f
    assert (f[f_.BOOTS], host.node.cause) == (1, d.WATCHDOG)
    assert abs(host.node.plant.state[p_.ENERGY_J] - energy) < 2000
    assert host.request(exchange(10 * S), host.number) == answer
    assert messages.parse_done(host.request(exchange(10 * S), host.number + 1)[0]).steps == 7


# --- sensors


def test_a_stuck_sensor_is_what_flight_software_sees_and_a_reset_does_not_mend_it() -> None:
    host = Host()
    host.exchange(5 * S, [SUN, messages.sensor_fault(2 * S, d.SENSOR_RADIATOR, 0, 2048)])
    # half of the full scale, 155 K..465 K
    assert host.node.computer.f[f_.RADIATOR_CK] == 31_000
    host.node.recover()
    host.exchange(8 * S)
    assert host.node.computer.f[f_.RADIATOR_CK] == 31_000
    well = Host()
    well.exchange(9 * S, [SUN])
    host.exchange(9 * S, [messages.sensor_fault(8 * S, d.SENSOR_RADIATOR, 0xFFF, 0)])
    assert host.node.computer.f[f_.RADIATOR_CK] == well.node.computer.f[f_.RADIATOR_CK]


@pytest.mark.parametrize(("offset", "expected"), [(-4095, 0), (4095, 4095)])
def test_an_offset_ends_at_the_ends_of_the_scale(offset: int, expected: int) -> None:
    host = Host()
    host.exchange(2 * S, [messages.sensor_fault(0, d.SENSOR_CELL, 0xFFF, offset)])
    assert host.node.sensors[d.SENSOR_CELL] == expected


def test_a_sensors_fault_is_in_a_snapshot() -> None:
    host = Host()
    host.exchange(2 * S, [messages.sensor_fault(0, d.SENSOR_CELL, 0, 77)])
    kept = host.snapshot()
    other = Host()
    other.restore(kept)
    other.exchange(4 * S)
    host.exchange(4 * S)
    assert other.node.sensors[d.SENSOR_CELL] == 77
    assert other.snapshot() == host.snapshot()
