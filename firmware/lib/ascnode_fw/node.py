"""A node: plant, sensors, flight computer and wire, wired together and stepped."""

import struct
from array import array
from binascii import crc32

from ascnode_fw import __version__, link
from ascnode_fw.compat import STRUCT_ERROR, const
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.commands import execute
from ascnode_fw.flight.computer import FlightComputer
from ascnode_fw.flight.params import Params
from ascnode_fw.flight.slots import FIRMWARE_FILE, UPDATE_HEAD
from ascnode_fw.plant import config
from ascnode_fw.plant import layout as p_
from ascnode_fw.plant.model import Plant
from ascnode_fw.senses import Senses
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import ReplayCounter, Verifier
from ascnode_fw.wire.frame import MAX_BODY

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from collections.abc import Callable

    from ascnode_fw.flight.update import Update
    from ascnode_fw.protocols import Accelerator, Engine, Send, Store
    from ascnode_fw.sim import SimPlane

KEY_BYTES = 32
PROGRAM_FILE = "model.acc"  # of the accelerator, on a node that has one
_LATEST_S = const(0x3FFFFFFF)

# What a step or a frame may raise: noise sends frames that no host would, and an upset turns state into what no code
# expects. None of it may stop the board.
UNEXPECTED = (ArithmeticError, LookupError, TypeError, ValueError, STRUCT_ERROR)

# words of the node's own buffer
_CRC_HIGH = const(0)
_CRC_LOW = const(1)
_SEQUENCE = const(2)
_CONDITIONS = const(3)  # plant events of the last period
_OWED_MS = const(4)  # time that the plant is behind

# of flight/update_words.py, which loads with an update only
_UPDATE_DUE = const(0)
_UPDATE_STATE = const(1)
_UPDATE_RESET_NOW = const(6)
_UPDATE_BUFFER = const(4033)  # flight/transfer.py: a block and its mask

_CLAMPS = p_.EVENT_ACCEL_COLD | p_.EVENT_ACCEL_HOT | p_.EVENT_RADIATOR_COLD | p_.EVENT_RADIATOR_HOT


def load_keys(data: "bytes | None") -> "dict[int, bytes]":
    # keys.bin: (index u16, 32 bytes) for each key, CRC-32 at the end.
    if data is None or len(data) < 4 or (len(data) - 4) % (2 + KEY_BYTES):
        raise ValueError("keys.bin is missing or has a wrong length")
    if struct.pack("<I", crc32(data[:-4])) != data[-4:]:
        raise ValueError("keys.bin is damaged")
    keys = {}
    for at in range(0, len(data) - 4, 2 + KEY_BYTES):
        keys[data[at] << 8 | data[at + 1]] = data[at + 2 : at + 2 + KEY_BYTES]
    return keys


class NoModel:
    """Stands where no model is loaded."""

    model_id = macs = input_size = output_size = 0

    def run(self, data: memoryview, output: bytearray) -> None:
        pass


class Node:
    """`send(body)` puts a frame on the wire; `accelerator` runs models on the CPU; `store` is the flash.

    `engine`: an accelerator beside it, which then runs them.
    """

    def __init__(
        self,
        store: "Store",
        accelerator: "Accelerator",
        unique_id: bytes,
        send: "Send",
        engine: "Engine | None" = None,
    ) -> None:
        self.store = store
        self.accelerator = accelerator
        self.unique_id = unique_id
        self.send = send
        image = store.read("plant.bin") or b""
        self.plant_words = config.load(image)
        self.step_ms = self.plant_words[p_.STEP_MS]
        self.keys = load_keys(store.read("keys.bin"))
        self.counters = {i: ReplayCounter(store, "sequence%d" % i) for i in self.keys}
        self.words = array("i", [0, 0, 0, 0, 0])
        self.sensors = array("i", bytes(4 * len(d.SENSORS)))
        self.capabilities = "software" if engine is None else "software accelerator"
        self.senses = Senses()
        self.bench = True  # whether this image has a SIM plane
        self.sim: "SimPlane | None" = None  # what collects radio packets while the host owns time
        self._body = memoryview(bytearray(MAX_BODY))
        self.plant = Plant(self.plant_words)
        self.params = Params(store, d.PARAMETERS)
        self.computer = FlightComputer(self.params, accelerator, self._transmit, engine, self._witness)
        self.computer.updates = self.updates
        self.update: "Update | None" = None
        # By its files' name without suffix; ValueError if bad.
        self.load_model: "Callable[[str], tuple[Accelerator, Engine | None]] | None" = None
        self.restarts = False  # whether a loader starts the firmware's slot after a reset
        self.mpy = 0  # sys.implementation._mpy where it matters: what firmware this board can load
        self.boot(0, 0, 0, 0, 0)

    def boot(self, s: int, ms: int, age_days: int, cause: int, boots: int) -> None:
        # Everything as after a reset at that time: flash is kept, memory is not; the plant is as new.
        self.plant.restart(self.plant_words)
        self.plant.set_input(p_.AGE_DAYS, age_days)
        self.params = Params(self.store, d.PARAMETERS)
        self.verifier = Verifier(self.keys, self.counters)
        self.computer.restart(self.params)
        f = self.computer.f
        f[f_.NOW_S], f[f_.NOW_MS], f[f_.BOOTS] = s, ms, boots
        f[f_.RADIO_LOCK] = 0 if self.bench else 1
        self.words[_CRC_HIGH] = self.words[_CRC_LOW] = self.words[_CONDITIONS] = self.words[_OWED_MS] = 0
        self._keep_sequence()
        self.cause = cause
        self.senses.restart()
        self.plant.sample(self.sensors)
        self.computer.sense(self.sensors)
        self.computer.telemetry.event(d.EV_BOOT, cause)
        lost = self.params.corrupt + self.params.unknown + self.params.out_of_limits
        if lost:
            self.computer.telemetry.event(d.EV_PARAMS_DEFAULTED, lost)
        if self.update is not None or self._has_updates():
            self.updates().boot()

    # --- updates by radio

    def _has_updates(self) -> bool:
        try:
            return self.store.read(FIRMWARE_FILE) is not None or self.store.read(UPDATE_HEAD) is not None
        except OSError:
            return False

    def updates(self) -> "Update":
        # Their module and a block of memory are there once an update is.
        if self.update is None:
            buffer = bytearray(
                _UPDATE_BUFFER
            )  # while there is a hole of that size: the module strews itself about
            from ascnode_fw.flight.update import Update

            self.update = Update(self, buffer)
            self.update.transfer.look()
        return self.update

    def unload(self) -> None:
        # Makes room in memory for another model; use() comes next.
        self.use(NoModel(), None)

    def use(self, accelerator: "Accelerator", engine: "Engine | None") -> None:
        self.accelerator = accelerator
        self.computer.use(accelerator, engine)

    def wants_reset(self) -> bool:
        return self.computer.update[_UPDATE_STATE] == _UPDATE_RESET_NOW

    def buffers(self) -> "list[tuple[str, array[int] | bytearray, tuple[str, ...]]]":
        # All mutable state: (name, buffer, names of its words).
        own = ("node", self.words, ("crc high", "crc low", "last sequence", "plant conditions", "owed ms"))
        senses = ("sensors", self.senses.words, ())
        block = [("update block", self.update.transfer.buffer, ())] if self.update is not None else []
        return [("plant", self.plant.state, p_.STATE_NAMES), own] + self.computer.buffers() + block + [senses]

    # --- time

    def step(self) -> None:
        # One control period: sensors, decisions, then the plant under them; the state is folded into the CRC.
        # (Several short functions: MicroPython takes the frame of one with many locals from the heap.)
        if not self.senses.plain:
            self._step_altered()
            return
        plant = self.plant
        plant.sample(self.sensors)
        conditions = plant.take_events()
        if conditions != self.words[_CONDITIONS]:
            self._plant_events(conditions)
        self.computer.step(self.sensors)
        self._actuate(self.computer.f)
        self._integrate()
        if self.computer.update[_UPDATE_DUE]:
            self.updates().step()
        self.computer.tick()
        self._fold()

    def _step_altered(self) -> None:
        # The same with a plant in the host, or with sensors that are not well.
        conditions = self.senses.sample(self.plant, self.sensors)
        if conditions != self.words[_CONDITIONS]:
            self._plant_events(conditions)
        self.computer.step(self.sensors)
        if not self.senses.hosted:
            self._actuate(self.computer.f)
            self._integrate()
        if self.computer.update[_UPDATE_DUE]:
            self.updates().step()
        self.computer.tick()
        self._fold()

    def period_ms(self) -> int:
        # The control period, within its limits even after an upset.
        return max(10, min(10000, self.computer.v[d.P_CONTROL_MS]))

    def _actuate(self, f: "array[int]") -> None:
        # They rarely change from one period to the next.
        state = self.plant.state
        if state[p_.ACCEL_ON] != f[f_.ACCEL_ON] or state[p_.ACCEL_PW] != f[f_.ACCEL_PW]:
            self.plant.set_input(p_.ACCEL_ON, f[f_.ACCEL_ON])
            self.plant.set_input(p_.ACCEL_PW, f[f_.ACCEL_PW])
        if state[p_.EXTRA_PW] != f[f_.EXTRA_PW]:
            self.plant.set_input(p_.EXTRA_PW, f[f_.EXTRA_PW])

    def _integrate(self) -> None:
        plant = self.plant
        # The period is a parameter: what it has beyond whole steps of the plant is owed to the next one.
        owed_ms = self.words[_OWED_MS] + self.period_ms()
        while owed_ms >= self.step_ms:
            plant.step()
            owed_ms -= self.step_ms
        self.words[_OWED_MS] = owed_ms

    def _fold(self) -> None:
        w = self.words
        crc = crc32(self.computer.f, crc32(self.plant.state, w[_CRC_HIGH] << 16 | w[_CRC_LOW]))
        w[_CRC_HIGH] = crc >> 16
        w[_CRC_LOW] = crc & 0xFFFF

    def _plant_events(self, conditions: int) -> None:
        # A condition that lasts is told once.
        event = self.computer.telemetry.event
        events = conditions & ~self.words[_CONDITIONS]
        self.words[_CONDITIONS] = conditions
        if events & p_.EVENT_BROWN_OUT:
            event(d.EV_BROWN_OUT, self.computer.f[f_.SOC])
        if events & (p_.EVENT_NET_POWER | p_.EVENT_ACCEL_HEAT | p_.EVENT_RADIATOR_HEAT):
            event(d.EV_POWER_CLAMP, events)
        if events & _CLAMPS:
            event(d.EV_HEAT_CLAMP, events)

    def _keep_sequence(self) -> None:
        # The bench key's counter is state as well: a snapshot that is restored takes it back.
        if 0 in self.counters:
            self.words[_SEQUENCE] = self.counters[0].last

    def restored(self) -> None:
        # The host has written into the buffers.
        if 0 in self.counters:
            self.counters[0].last = self.words[_SEQUENCE]
        self.senses.look()
        if self.update is not None:
            self.update.transfer.look()

    def digest(self) -> int:
        # The rolling CRC with every table of words folded in: what an exchange returns.
        crc = self.words[_CRC_HIGH] << 16 | self.words[_CRC_LOW]
        for _, buffer, _ in self.buffers():
            if not isinstance(buffer, bytearray):
                crc = crc32(buffer, crc)
        return crc

    def lockstep(self) -> bool:
        # Whether a host owns this node's time.
        return self.sim is not None and self.sim.lockstep

    def recover(self) -> None:
        # As a watchdog would after a step that failed: the flight computer starts afresh; battery, heat and what ails
        # the sensors go on.
        f = self.computer.f
        plant = array("i", self.plant.state)
        senses = array("i", self.senses.words)
        self.boot(max(0, min(_LATEST_S, f[f_.NOW_S])), 0, 0, d.WATCHDOG, f[f_.BOOTS] + 1 & 0xFFFF)
        for word in range(len(plant)):
            self.plant.state[word] = plant[word]
        for word in range(len(senses)):
            self.senses.words[word] = senses[word]
        self.senses.look()
        if self.update is not None:
            self.update.crashed()

    def release(self) -> None:
        # The host has gone, and a plant in it: the node is on its own.
        self.senses.host(False)
        if self.sim is not None:
            self.sim.lockstep = False

    def fly(self) -> None:
        # Without a bench there is nobody to say that the radio has lock: the wire is the radio.
        self.bench = False
        self.computer.f[f_.RADIO_LOCK] = 1

    def has_sim(self) -> bool:
        # Whether there is a SIM plane. A flight image lacks the module, and a node in it knows no such frame.
        if self.sim is None and self.bench:
            try:
                from ascnode_fw.sim import SimPlane
            except ImportError:
                self.fly()
                return False
            self.sim = SimPlane(self)
        return self.sim is not None

    # --- frames

    def handle(self, body: memoryview) -> bool:
        # Obeys one frame; False when it asks to leave for the REPL.
        try:
            return self._obey(body)
        except UNEXPECTED as e:
            if body[0] == d.SIM and self.sim is not None:
                self.sim.refuse(str(e))
            else:
                self.refuse(str(e))
        return True

    def refuse(self, why: str) -> None:
        self.send(bytes((d.LINK, link.REFUSED, 0, 0, 0, 0)) + why.encode()[:200])

    def _obey(self, body: memoryview) -> bool:
        if not len(body):
            return True
        if body[0] == d.FLIGHT:
            self.receive(body[1:])
        elif body[0] == d.LINK and len(body) >= 2:
            return self._link(body)
        elif body[0] == d.SIM and self.has_sim():
            assert self.sim is not None  # has_sim
            self.sim.handle(body)
        return True

    def _link(self, body: memoryview) -> bool:
        if body[1] == link.TO_REPL:
            return bytes(body[2:]) != b"repl"
        if body[1] == link.HELLO and len(body) == 4:
            nonce = body[2] << 8 | body[3]
            if self.has_sim():
                assert self.sim is not None  # has_sim
                nonce = self.sim.open(nonce)
            self.hello(nonce)
        return True

    def hello(self, nonce: int = 0) -> None:
        # Says who this is, and in which session.
        body = self._body
        body[0] = d.LINK
        body[1] = link.IDENTITY
        struct.pack_into(
            link.IDENTITY_FORMAT,
            body,
            2,
            nonce,
            self.unique_id,
            d.digest(),
            link.CREDIT_BYTES,
            MAX_BODY,
            crc32((self.store.read("plant.bin") or b"")[:-4]),  # without its own, which would make all alike
            self.accelerator.model_id,
            self.computer.f[f_.BOOTS] & 0xFFFF,
            self.cause,
            max(0, self.words[_SEQUENCE]),
            self.sim.number if self.sim is not None else 0,
        )
        at = 2 + struct.calcsize(link.IDENTITY_FORMAT)
        text = (__version__ + "\0" + ("sim " if self.has_sim() else "") + self.capabilities).encode()
        body[at : at + len(text)] = text
        self.send(body[: at + len(text)])

    def receive(self, packet: memoryview) -> None:
        # A FLIGHT packet at the radio: only an authentic telecommand has any effect, or any answer.
        if self.verifier.check(packet):
            self.computer.f[f_.COMMANDS_REFUSED] += 1
            return
        command = self.verifier.telecommand
        assert command is not None  # checked
        self._keep_sequence()
        execute(self.computer, command.command, command.sequence, command.arguments)

    def _witness(self, engine: "Engine") -> None:
        if self.sim is not None and self.sim.lockstep:
            self.sim.outcome(engine)

    def _transmit(self, packet: memoryview, s: int, ms: int) -> None:
        if self.sim is not None and self.sim.lockstep:
            self.sim.output(packet, s, ms)
            return
        body = self._body
        body[0] = d.FLIGHT
        body[1 : 1 + len(packet)] = packet
        self.send(body[: 1 + len(packet)])
