"""The simulated accelerator behind its SPI port: what `Device` does on the bus, here by frames at the pins."""

import struct
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ascnode_gateware.bus.frames import MAX_WORDS, REGISTERS
from ascnode_gateware.bus.host import Host, LinkError
from ascnode_gateware.sim.addresses import address as register
from ascnode_gateware.sim.addresses import mask, value
from ascnode_gateware.sim.device import RUN_DEADLINE_S, Ending, Feed, Watch, Words
from ascnode_gateware.sim.flash import Flash, FlashCounts
from ascnode_gateware.sim.process import Process, SimulationError

_DEADLINE_S = 60.0
_ALL_FLAGS = mask("irq_done") | mask("irq_error") | mask("irq_paused")
_IRQ = struct.Struct("<IQ")
T = TypeVar("T")


@dataclass(frozen=True)
class SpiClock:
    """SCK runs at `ratio` of the core's clock. Before a frame CS is high for `gap_cycles` core cycles; it falls
    `phase` (0..1) of a cycle after a rising edge of the core's clock."""

    ratio: float = 1.0
    phase: float = 0.3
    gap_cycles: int = 3


class SpiDevice:
    """Reads, writes and runs over SPI; addresses are word addresses of the 16-bit bus.

    Each bit on the wires is wrong with probability `error_rate`, both ways; frames are sent again. `frames` counts
    those sent.
    """

    def __init__(
        self, process: Process, clock: SpiClock | None = None, *, error_rate: float = 0.0, seed: int = 1
    ) -> None:
        self._process, self._error_rate = process, error_rate
        self._random = np.random.default_rng(seed)
        self._host = Host()
        self._feed: tuple[Feed, Words] | None = None
        self._fed = 0
        self.frames = 0
        timing = clock or SpiClock()
        self._ask("K", struct.pack("<ddI", timing.ratio, timing.phase, timing.gap_cycles), "set its clocks")

    @property
    def resent(self) -> int:
        """Frames that were sent again."""
        return self._host.resent

    def reset(self, cycles: int = 4) -> None:
        """Holds reset; memory keeps its contents."""
        self._ask("Z", struct.pack("<I", cycles), f"reset for {cycles} cycles")
        self._set("IRQ", 0)  # a write that may be lost: its number may be that of the last one before

    def write(self, address: int, words: Words | Sequence[int]) -> None:
        """Consecutive words of memory, or registers one by one."""
        data = np.asarray(words, np.uint32).tolist()
        if address < REGISTERS:
            self._drive(self._host.write(address, data))
            return
        for at, word in enumerate(data, start=address):
            self._drive(self._host.write_register(at, word))

    def read(self, address: int, count: int) -> Words:
        """uint32 [count]."""
        return np.array(self._drive(self._host.read(address, count)), np.uint32)

    def idle(self, cycles: int) -> None:
        """Lets cycles pass with CS high."""
        self._ask("C", struct.pack("<I", cycles), f"wait {cycles} cycles", RUN_DEADLINE_S)

    def plug(self, flash: Flash, contents: bytes) -> None:
        """Puts a flash on the pins."""
        self._ask("F", flash.pack(contents), f"take a flash of {len(contents)} bytes")

    def flash_counts(self) -> FlashCounts:
        return FlashCounts.unpack(self._ask("E", b"", "count what its flash did"))

    def feed(self, plan: Feed, words: Words) -> None:
        """The stream that every later run gets from its start, as fast as frames bring it; no words: none."""
        self._feed = (plan, words) if words.size else None

    def run(
        self,
        address: int,
        value: int,
        limit_cycles: int,
        *,
        stop_at_layer: bool = False,
        same_run: bool = False,
    ) -> Watch:
        """Writes a register that starts or resumes; feeds the stream, then waits for the IRQ pin.

        Cycles are those of the register CYCLES, since START. Layers are seen at pauses only: set single_step.
        """
        self._set("IRQ", _ALL_FLAGS)
        if not same_run:
            self._fed = 0
        begin = self.await_irq(0)[1]
        self.write(address, [value | mask("irq_enable")])
        while self._feed and self._busy() and self._feed_some(*self._feed):
            if self.await_irq(0)[1] - begin > limit_cycles:
                break
        interrupted, _ = self.await_irq(limit_cycles)
        return self._watch(interrupted, stop_at_layer)

    def await_irq(self, cycles: int) -> tuple[bool, int]:
        """Whether the pin is high within so many cycles, and the core cycles since the beginning."""
        answer = self._ask("I", struct.pack("<Q", cycles), f"run for at most {cycles} cycles", RUN_DEADLINE_S)
        high, now = _IRQ.unpack(answer)
        return bool(high), now

    def _watch(self, interrupted: bool, stop_at_layer: bool) -> Watch:
        status, cycles = self._get("STATUS"), self._get("CYCLES")
        paused = bool(value("paused", status))
        ending = Ending.IDLE if interrupted else Ending.LIMIT
        changes: tuple[tuple[int, int], ...] = ()
        if paused and stop_at_layer:
            ending, changes = Ending.LAYER, ((cycles, value("layer", status)),)
        return Watch(ending, cycles, changes, self._fed, 0, 0)

    def _feed_some(self, plan: Feed, words: Words) -> bool:
        """As many blocks as have room in the ring and in a frame; False when the stream has been fed."""
        free = value("ring_free", self._get("STATUS"))
        at = self._fed % plan.ring_words
        room = min(MAX_WORDS, free * plan.block_words, plan.ring_words - at, words.size - self._fed)
        count = room // plan.block_words * plan.block_words
        if count:
            self.write(plan.ring_address + at, words[self._fed : self._fed + count])
            self.write(plan.commit_address, [count // plan.block_words * plan.commit_value])
            self._fed += count
        return self._fed < words.size

    def _busy(self) -> bool:
        status = self._get("STATUS")
        return bool(value("busy", status)) and not value("paused", status)

    def _get(self, name: str) -> int:
        return int(self.read(register(name), 1)[0])

    def _set(self, name: str, word: int) -> None:
        self.write(register(name), [word])

    def _drive(self, exchange: Generator[bytes, bytes, T]) -> T:
        try:
            frame = next(exchange)
            while True:
                frame = exchange.send(self._transfer(frame))
        except StopIteration as done:
            result: T = done.value
            return result
        except LinkError as error:
            raise SimulationError(str(error)) from None

    def _transfer(self, frame: bytes) -> bytes:
        """What came beside `frame`."""
        self.frames += 1
        sent = self._spoilt(frame)
        return self._spoilt(self._ask("X", sent, f"transfer a frame of {len(frame)} bytes"))

    def _spoilt(self, content: bytes) -> bytes:
        bits = len(content) * 8
        wrong = self._random.binomial(bits, self._error_rate) if self._error_rate else 0
        spoilt = bytearray(content)
        for bit in self._random.choice(bits, wrong, replace=False):
            spoilt[bit // 8] ^= 1 << bit % 8
        return bytes(spoilt)

    def _ask(self, command: str, payload: bytes, what: str, deadline_s: float = _DEADLINE_S) -> bytes:
        return self._process.ask(command, payload, what, deadline_s)
