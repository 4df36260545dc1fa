"""Each fault of a schedule: its effect where it acts, and none where it does not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from ascnode.faults.board import TwinControl
from ascnode.faults.injector import Injector
from ascnode.faults.schedule import Injection, Schedule
from ascnode.session.messages import Done, Event
from ascnode.session.telemetry import decode
from ascnode.twin.alone import TwinAlone
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from faults.flights import Orders, S, advance, alone

SECONDS = 600


@dataclass
class Flown:
    """What a flight under a schedule gave."""

    flyer: TwinAlone
    injector: Injector
    injected: list[Injection]
    dones: list[Done]

    @property
    def packets(self) -> list[bytes]:
        return [output.packet for done in self.dones for output in done.outputs]

    @property
    def state(self) -> list[bytes]:
        return self.flyer.twin.snapshot()

    def word(self, word: int) -> int:
        return int(self.flyer.twin.node.computer.f[word])

    def kinds(self) -> set[tuple[str, str]]:
        return {(one.kind, one.target) for one in self.injected}


def fly(
    *tables: dict[str, Any], seed: int = 1, seconds: int = SECONDS, events: Sequence[Event] | None = None
) -> Flown:
    flyer = alone()
    injected: list[Injection] = []
    schedule = Schedule.of(tables, seed)
    injector = Injector(flyer, schedule, S, injected.append, control=TwinControl(flyer))

    async def body() -> list[Done]:
        await injector.begin(0)
        return await advance(injector, seconds * S, Orders().busy(seconds) if events is None else events)

    return Flown(flyer, injector, injected, asyncio.run(body()))


@pytest.fixture(scope="module")
def quiet() -> Flown:
    """The flight without faults."""
    return fly()


def completions(flown: Flown) -> list[int]:
    packets = [decode(packet) for packet in flown.packets]
    return [packet.fields["sequence"] for packet in packets if packet.name == "completion"]


def test_a_schedule_without_faults_changes_nothing(quiet: Flown) -> None:
    plain = alone()

    async def body() -> None:
        await plain.begin(0)
        await advance(plain, SECONDS * S, Orders().busy(SECONDS))

    asyncio.run(body())
    assert quiet.state == plain.twin.snapshot()
    assert quiet.injected == []
    assert quiet.word(f_.JOBS_DONE) > 30


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "radio", "effect": "drop"},
        {"kind": "sensor", "sensor": "cell", "effect": "stuck"},
        {"kind": "upset", "target": "plant"},
        {"kind": "sky", "effect": "eclipse"},
        {"kind": "board", "effect": "reset"},
    ],
    ids=lambda table: f"{table['kind']}",
)
@pytest.mark.parametrize(
    "never",
    [{"start_s": 10_000}, {"node": "another"}, {"modes": ["SAFE"], "start_s": 60}, {"trigger": "trip"}],
    ids=["later", "another node", "another mode", "no trigger"],
)
def test_a_fault_that_does_not_act_changes_nothing(
    table: dict[str, Any], never: dict[str, Any], quiet: Flown
) -> None:
    flown = fly({**table, **never})
    assert flown.state == quiet.state
    assert flown.packets == quiet.packets
    assert flown.injected == []


def test_the_same_seed_injects_the_same_and_gives_the_same_bytes() -> None:
    tables = (
        {"kind": "radio", "effect": "drop", "rate": 0.3},
        {"kind": "sensor", "sensor": "array", "effect": "noisy", "sigma": 40.0},
        {"kind": "upset", "target": "queue", "per_hour": 60, "end_s": 500},
    )
    one, same, other = fly(*tables), fly(*tables), fly(*tables, seed=2)
    assert (one.injected, one.state, one.packets) == (same.injected, same.state, same.packets)
    assert one.injected != other.injected


# --- radio


def test_dropped_commands_do_not_arrive_and_the_rest_do(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "up", "effect": "drop", "rate": 0.4, "start_s": 5, "end_s": 300})
    lost = [one for one in flown.injected if (one.kind, one.target, one.detail) == ("radio", "up", "drop")]
    assert all(5 * S <= one.time_us < 300 * S for one in lost)
    assert 6 <= len(lost) <= 24  # of 36 commands: 0.4 within three standard deviations
    assert len(set(completions(quiet)) - set(completions(flown))) == len(lost)


def test_a_cut_radio_is_silent_both_ways_and_custody_brings_the_answers_later(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "effect": "cut", "start_s": 100, "end_s": 200})
    heard = [o.time_us for done in flown.dones for o in done.outputs]
    assert not [t for t in heard if 100 * S <= t < 200 * S]
    assert {(o.kind, o.target) for o in flown.injected} == {("radio", "up"), ("radio", "down")}
    early = [o.time_us for done in quiet.dones for o in done.outputs]
    assert [t for t in early if 100 * S <= t < 200 * S]
    assert flown.word(f_.JOBS_DONE) < quiet.word(f_.JOBS_DONE)


def test_a_bit_error_in_a_command_is_refused_and_counted_by_the_node(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "up", "effect": "bit_errors", "rate": 0.01, "start_s": 5})
    hit = sum(one.kind == "radio" for one in flown.injected)
    assert hit > 10
    assert flown.word(f_.COMMANDS_REFUSED) == hit + quiet.word(f_.COMMANDS_REFUSED)


def test_a_bit_error_on_the_way_down_loses_the_packet(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "down", "effect": "bit_errors", "rate": 5e-4})
    hit = sum((one.kind, one.target) == ("radio", "down") for one in flown.injected)
    assert hit > 5
    assert set(flown.packets) < set(quiet.packets)
    assert len(quiet.packets) - len(flown.packets) == hit
    assert flown.state == quiet.state


def test_bursts_damage_what_they_hit() -> None:
    flown = fly(
        {"kind": "radio", "way": "up", "effect": "burst", "burst_bits": 24, "rate": 0.5, "start_s": 5}
    )
    assert flown.word(f_.COMMANDS_REFUSED) == sum(one.detail == "burst" for one in flown.injected) > 10


def test_a_repeated_command_is_refused_as_a_replay(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "up", "effect": "duplicate", "start_s": 5})
    assert flown.word(f_.COMMANDS_REFUSED) == sum(one.kind == "radio" for one in flown.injected) > 30
    assert completions(flown) == completions(quiet)


def test_a_packet_that_is_repeated_on_the_way_down_is_heard_twice(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "down", "effect": "duplicate"})
    assert len(flown.packets) == 2 * len(quiet.packets)


def test_commands_out_of_order_lose_the_one_that_was_overtaken(quiet: Flown) -> None:
    # Sequence numbers rise: what comes behind a later number is a replay.
    flown = fly({"kind": "radio", "way": "up", "effect": "reorder", "rate": 0.2, "start_s": 5})
    swapped = sum(one.detail == "reorder" for one in flown.injected)
    assert 0 < flown.word(f_.COMMANDS_REFUSED) <= swapped
    assert len(completions(flown)) < len(completions(quiet))


def test_a_delay_on_the_way_down_moves_when_a_packet_is_heard(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "down", "effect": "delay", "delay_s": 7.0})
    heard = [(o.packet, o.time_us) for done in flown.dones for o in done.outputs]
    sent = [(o.packet, o.time_us + 7 * S) for done in quiet.dones for o in done.outputs]
    assert heard == [one for one in sent if one[1] <= SECONDS * S]
    assert flown.state == quiet.state


def test_a_late_command_takes_effect_late() -> None:
    order = Orders().order(10 * S, "cap_power", 90_000)
    for at_s, delay_s in ((29, 0), (30, 90_000)):
        flown = fly(
            {"kind": "radio", "way": "up", "effect": "delay", "delay_s": 20.0},
            seconds=at_s + 1,
            events=[order],
        )
        assert flown.word(f_.CAP_PW) == delay_s


# --- sensors


def test_a_stuck_cell_makes_the_node_shed_its_load_and_ends_with_the_fault(quiet: Flown) -> None:
    # 2600 of 4095 is 3.17 V a cell: nearly empty
    table = {"kind": "sensor", "sensor": "cell", "effect": "stuck", "value": 2600, "start_s": 200}
    flown = fly(table, seconds=300)
    assert flown.word(f_.MODE) == d.SAFE
    assert flown.word(f_.SOC) < 150
    assert ("sensor", "cell") in flown.kinds()
    recovered = fly({**table, "end_s": 210}, seconds=300)
    assert recovered.word(f_.SOC) == fly(seconds=300).word(f_.SOC)
    assert recovered.flyer.twin.node.plant.state[p_.ENERGY_J] > 0


def test_noise_on_a_sensor_has_the_spread_that_was_asked_for() -> None:
    table = {
        "kind": "sensor",
        "sensor": "radiator",
        "effect": "noisy",
        "sigma": 25.0,
        "start_s": 10,
        "end_s": 510,
    }
    flown = fly(table)
    offsets = [int(one.detail.split()[1]) for one in flown.injected if one.kind == "sensor"]
    assert len(offsets) == 500
    spread = (sum(offset**2 for offset in offsets) / len(offsets)) ** 0.5
    assert 22 < spread < 28
    assert flown.flyer.twin.node.senses.plain  # it ended


# --- sky


def test_an_eclipse_that_no_plan_knows_of_drains_the_battery_and_ends(quiet: Flown) -> None:
    flown = fly({"kind": "sky", "effect": "eclipse", "start_s": 10, "end_s": 400}, seconds=399)
    assert flown.flyer.twin.node.plant.state[p_.ILLUMINATION] == 0
    assert (
        flown.flyer.twin.node.plant.state[p_.ENERGY_J]
        < fly(seconds=399).flyer.twin.node.plant.state[p_.ENERGY_J]
    )
    after = fly({"kind": "sky", "effect": "eclipse", "start_s": 10, "end_s": 400}, seconds=450)
    assert after.flyer.twin.node.plant.state[p_.ILLUMINATION] == 1024


def test_a_contact_without_lock_hears_nothing_and_lock_comes_back(quiet: Flown) -> None:
    flown = fly({"kind": "sky", "effect": "contact", "start_s": 100, "end_s": 200})
    heard = [o.time_us for done in flown.dones for o in done.outputs]
    assert not [t for t in heard if 101 * S <= t < 200 * S]
    assert [t for t in heard if t >= 200 * S]
    assert flown.word(f_.RADIO_LOCK) == 1
    assert flown.word(f_.JOBS_DONE) == quiet.word(f_.JOBS_DONE)  # commands still come up, and work goes on


def test_a_silent_gateway_leaves_lock_and_loses_both_ways() -> None:
    flown = fly({"kind": "sky", "effect": "gateway", "start_s": 100, "end_s": 200})
    heard = [o.time_us for done in flown.dones for o in done.outputs]
    assert not [t for t in heard if 100 * S <= t < 200 * S]
    assert flown.word(f_.RADIO_LOCK) == 1
    assert ("radio", "down") in flown.kinds()


# --- clock


def test_a_fast_clock_gives_more_periods_and_times_that_are_the_skys(quiet: Flown) -> None:
    flown = fly({"kind": "clock", "ppm": 20_000.0})
    assert flown.flyer.steps == pytest.approx(SECONDS * 1.02, abs=2)
    assert flown.dones[-1].now_us == pytest.approx(SECONDS * S, abs=S)
    times = [o.time_us for done in flown.dones for o in done.outputs]
    assert max(times) <= (SECONDS + 1) * S
    slow = fly({"kind": "clock", "ppm": -20_000.0})
    assert slow.flyer.steps == pytest.approx(SECONDS * 0.98, abs=2)


# --- upsets


@pytest.mark.parametrize("target", ["plant", "flight", "params", "queue", "tasks"])
def test_an_upset_flips_one_bit_of_its_target_and_of_nothing_else(target: str) -> None:
    # Two flights to the period after the upset, whose first step has not looked at it yet.
    names = {
        "plant": {"plant"},
        "flight": {"flight"},
        "params": {"params"},
        "queue": {"links", "packets"},
        "tasks": {"tasks", "inputs"},
    }
    flyer = alone()
    injected: list[Injection] = []
    injector = Injector(
        flyer, Schedule.of([{"kind": "upset", "target": target, "start_s": 20}], 5), S, injected.append
    )
    seen: list[dict[str, list[int]]] = []

    async def body() -> None:
        await injector.begin(0)
        await advance(injector, 20 * S, Orders().contact())
        node = flyer.twin.node
        step = node.step

        def spied() -> None:
            seen.append({name: list(buffer) for name, buffer, _ in node.buffers()})
            step()

        before = {name: list(buffer) for name, buffer, _ in node.buffers()}
        node.step = spied  # type: ignore[method-assign]
        await injector.exchange(21 * S)
        changed = {
            (name, at): old ^ new
            for name, words in before.items()
            for at, (old, new) in enumerate(zip(words, seen[0][name], strict=True))
            if old != new
        }
        ((name, _), mask), *rest = changed.items()
        assert not rest
        assert name in names[target]
        assert mask.bit_count() == 1
        assert injected[0].detail.startswith(f"{name} word")

    asyncio.run(body())


def test_upsets_come_at_the_rate_that_was_asked_for() -> None:
    flown = fly({"kind": "upset", "target": "queue", "per_hour": 360, "end_s": 600})
    assert 38 <= sum(one.kind == "upset" for one in flown.injected) <= 86  # 60, three standard deviations


# --- resets


@pytest.mark.parametrize(
    ("effect", "cause"), [("reset", 1), ("watchdog", 3), ("brown_out", 2), ("power_cut", 2)]
)
def test_a_reset_loses_the_memory_and_not_the_charge(effect: str, cause: int, quiet: Flown) -> None:
    off = {"off_s": 30} if effect in ("brown_out", "power_cut") else {}
    flown = fly({"kind": "board", "effect": effect, "start_s": 300, **off}, seconds=340)
    assert flown.word(f_.BOOTS) == 1
    assert flown.flyer.twin.node.cause == cause
    boots = [one for one in flown.injected if one.target == "boot"]
    assert [one.time_us for one in boots] == [(300 + off.get("off_s", 0)) * S]
    assert flown.flyer.steps == 340 - off.get("off_s", 0)
    energy = flown.flyer.twin.node.plant.state[p_.ENERGY_J]
    assert energy == pytest.approx(fly(seconds=340).flyer.twin.node.plant.state[p_.ENERGY_J], rel=0.05)


def test_while_the_power_is_off_the_plant_goes_on_and_packets_meet_no_board(quiet: Flown) -> None:
    flown = fly({"kind": "board", "effect": "power_cut", "start_s": 300, "off_s": 100})
    missed = [one for one in flown.injected if one.detail == "a packet met no board"]
    assert [one.time_us for one in missed] == [
        event.time_us
        for event in Orders().busy(SECONDS)
        if event.kind == 1 and 300 * S <= event.time_us < 400 * S
    ]
    # its clock stands right, and the light of the time in the dark is that of the sky
    assert flown.dones[-1].now_us == SECONDS * S
    plant, expected = flown.flyer.twin.node.plant.state, quiet.flyer.twin.node.plant.state
    assert plant[p_.COS_RADIATOR] == expected[p_.COS_RADIATOR]


@pytest.mark.parametrize("halves", [0, 2])
def test_a_cut_at_the_nth_flash_write_comes_with_the_command_that_writes(halves: int) -> None:
    orders = Orders()
    events = [
        *orders.contact(),
        orders.order(50 * S, "set_param", d.P_HK_PERIOD_S, 30),
        orders.order(100 * S, "set_param", d.P_HK_PERIOD_S, 45),
        orders.order(150 * S, "ping"),
    ]
    table = {"kind": "board", "effect": "power_cut", "write": 2, "halves": halves, "off_s": 10, "start_s": 10}
    flown = fly(table, seconds=200, events=events)
    (cut,) = [one for one in flown.injected if one.target == "power_cut"]
    assert (cut.time_us, cut.detail) == (100 * S, "at flash write 2")
    assert flown.flyer.twin.node.params.get(d.P_HK_PERIOD_S) == (45 if halves == 2 else 30)
    assert flown.word(f_.BOOTS) == 1


def test_a_fault_waits_for_its_trigger_and_lasts_as_long_as_it_says() -> None:
    flown = fly(
        {"kind": "sky", "effect": "contact", "trigger": "job", "duration_s": 20.0, "start_s": 15},
    )
    begins, ends = [one for one in flown.injected if one.kind == "sky"]
    assert begins.detail == "begins"
    assert begins.time_us >= 15 * S
    assert ends.time_us - begins.time_us == 20 * S


def test_a_mode_filter_lets_a_fault_act_in_those_modes_only(quiet: Flown) -> None:
    flown = fly({"kind": "radio", "way": "up", "effect": "drop", "modes": ["DOWNLINK"], "start_s": 20})
    assert {one.mode for one in flown.injected} == {"DOWNLINK"}
    assert flown.injected


def test_what_a_rig_cannot_inject_is_named() -> None:
    tables = [
        {"kind": "wire", "effect": "drop"},
        {"kind": "board", "effect": "power_cut"},
        {"kind": "upset", "target": "model"},
        {"kind": "radio", "effect": "drop"},
    ]
    said = Injector(alone(), Schedule.of(tables), S).unsupported()
    assert [text.split(":")[0] for text in said] == ["fault[0]", "fault[1]", "fault[2]"]
