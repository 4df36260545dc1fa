"""The SIM plane: events at their periods, reasons to stop, long replies in parts, snapshots that put a node back."""

import struct

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import bench_key, node_files, unique_id
from ascnode.session import messages
from ascnode.session.commanding import Commander
from ascnode.session.messages import Done, Event, parse_done
from ascnode.session.telemetry import decode
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.frame import MAX_BODY
from firmware.flight.bench import Model

S = 1_000_000  # us
SUN = messages.environment(0, 1024, 1024, 0, 700)
CONTACT = struct.pack(">II", 0, 1 << 29)


class Host:
    """The host's end of one node."""

    def __init__(self, start_us: int = 0) -> None:
        model = Model()
        self.twin = Twin(node_files(Hardware(), b"", 1, 0, 1000), model, unique_id(1, 0))
        self.node = self.twin.node
        self.model = model
        self.commander = Commander(bench_key(1, 0))
        (begun,) = self.twin.handle(messages.begin(start_us, 0, 4, 0))
        assert begun[:2] == bytes((d.SIM, link.BEGUN))
        self.begun = begun

    def replies(self, until_us: int, events: list[Event] | None = None, flags: int = 0) -> list[bytes]:
        """Bodies that answer an exchange's last frame."""
        out: list[bytes] = []
        for body in messages.exchange(until_us, events or [], flags, MAX_BODY):
            out = self.twin.handle(body)
        return out

    def exchange(self, until_us: int, events: list[Event] | None = None, flags: int = 0) -> Done:
        return messages.whole_done(self.replies(until_us, events, flags))

    def order(self, time_us: int, name: str, *arguments: int, data: bytes = b"") -> Event:
        """A signed telecommand that arrives then."""
        return messages.packet(time_us, self.commander.packet(name, *arguments, data=data))

    def query(self, time_us: int, job: int) -> Event:
        return self.order(time_us, "query", job, self.model.model_id, 1, 90_000, data=bytes(64))

    def in_contact(self) -> None:
        """Sunlit, locked and in a contact, with the boot's events sent."""
        plan = self.order(0, "plan_add", d.PLAN_CONTACTS, data=CONTACT)
        self.exchange(self.now_us + 5 * S, [SUN, plan, messages.radio_lock(0, True)])

    @property
    def now_us(self) -> int:
        f = self.node.computer.f
        return (f[f_.NOW_S] * 1000 + f[f_.NOW_MS]) * 1000

    def snapshot(self) -> list[bytes]:
        return self.twin.snapshot()

    def restore(self, buffers: list[bytes]) -> None:
        for index, data in enumerate(buffers):
            for at in range(0, len(data), link.CHUNK_MAX):
                body = messages.place(link.RESTORE, index, at, data[at : at + link.CHUNK_MAX])
                (answer,) = self.twin.handle(body)
                assert answer[:2] == bytes((d.SIM, link.RESTORED))


# --- time


def test_the_node_takes_every_period_that_starts_before_the_time() -> None:
    host = Host(7 * S + 250_000)
    assert host.exchange(7 * S + 250_000).steps == 0
    done = host.exchange(9 * S + 250_001)
    assert (done.steps, done.now_us, done.stop) == (3, 10 * S + 250_000, link.REACHED)
    assert host.exchange(10 * S).steps == 0  # it stands past that already


@pytest.mark.parametrize(
    ("event_us", "steps_before"),
    [(0, 0), (1, 1), (999_001, 1), (1_000_000, 1), (1_000_001, 2), (4_500_000, 5)],
)
def test_an_event_is_applied_before_the_first_period_at_or_after_its_time(
    event_us: int, steps_before: int
) -> None:
    host = Host()
    host.exchange(10 * S, [messages.environment(event_us, 1024, 512, 0, 700)])
    lit, other = Host(), Host()
    lit.exchange(steps_before * S)
    lit.exchange(10 * S, [messages.environment(0, 1024, 512, 0, 700)])
    assert lit.snapshot() == host.snapshot()
    other.exchange((steps_before + 1) * S)
    other.exchange(10 * S, [messages.environment(0, 1024, 512, 0, 700)])
    assert other.snapshot() != host.snapshot()


def test_events_that_were_not_applied_are_told_by_their_number_and_forgotten() -> None:
    host = Host()
    events = [messages.environment(t_us, 1024, 100, 0, 1) for t_us in (0, 2 * S, 2 * S, 5 * S, 8 * S)]
    done = host.exchange(5 * S, events)
    assert (done.applied, done.steps) == (3, 5)
    before = host.node.plant.state[p_.COS_ARRAY]
    host.node.plant.state[p_.COS_ARRAY] = 77
    assert host.exchange(20 * S).applied == 0  # none of them is left over
    assert (before, host.node.plant.state[p_.COS_ARRAY]) == (100, 77)


def test_events_of_one_time_are_applied_in_their_order() -> None:
    host = Host()
    events = [messages.environment(S, value, value, 0, 0) for value in (900, 300, 17)]
    host.exchange(2 * S, events)
    assert host.node.plant.state[p_.ILLUMINATION] == 17


def test_a_later_event_in_front_holds_back_those_behind_it() -> None:
    # The host sends them in order of time; what is not in order is not reordered.
    host = Host()
    done = host.exchange(5 * S, [messages.environment(9 * S, 1, 1, 1, 1), SUN])
    assert (done.applied, host.node.plant.state[p_.ILLUMINATION]) == (0, 0)


def test_lock_comes_and_goes_with_its_events() -> None:
    host = Host()
    host.in_contact()
    lost = host.exchange(20 * S, [messages.radio_lock(8 * S, False), host.order(9 * S, "ping")])
    assert lost.outputs == ()
    found = host.exchange(30 * S, [messages.radio_lock(25 * S, True)])
    assert {output.time_us // S for output in found.outputs} == {25}


def test_an_upset_flips_bits_of_the_word_it_names() -> None:
    host = Host()
    before = host.node.plant.state[p_.ENERGY_J]
    buffers = [name for name, _, _ in host.node.buffers()]
    host.exchange(0, [])
    host.node.sim._poke(memoryview(struct.pack(link.POKE_FORMAT, 0, p_.ENERGY_J, 0x104)))  # type: ignore[union-attr]
    assert host.node.plant.state[p_.ENERGY_J] == before ^ 0x104
    packets = buffers.index("packets")
    host.exchange(S, [messages.poke(0, packets, 4000, 0x1FF)])
    assert host.node.computer.links.packets[4000] == 0xFF


@pytest.mark.parametrize(("buffer", "word"), [(200, 0), (0, 26), (0, 0xFFFFFFFF)])
def test_an_upset_outside_of_all_state_hits_nothing(buffer: int, word: int) -> None:
    host, twin = Host(), Host()
    host.exchange(3 * S, [messages.poke(S, buffer, word, -1)])
    twin.exchange(3 * S)
    assert host.snapshot() == twin.snapshot()


# --- stopping


def test_an_exchange_can_stop_after_the_period_in_which_an_answer_went_out() -> None:
    host = Host()
    host.in_contact()
    done = host.exchange(100 * S, [host.query(6 * S, 5), host.order(60 * S, "ping")], link.STOP_ON_CUSTODY)
    assert done.stop == link.CUSTODY_SENT
    assert done.applied == 1
    kinds = [decode(output.packet).kind for output in done.outputs]
    assert kinds == [d.TM_ACCEPT, d.TM_COMPLETE, d.TM_RESULT]
    assert done.now_us - S <= done.outputs[-1].time_us <= done.now_us
    assert done.steps < 20


def test_reports_alone_do_not_stop_it() -> None:
    host = Host()
    host.in_contact()
    done = host.exchange(100 * S, [host.order(6 * S, "ping")], link.STOP_ON_CUSTODY)
    assert (done.stop, done.now_us, len(done.outputs)) == (link.REACHED, 100 * S, 2 + 1)


def test_without_the_flag_nothing_but_its_own_bulk_stops_it() -> None:
    host = Host()
    host.in_contact()
    done = host.exchange(100 * S, [host.query(6 * S, 5)])
    assert (done.stop, done.now_us) == (link.REACHED, 100 * S)


def test_all_that_one_period_can_send_comes_in_parts_of_whole_packets_in_order() -> None:
    host = Host()
    host.in_contact()
    host.node.computer.v[d.P_RADIO_BPS] = 100_000
    now_us = host.now_us
    # 16 commands of three packets each fill the 48 places of the queue, behind half a frame of earlier ones
    events = [host.order(now_us, "ping"), host.order(now_us, "ping")]
    events += [host.order(now_us + S, "get_param", i) for i in range(16)]
    *parts, last = host.replies(now_us + 10 * S, events)
    assert all(len(body) <= MAX_BODY for body in (*parts, last))
    assert [body[1] for body in parts] == [link.PART] * len(parts)
    done = messages.whole_done([*parts, last])
    assert (last[1], done.applied, done.steps, done.stop) == (link.DONE, 18, 2, link.OUTPUT_FULL)
    assert [parse_done(body).part for body in (*parts, last)] == list(range(len(parts) + 1))
    answers = [decode(output.packet) for output in done.outputs]
    numbers = [packet.fields["parameter"] for packet in answers if packet.kind == d.TM_PARAM]
    assert numbers == list(range(16))
    times = [output.time_us for output in done.outputs]
    assert times == sorted(times)


def test_an_exchange_whose_output_fills_a_frame_ends_early_and_says_so() -> None:
    host = Host()
    host.in_contact()
    host.node.computer.v[d.P_HK_PERIOD_S] = 1
    done = host.exchange(host.now_us + 3000 * S)
    assert done.stop == link.OUTPUT_FULL
    sent = sum(len(output.packet) + 8 for output in done.outputs)
    assert MAX_BODY - 100 < sent < MAX_BODY + 200
    assert host.exchange(done.now_us + S).steps == 1


# --- many events


def test_events_of_many_frames_are_one_exchange_and_each_frame_gives_credit_back() -> None:
    host = Host()
    events = [messages.environment(i * S // 4, i, i, 0, 0) for i in range(200)]
    frames = messages.exchange(100 * S, events, 0, MAX_BODY)
    assert len(frames) > 3
    host.twin.handle(messages.hello(5))
    for i, body in enumerate(frames[:-1]):
        (credit,) = host.twin.handle(messages.numbered(body, 5, 1))
        assert credit == bytes((d.LINK, link.CREDIT, 0, 5, 0, 1, i + 1))
    done = parse_done(host.twin.handle(messages.numbered(frames[-1], 5, 1))[-1])
    assert done.applied == 200
    assert host.node.plant.state[p_.ILLUMINATION] == 199


def test_more_events_than_there_is_room_for_are_refused_and_leave_nothing_behind() -> None:
    host = Host()
    events = [messages.environment(0, 1, 1, 1, 1)] * 300  # 17 bytes each, room for 240
    *_, last = (host.twin.handle(body) for body in messages.exchange(S, events, 0, MAX_BODY)[:-1])
    assert last[0][:2] == bytes((d.LINK, link.REFUSED))
    done = host.exchange(S)
    assert (done.applied, done.steps) == (0, 1)


# --- refusals


def _head(until_s: int, count: int = 0, flags: int = 0) -> bytes:
    head = struct.pack(link.EXCHANGE_FORMAT, flags, 0, until_s, 0, count)
    return bytes((d.SIM, link.EXCHANGE, 0, 0, 0, 0)) + head


def _begin(s: int, ms: int, age_days: int) -> bytes:
    head = bytes((d.SIM, link.BEGIN, 0, 0, 0, 0))
    return head + struct.pack(link.BEGIN_FORMAT, s, ms, age_days, 0, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        _head(3601),
        _head((1 << 32) - 1),
        _head(5)[:-1],
        _head(5, count=1),
        _head(5, count=1) + SUN.pack()[:-1],
        _head(5, count=2) + SUN.pack(),
        _head(5) + b"\0",
        _head(5, count=1) + Event(0, link.ENVIRONMENT, b"123").pack(),
        _head(5, count=1) + Event(0, link.RADIO, b"").pack(),
        _head(5, count=1) + Event(0, link.POKE, b"12345678").pack(),
        bytes((d.SIM, 0, 0, 0, 0, 0)),
        bytes((d.SIM, 5, 0, 0, 0, 0)),
        bytes((d.SIM, 255, 0, 0, 0, 0)),
        bytes((d.SIM, link.EXCHANGE, 0, 0, 0)),
        _begin(1 << 30, 0, 0),
        _begin(1, 1000, 0),
        _begin(1, 0, 10_958),
        messages.place(link.SNAPSHOT, 99, 0),
        messages.place(link.RESTORE, 99, 0, b"1234"),
        messages.place(link.RESTORE, 0, 1 << 20, b"1234"),
        messages.place(link.RESTORE, 0, 0, b"123"),
        messages.place(link.RESTORE, 8, 12_544 - 2, b"1234"),
    ],
)
def test_a_frame_that_makes_no_sense_is_refused_and_the_next_one_works(body: bytes) -> None:
    host = Host()
    (answer,) = host.twin.handle(body)
    assert answer[:2] == bytes((d.LINK, link.REFUSED))
    assert len(answer) > 5
    now_us = host.now_us
    done = host.exchange(now_us + 2 * S, [messages.environment(0, 5, 5, 5, 5)])
    assert (done.steps, done.applied) == (2, 1)


def test_an_exchange_before_the_begin_is_refused() -> None:
    twin = Twin(node_files(Hardware(), b"", 1, 0, 1000), Model(), unique_id(1, 0))
    (answer,) = twin.handle(_head(5))
    assert answer[:2] == bytes((d.LINK, link.REFUSED))


# --- state


def test_the_same_begin_gives_the_same_answer_whatever_was_before() -> None:
    host = Host()
    host.in_contact()
    host.exchange(60 * S, [host.query(10 * S, 1), host.order(11 * S, "cap_power", 99_999)])
    (begun,) = host.twin.handle(messages.begin(0, 0, 4, 0))
    fresh = Host()
    fresh.node.counters[0].last = host.node.counters[0].last
    (expected,) = fresh.twin.handle(messages.begin(0, 0, 4, 0))
    assert begun == expected
    assert host.exchange(50 * S, [SUN]).crc == fresh.exchange(50 * S, [SUN]).crc


def test_an_older_array_and_a_later_boot_begin_with_other_digests() -> None:
    host = Host()
    answers = {
        host.twin.handle(messages.begin(*arguments))[0]
        for arguments in ((0, 0, 4, 0), (0, 700, 4, 0), (5 * S, 0, 4, 0), (0, 0, 1, 0), (0, 0, 4, 1))
    }
    assert len(answers) == 5


def test_a_restored_node_answers_the_same_exchange_with_the_same_bytes() -> None:
    # Jobs half done, packets half sent, others in custody, a plan half used.
    host = Host()
    host.in_contact()
    host.node.computer.v[d.P_RADIO_BPS] = 33
    host.exchange(200 * S, [host.query(S * (6 + 2 * i), i) for i in range(20)])
    kept, commander = host.snapshot(), host.commander.sequence

    def ahead() -> list[bytes]:
        host.commander.sequence = commander
        events = [
            host.query(201 * S, 77),
            messages.radio_lock(250 * S, False),
            host.order(300 * S, "set_mode", 1),
        ]
        return host.replies(1000 * S, events) + host.replies(4000 * S)

    first = ahead()
    after = host.snapshot()
    host.restore(kept)
    assert host.snapshot() == kept
    assert ahead() == first
    assert host.snapshot() == after


def test_a_snapshot_reads_every_byte_in_chunks() -> None:
    host = Host()
    host.in_contact()
    for index, data in enumerate(host.snapshot()):
        read = b""
        while len(read) < len(data):
            (chunk,) = host.twin.handle(messages.place(link.SNAPSHOT, index, len(read)))
            assert messages.parse_chunk(chunk)[:2] == (index, len(read))
            read += messages.parse_chunk(chunk)[2]
        assert read == data


def test_every_change_of_any_state_word_changes_the_crc_of_the_exchange() -> None:
    # Else board and twin could differ unseen. Inputs and packets enter the CRC as they are written.
    host = Host()
    host.in_contact()
    kept = host.snapshot()
    digest = host.node.digest()
    for index, (name, buffer, _) in enumerate(host.node.buffers()):
        if isinstance(buffer, bytearray):
            continue
        for word in range(len(buffer)):
            buffer[word] ^= 1 << word % 31
            assert host.node.digest() != digest, (name, word)
            buffer[word] ^= 1 << word % 31
        assert bytes(buffer) == kept[index]


def test_inputs_and_packets_enter_the_state_crc_when_they_are_written() -> None:
    one, other = Host(), Host()
    for host in (one, other):
        host.in_contact()
    for host, byte in ((one, 3), (other, 4)):
        event = host.order(6 * S, "query", 5, host.model.model_id, 1, 90_000, data=bytes([byte]) * 64)
        host.node.computer.tasks.words[:] = host.node.computer.tasks.words
        host.exchange(7 * S, [event])
    assert one.node.computer.f[f_.QUEUE_CRC] != other.node.computer.f[f_.QUEUE_CRC]


# --- FLIGHT and LINK planes


def test_an_unauthenticated_packet_gets_no_answer_and_is_counted() -> None:
    host = Host()
    host.in_contact()
    good = host.commander.packet("cap_power", 70_000)
    before = host.node.computer.links.held()
    for forged in (good[:-1] + bytes([good[-1] ^ 1]), good[:20], b"", bytes(60)):
        assert host.twin.handle(bytes((d.FLIGHT,)) + forged) == []
    assert host.node.computer.links.held() == before
    assert host.node.computer.f[f_.CAP_PW] == 0
    assert host.node.computer.f[f_.COMMANDS_REFUSED] == 4
    host.twin.handle(bytes((d.FLIGHT,)) + good)
    assert host.node.computer.f[f_.CAP_PW] == 70_000


def test_a_replayed_command_has_no_effect_and_is_counted() -> None:
    host = Host()
    order = host.order(0, "cap_power", 70_000)
    lift = host.order(0, "cap_power", 0)
    host.exchange(S, [order, lift, order])
    assert host.node.computer.f[f_.CAP_PW] == 0
    assert host.node.computer.f[f_.COMMANDS_REFUSED] == 1


def test_a_node_on_its_own_sends_its_packets_as_frames() -> None:
    host = Host()
    host.in_contact()
    host.node.release()
    host.twin.handle(bytes((d.FLIGHT,)) + host.commander.packet("ping"))
    host.twin._sent = []
    host.node.step()
    bodies = host.twin._sent
    assert {body[0] for body in bodies} == {d.FLIGHT}
    assert [decode(body[1:]).kind for body in bodies] == [d.TM_ACCEPT, d.TM_COMPLETE]


@pytest.mark.parametrize(("body", "stays"), [(b"repl", False), (b"rep", True), (b"repl ", True), (b"", True)])
def test_only_the_whole_word_leaves_for_the_repl(body: bytes, stays: bool) -> None:
    host = Host()
    assert host.node.handle(memoryview(bytes((d.LINK, link.TO_REPL)) + body)) is stays
