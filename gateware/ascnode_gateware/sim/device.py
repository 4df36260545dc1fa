"""The simulated accelerator as a bus device: memory, registers, a run with a stream fed beside it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ascnode_gateware.sim.flash import Flash, FlashCounts
from ascnode_gateware.sim.process import Process, SimulationError

Words = npt.NDArray[np.uint32]

ACCESS_DEADLINE_S = 60.0
RUN_DEADLINE_S = 600.0
RATE_SCALE = 256  # of cycles_per_word in the harness
_RUN = struct.Struct("<IIQQQ")
_CHANGE = struct.Struct("<QI")
_BUS_WORDS = 1 << 16
_STOP_AT_LAYER, _SAME_RUN = 1, 2


class Ending(IntEnum):
    """Why a run stopped."""

    IDLE = 0
    INTERRUPT = 1
    LIMIT = 2
    LAYER = 3


@dataclass(frozen=True)
class Feed:
    """How the host fills the stream ring: addresses on the bus, sizes in words, the rate in cycles a word.

    The ring is full while the bits of `free_mask` at `free_address` are 0; each block ends with a write of
    `commit_value` to `commit_address`.
    """

    ring_address: int
    ring_words: int
    block_words: int
    free_address: int
    free_mask: int
    commit_address: int
    commit_value: int
    cycles_per_word: float

    def pack(self, words: Words) -> bytes:
        """The harness's command: this plan and the stream's words."""
        rate = round(self.cycles_per_word * RATE_SCALE)
        ring = (self.ring_address, self.ring_words, self.block_words)
        registers = (self.free_address, self.free_mask, self.commit_address, self.commit_value)
        return struct.pack("<8I", *ring, *registers, rate) + words.astype("<u4").tobytes()


@dataclass(frozen=True)
class Watch:
    """What the harness saw of a run: cycles from the start to the end, and when the layer counter changed."""

    ending: Ending
    cycles: int
    changes: tuple[tuple[int, int], ...]  # (cycle, layer counter after it)
    words_fed: int
    ring_full_cycles: int
    bus_wait_cycles: int


class Device:
    """Talks to a simulator process; addresses are word addresses of the 16-bit bus."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def reset(self, cycles: int = 4) -> None:
        """Holds reset; memory keeps its contents."""
        self._ask("Z", struct.pack("<I", cycles), f"reset for {cycles} cycles")

    def write(self, address: int, words: Words | Sequence[int]) -> None:
        """Consecutive words, one a cycle while the bus accepts them."""
        data = np.asarray(words, np.uint32)
        _check_range(address, data.size)
        what = f"write {data.size} words at 0x{address:04x}"
        self._ask("W", struct.pack("<I", address) + data.astype("<u4").tobytes(), what)

    def read(self, address: int, count: int) -> Words:
        """uint32 [count]."""
        _check_range(address, count)
        what = f"read {count} words at 0x{address:04x}"
        return np.frombuffer(self._ask("R", struct.pack("<II", address, count), what), "<u4").astype(
            np.uint32
        )

    def idle(self, cycles: int) -> None:
        """Lets cycles pass with nothing on the bus."""
        self._ask("C", struct.pack("<I", cycles), f"wait {cycles} cycles", RUN_DEADLINE_S)

    def plug(self, flash: Flash, contents: bytes) -> None:
        """Puts a flash on the pins."""
        self._ask("F", flash.pack(contents), f"take a flash of {len(contents)} bytes")

    def flash_counts(self) -> FlashCounts:
        return FlashCounts.unpack(self._ask("E", b"", "count what its flash did"))

    def feed(self, plan: Feed, words: Words) -> None:
        """The stream that every later run gets from its start; no words: none."""
        self._ask("S", plan.pack(words), f"take a stream of {words.size} words")

    def run(
        self,
        address: int,
        value: int,
        limit_cycles: int,
        *,
        stop_at_layer: bool = False,
        same_run: bool = False,
        deadline_s: float = RUN_DEADLINE_S,
    ) -> Watch:
        """Writes a register that starts or resumes; clocks until idle, an interrupt, or `limit_cycles` passed.

        `stop_at_layer`: also when the layer counter changes. `same_run`: the stream goes on where it was.
        """
        flags = (_STOP_AT_LAYER if stop_at_layer else 0) | (_SAME_RUN if same_run else 0)
        payload = struct.pack("<IIIQ", address, value, flags, limit_cycles)
        answer = self._ask("G", payload, f"run for at most {limit_cycles} cycles", deadline_s)
        ending, fed, cycles, full, waited = _RUN.unpack_from(answer)
        changes = tuple(_CHANGE.iter_unpack(answer[_RUN.size :]))
        return Watch(Ending(ending), cycles, changes, fed, full, waited)

    def _ask(self, command: str, payload: bytes, what: str, deadline_s: float = ACCESS_DEADLINE_S) -> bytes:
        return self._process.ask(command, payload, what, deadline_s)


def _check_range(address: int, count: int) -> None:
    if not 0 <= address <= address + count <= _BUS_WORDS:
        raise SimulationError(f"{count} words at 0x{address:x} are not inside the bus's 16-bit addresses")
