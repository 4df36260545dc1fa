"""A flight computer on a bench: parameters by name, sensors in engineering units, a radio that writes down."""

import math
from array import array
from dataclasses import dataclass, field

import numpy as np

from ascnode.session.telemetry import Packet, decode
from ascnode.twin.store import MemoryStore
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.commands import execute
from ascnode_fw.flight.computer import FlightComputer
from ascnode_fw.flight.params import Params
from ascnode_fw.wire import dictionary as d

PARAMETER = {row[1]: row[0] for row in d.PARAMETERS}
COMMAND = {row[1]: row[0] for row in d.COMMANDS}

# PHYSICS.md, numbers to start from: cell voltage over state of charge.
CELL_V = (3.15, 3.63, 3.78, 3.98, 4.20)
CELL_CHARGE = (0.0, 0.3, 0.5, 0.7, 1.0)


def values(**by_name: int) -> "array[int]":
    """The dictionary's defaults, with some replaced."""
    v = array("i", [row[2] for row in d.PARAMETERS])
    for name, value in by_name.items():
        v[PARAMETER[name]] = value
    return v


def counts(
    charge: float = 0.9,
    array_w: float = 0.0,
    load_w: float = 60.0,
    accelerator_c: float = 20.0,
    radiator_c: float = 20.0,
) -> "array[int]":
    """What 12-bit converters with the dictionary's full scales say (powers for k = 0)."""

    def word(sensor: int, value: float) -> int:
        _, low, high, _ = d.SENSORS[sensor]
        return max(0, min(4095, math.floor(4096 * (value - low) / (high - low))))

    cell_mv = 1000 * float(np.interp(charge, CELL_CHARGE, CELL_V))
    return array(
        "i",
        [
            word(d.SENSOR_CELL, cell_mv),
            word(d.SENSOR_ARRAY, array_w * 1000),
            word(d.SENSOR_LOAD, load_w * 1000),
            word(d.SENSOR_ACCELERATOR, (accelerator_c + 273.15) * 100),
            word(d.SENSOR_RADIATOR, (radiator_c + 273.15) * 100),
        ],
    )


@dataclass
class Model:
    """An accelerator whose answer is its input's first bytes, each one more."""

    model_id: int = 0x12345678
    macs: int = 24_000
    input_size: int = 64
    output_size: int = 10
    runs: list[bytes] = field(default_factory=list)

    def run(self, data: memoryview, output: bytearray) -> None:
        """One inference."""
        self.runs.append(bytes(data))
        output[:] = bytes(byte + 1 & 0xFF for byte in data[: len(output)])


class Bench:
    """One flight computer; `heard` is what its radio has sent, as (time ms, packet)."""

    def __init__(self, model: Model | None = None, store: MemoryStore | None = None, **by_name: int) -> None:
        self.heard: list[tuple[int, Packet]] = []
        self.raw: list[bytes] = []
        self.model = model or Model()
        self.params = Params(store or MemoryStore({}), d.PARAMETERS)
        self.params.values[:] = values(**by_name)
        self.computer = FlightComputer(self.params, self.model, self._hear)
        self.f = self.computer.f
        self.v = self.computer.v
        self.sequence = 0

    def _hear(self, packet: memoryview, s: int, ms: int) -> None:
        self.raw.append(bytes(packet))
        self.heard.append((s * 1000 + ms, decode(bytes(packet))))

    @property
    def now_ms(self) -> int:
        return self.f[f_.NOW_S] * 1000 + self.f[f_.NOW_MS]

    def start_at(self, s: int, ms: int = 0) -> None:
        """Sets the clock."""
        self.f[f_.NOW_S], self.f[f_.NOW_MS] = s, ms

    def period(self, words: "array[int] | None" = None, times: int = 1) -> None:
        """Control periods with these sensor words, a well charged and cool node's without."""
        for _ in range(times):
            self.computer.step(counts() if words is None else words)
            self.computer.tick()

    def command(self, name: str, arguments: bytes = b"") -> int:
        """Executes a telecommand; the code of its acceptance report, which must be the newest report of that kind."""
        self.sequence += 1
        execute(self.computer, COMMAND[name], self.sequence, memoryview(arguments))
        return self.reports(d.TM_ACCEPT)[-1]["code"]

    # --- what waits in the downlink queue

    def queued(self) -> list[Packet]:
        """Every packet held, by its count."""
        links = self.computer.links
        slots = [slot for slot in range(48) if links.words[slot * 9]]
        return sorted((decode(bytes(links.packet(slot))) for slot in slots), key=lambda packet: packet.count)

    def reports(self, kind: int) -> list[dict[str, int]]:
        """Fields of the queued packets of one kind, in the order they were made."""
        return [packet.fields for packet in self.queued() if packet.kind == kind]

    def events(self) -> list[tuple[str, int]]:
        """Name and value of the queued events."""
        names = {row[0]: row[1] for row in d.EVENTS}
        return [(names[fields["event"]], fields["value"]) for fields in self.reports(d.TM_EVENT)]

    def open_contact(self, start_s: int = 0, end_s: int = 1 << 29) -> None:
        """The ground in view, radio locked."""
        self.computer.contacts.add(start_s, end_s)
        self.f[f_.RADIO_LOCK] = 1
