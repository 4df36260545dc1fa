"""The flight computer: one control period from sensor words to actuators, and the telecommands that steer it."""

from array import array
from binascii import crc32

from ascnode_fw.compat import const
from ascnode_fw.flight import governor, links, modes, power
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import tasks as t_
from ascnode_fw.flight.layout import scale
from ascnode_fw.flight.plan import Plan
from ascnode_fw.flight.telemetry import Telemetry
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from collections.abc import Callable

    from ascnode_fw.flight.params import Params
    from ascnode_fw.flight.update import Update
    from ascnode_fw.protocols import Accelerator, Engine, Transmit, Witness

_UPDATE_WORDS = const(13)  # flight/update_words.py, which loads with an update only
# Conditions of the mode table by level of load shed.
_LOADS = (0, modes.LOW, modes.CRITICAL | modes.LOW)


class FlightComputer:
    """Decides from sensors, commands and plans only; `transmit(packet, s, ms)` is its radio.

    `accelerator` runs the model on the CPU. With an `engine` that is for when it fails, and `witness` is told of what
    each use of the engine came to: the only thing here that does not follow from sensors and commands.
    """

    def __init__(
        self,
        params: "Params",
        accelerator: "Accelerator",
        transmit: "Transmit",
        engine: "Engine | None" = None,
        witness: "Witness | None" = None,
    ) -> None:
        self.params = params
        self.v = params.values
        self.accelerator = accelerator
        self.transmit = transmit
        self.update = array("i", bytes(4 * _UPDATE_WORDS))
        self.updates: "Callable[[], Update]"  # node.py loads them when they are asked for
        self.engine = engine
        self.witness = witness
        self.f = array("i", bytes(4 * f_.SIZE))
        self.tasks = t_.Tasks()
        self.links = links.Links()
        self.contacts = Plan()
        self.eclipses = Plan()
        self.plans = (self.contacts, self.eclipses)
        self.output = bytearray(accelerator.output_size)
        self.telemetry = Telemetry(self.f, self.links)
        self._told = [0] * 10  # fields of the answer that is being made
        self._begin()

    def use(self, accelerator: "Accelerator", engine: "Engine | None") -> None:
        # Another model; no job runs.
        self.accelerator = accelerator
        self.engine = engine
        self.output = bytearray(accelerator.output_size)
        self._begin()

    def engine_gives(self, data: memoryview, expected: bytes) -> bool:
        # Whether the accelerator, when there is one, answers so.
        engine = self.engine
        if engine is None:
            return True
        top_khz = self.v[d.P_OP_CLOCK_KHZ + self.v[d.P_OP_COUNT] - 1]
        code = engine.run(data, self.output, top_khz, top_khz, None)
        self._tell_witness()
        return code == d.OK and self.output == expected

    def _begin(self) -> None:
        self.f[f_.RUNNING] = -1
        self.f[f_.ENGINE] = d.ENGINE_CPU if self.engine is None else d.ENGINE_ACCELERATOR

    def restart(self, params: "Params") -> None:
        # As after a reset, in the same buffers: a small board has no room for others beside them.
        self.params = params
        self.v = params.values
        for _, buffer, _ in self.buffers():
            if buffer is not self.v:
                for i in range(len(buffer)):
                    buffer[i] = 0
        self._begin()

    def buffers(self) -> "list[tuple[str, array[int] | bytearray, tuple[str, ...]]]":
        # Every mutable buffer with its name and the names of its words: a snapshot is these, in this order.
        return [
            ("flight", self.f, f_.NAMES),
            ("contacts", self.contacts.words, ()),
            ("eclipses", self.eclipses.words, ()),
            ("params", self.v, ()),
            ("tasks", self.tasks.words, ()),
            ("task counters", self.tasks.counters, ()),
            ("inputs", self.tasks.inputs, ()),
            ("links", self.links.words, ()),
            ("link counters", self.links.counters, ()),
            ("packets", self.links.packets, ()),
            ("update", self.update, ()),
        ]

    # --- one control period

    def step(self, words: "array[int]") -> None:
        self.sense(words)
        self.decide()
        self.communicate()
        self.compute()
        f = self.f
        if f[f_.NOW_S] >= f[f_.HK_NEXT_S]:
            f[f_.HK_NEXT_S] = f[f_.NOW_S] + self.v[d.P_HK_PERIOD_S]
            self.housekeeping()

    def tick(self) -> None:
        # The period is over.
        f = self.f
        ms = f[f_.NOW_MS] + self.v[d.P_CONTROL_MS]
        f[f_.NOW_S] += ms // 1000
        f[f_.NOW_MS] = ms % 1000

    def sense(self, words: "array[int]") -> None:
        # 12-bit words to engineering units, by the dictionary's full scales.
        f = self.f
        f[f_.SOC] = power.soc_of(words[d.SENSOR_CELL] * 5000 >> 12)
        f[f_.ARRAY_PW] = words[d.SENSOR_ARRAY] << 8
        f[f_.LOAD_PW] = words[d.SENSOR_LOAD] << 8
        f[f_.ACCELERATOR_CK] = 15500 + (words[d.SENSOR_ACCELERATOR] * 31000 >> 12)
        f[f_.RADIATOR_CK] = 15500 + (words[d.SENSOR_RADIATOR] * 31000 >> 12)

    def decide(self) -> None:
        # Short functions: MicroPython takes the frame of one with more than 11 words from the heap.
        f = self.f
        self._shed(power.shed_level(f[f_.SHED], f[f_.SOC], self.v))
        f[f_.CONTACT] = 1 if f[f_.RADIO_LOCK] and self.contacts.within(f[f_.NOW_S]) else 0
        self._mode(_LOADS[f[f_.SHED]] | f[f_.CONTACT] * modes.CONTACT)
        self._trip(governor.trip(f, self.v))
        if f[f_.ACCEL_ON]:
            power.measure_leakage(f, self.v)
        if self.tasks.held():
            self.plan()

    def plan(self) -> None:
        # What battery and heat leave for work. An idle node asks when a job comes.
        f = self.f
        power.forecast(f, self.v, self.eclipses)
        f[f_.HEAT_PW] = governor.heat_budget(f, self.v, self.v[d.P_CONTROL_MS])

    def _shed(self, level: int) -> None:
        f = self.f
        if f[f_.COMMANDED]:
            level = max(level, 3 - f[f_.COMMANDED])
        if level != f[f_.SHED]:
            f[f_.SHED] = level
            self.telemetry.event(d.EV_SHED, level)

    def _trip(self, tripped: int) -> None:
        f = self.f
        if tripped != f[f_.TRIPPED]:
            f[f_.TRIPPED] = tripped
            self.telemetry.event(d.EV_TRIP if tripped else d.EV_TRIP_OVER, f[f_.ACCELERATOR_CK])

    def _mode(self, conditions: int) -> None:
        f = self.f
        mode = f[f_.MODE]
        target = mode
        if f[f_.SETTLED] != conditions * 4 + mode + 1:
            target = modes.next_mode(mode, conditions)
            if target == mode:  # and so it stays until the conditions change
                f[f_.SETTLED] = conditions * 4 + mode + 1
        if target != mode:
            f[f_.MODE] = target
            self.telemetry.event(d.EV_MODE, mode * 256 + target)
        f[f_.MODE_PERIODS + target] += 1

    # --- radio

    def communicate(self) -> None:
        # Sends what a period of link time carries; packets leave at the ms their bytes do.
        f = self.f
        queue = self.links
        given_up = queue.retry(f[f_.NOW_S], self.v)
        if given_up >= 0:
            self.telemetry.event(d.EV_CUSTODY_GIVEN_UP, given_up)
        f[f_.EXTRA_PW] = 0
        if f[f_.CONTACT] and queue.counters[links.WAITING]:
            self._send(self._least_urgent(), self._link_ms())
        else:
            queue.counters[links.OWED] = 0

    def _least_urgent(self) -> int:
        # The least urgent class that may be sent; a power cap with no room for the transmitter leaves the beacon.
        f = self.f
        v = self.v
        if f[f_.CAP_PW] and f[f_.CAP_PW] < v[d.P_BUS_PW] + v[d.P_RADIO_PW]:
            return links.BEACON
        return self.links.lowest_priority(f[f_.SHED], v)

    def _link_ms(self) -> int:
        # What the contact leaves of this period.
        f = self.f
        left_s = self.contacts.end(self.contacts.current(f[f_.NOW_S])) - f[f_.NOW_S]
        return min(self.v[d.P_CONTROL_MS], min(left_s, 60) * 1000 - f[f_.NOW_MS])

    def _send(self, lowest: int, link_ms: int) -> None:
        # Link time is counted in 1/1000 B: a rate (B/s) times ms, without a remainder.
        f = self.f
        queue = self.links
        rate = self.v[d.P_RADIO_BPS]
        left = rate * link_ms
        before = queue.counters[links.OWED]
        slot = queue.next(lowest)
        while slot >= 0:
            packet = queue.packet(slot)
            need = len(packet) * 1000 - before
            if need > left:
                break
            before = max(0, -need)
            left -= max(0, need)
            self._at(packet, link_ms - left // rate)
            queue.sent(slot, f[f_.NOW_S])
            slot = queue.next(lowest)
        # The part of a packet that has gone out already counts in the next period; idle time does not.
        queue.counters[links.OWED] = before + left if slot >= 0 else 0
        sent_ms = link_ms if slot >= 0 else link_ms - left // rate
        f[f_.EXTRA_PW] = scale(self.v[d.P_RADIO_PW], sent_ms, self.v[d.P_CONTROL_MS])

    def _at(self, packet: memoryview, offset_ms: int) -> None:
        ms = self.f[f_.NOW_MS] + offset_ms
        self.transmit(packet, self.f[f_.NOW_S] + ms // 1000, ms % 1000)

    # --- accelerator

    def compute(self) -> None:
        f = self.f
        f[f_.ACCEL_ON] = f[f_.ACCEL_PW] = f[f_.OP] = 0
        if not self.tasks.held():
            return
        self._expire()
        if f[f_.ENGINE] == d.ENGINE_FALL_BACK and f[f_.NOW_S] >= f[f_.RETRY_S]:
            self._retry()
        op = self._operating_point()
        f[f_.OP] = op
        if op:
            self._run(op, self.v[d.P_CONTROL_MS])

    def _expire(self) -> None:
        slot = self.tasks.expired(self.f[f_.NOW_S])
        while slot >= 0:
            self.f[f_.JOBS_EXPIRED] += 1
            self._finish(slot, 0, d.EXPIRED)
            slot = self.tasks.expired(self.f[f_.NOW_S])

    def _operating_point(self) -> int:
        # The fastest point that battery, cap and heat allow; held back by heat alone counts as throttled.
        f = self.f
        power_pw = self._electric_pw()
        powered = governor.operating_point(self.v, power_pw)
        cool = powered
        if f[f_.TRIPPED]:
            cool = 0
        elif f[f_.HEAT_PW] < power_pw:
            cool = governor.operating_point(self.v, f[f_.HEAT_PW])
        if cool != powered:
            f[f_.THROTTLED] += 1
        return cool

    def _electric_pw(self) -> int:
        # The power that battery and cap leave for the accelerator's work.
        f = self.f
        if f[f_.SHED]:
            return 0
        if f[f_.CAP_PW]:
            return min(f[f_.BUDGET_PW], power.below_cap(f, self.v))
        return f[f_.BUDGET_PW]

    def expected_point(self) -> int:
        # What a job that comes now can reckon with: the point in use, or the one that an idle node would start at.
        f = self.f
        if f[f_.OP]:
            return f[f_.OP]
        return max(1, governor.operating_point(self.v, min(self._electric_pw(), f[f_.HEAT_PW])))

    def _run(self, op: int, period_ms: int) -> None:
        f = self.f
        tasks = self.tasks
        clock_khz = self.v[d.P_OP_CLOCK_KHZ + op]
        power_pw = self.v[d.P_OP_PW + op]
        left_ms = period_ms
        while left_ms > 0:
            if f[f_.RUNNING] < 0:
                f[f_.RUNNING] = tasks.next()
                if f[f_.RUNNING] < 0:
                    break
            left_ms -= tasks.work(f[f_.RUNNING], clock_khz, power_pw, left_ms)
            if tasks.done(f[f_.RUNNING]):
                self._complete(f[f_.RUNNING], period_ms - left_ms)
        busy_ms = period_ms - left_ms
        idle_pw = self.v[d.P_IDLE_PW]
        f[f_.BUSY_MS] = (f[f_.BUSY_MS] + busy_ms) & 0x3FFFFFFF
        f[f_.ACCEL_ON] = 1
        f[f_.ACCEL_PW] = idle_pw + scale(max(0, power_pw - idle_pw), busy_ms, period_ms)

    def work_kc(self) -> int:
        # What a job takes on the engine in use; 0 when none is left that could run the model.
        if self.f[f_.ENGINE] == d.ENGINE_ACCELERATOR and self.engine is not None:
            return scale(self.engine.cycles, self.v[d.P_WORK_SCALE], 1000)
        return scale(self.accelerator.macs, self.v[d.P_CYCLES_PER_MAC], 1000)

    def _complete(self, slot: int, offset_ms: int) -> None:
        # A job's work is done: its inference. One that the accelerator fails goes on, on the CPU.
        if self.f[f_.ENGINE] == d.ENGINE_ACCELERATOR:
            if not self._accelerate(slot):
                if self.work_kc():
                    self.tasks.more(slot, self.work_kc())
                else:
                    self._finish(slot, offset_ms, d.ACCELERATOR_FAILED)
                return
        else:
            self.accelerator.run(self.tasks.input(slot), self.output)
        self._finish(slot, offset_ms, d.OK)

    def _accelerate(self, slot: int) -> bool:
        # Whether the accelerator has run it. What it mended on the way, and its failure, are told.
        engine = self.engine
        assert engine is not None  # only then it is in use
        v = self.v
        clock_khz = v[d.P_OP_CLOCK_KHZ + self.f[f_.OP]]
        top_khz = v[d.P_OP_CLOCK_KHZ + v[d.P_OP_COUNT] - 1]
        following = self.tasks.next(slot)
        data = self.tasks.input(following) if following >= 0 else None
        engine.verify_every = v[d.P_ACCELERATOR_VERIFY]
        code = engine.run(self.tasks.input(slot), self.output, clock_khz, top_khz, data)
        self._tell_witness()
        if code == d.OK and engine.repairs:
            self.telemetry.event(d.EV_ACCELERATOR_MENDED, engine.repairs)
        elif code != d.OK:
            self.f[f_.ENGINE] = d.ENGINE_FALL_BACK
            self._retry_later()
            self.telemetry.event(d.EV_ACCELERATOR_LOST, code)
        return code == d.OK

    def _retry(self) -> None:
        # A try to come back.
        assert self.engine is not None  # it has failed
        code = self.engine.recover()
        self._tell_witness()
        if code == d.OK:
            self.f[f_.ENGINE] = d.ENGINE_ACCELERATOR
            self.telemetry.event(d.EV_ACCELERATOR_BACK, 0)
        else:
            self._retry_later()

    def _retry_later(self) -> None:
        self.f[f_.RETRY_S] = self.f[f_.NOW_S] + self.v[d.P_ACCELERATOR_RETRY_S]

    def _tell_witness(self) -> None:
        if self.witness is not None and self.engine is not None:
            self.witness(self.engine)

    def _finish(self, slot: int, offset_ms: int, code: int) -> None:
        # Answers a job, or reports that it failed, and frees its slot.
        f = self.f
        w = self.tasks.words
        i = slot * t_.WORDS
        ms = f[f_.NOW_MS] + offset_ms
        s = f[f_.NOW_S] + ms // 1000
        ms %= 1000
        output = self.output[:0]
        cycles = proof = 0
        if code == d.OK:
            output = self.output
            proof = crc32(output, crc32(self.tasks.input(slot)))
            if self.engine is not None and f[f_.ENGINE] == d.ENGINE_ACCELERATOR:
                cycles = self.engine.measured
            f[f_.JOBS_DONE] += 1
            mj = f[f_.JOB_MJ] + w[i + t_.SPENT_MJ]
            f[f_.JOB_J] = (f[f_.JOB_J] + mj // 1000) & 0x3FFFFFFF
            f[f_.JOB_MJ] = mj % 1000
        told = self._told
        told[0], told[1], told[2], told[3] = w[i + t_.JOB], w[i + t_.MODEL], f[f_.OP], code
        told[4], told[5], told[6] = w[i + t_.TOTAL_KC], w[i + t_.SPENT_MS], w[i + t_.SPENT_MJ]
        told[7], told[8], told[9] = f[f_.ENGINE] & 0xFF, cycles, proof  # an upset may have made it anything
        self.telemetry.result(output, w[i + t_.DEADLINE_S], s, ms, told)
        self.telemetry.report(d.TM_COMPLETE, w[i + t_.SEQUENCE], d.CMD_QUERY, code, s, ms)
        self.tasks.remove(slot)
        if f[f_.RUNNING] == slot:
            f[f_.RUNNING] = -1

    def housekeeping(self) -> None:
        f = self.f
        if f[f_.DROPPED] != f[f_.DROPPED_TOLD]:
            self.telemetry.event(d.EV_PACKETS_DROPPED, f[f_.DROPPED] - f[f_.DROPPED_TOLD])
            f[f_.DROPPED_TOLD] = f[f_.DROPPED]
        self.telemetry.now(
            d.TM_HOUSEKEEPING,
            links.HOUSEKEEPING,
            f[f_.MODE],
            f[f_.OP],
            f[f_.SOC],
            f[f_.ARRAY_PW],
            f[f_.LOAD_PW],
            f[f_.ACCELERATOR_CK],
            f[f_.RADIATOR_CK],
            f[f_.CAP_PW],
            self.tasks.held(),
            self.links.held(),
            scale(f[f_.THROTTLED], self.v[d.P_CONTROL_MS], 1000),
            f[f_.JOBS_DONE] & 0xFFFF,
            f[f_.JOBS_REFUSED] & 0xFFFF,
            f[f_.COMMANDS_REFUSED] & 0xFFFF,
        )
