"""What a host does with a bare program: memory, registers, a stream fed beside the run; and what it then finds."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.executor import ExecutionResult
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Device, Ending, Feed, Watch
from ascnode_gateware.sim.process import Process

Words = npt.NDArray[np.uint32]

MEMORY_WORDS = 1 << 15
LIMIT_CYCLES = 4_000_000
WATCHDOG_UNITS = 64
SETTLE_CYCLES = 8
COUNTERS = ("CYCLES", "STALLS", "THROTTLED", "WORDS", "PIXELS")


@dataclass(frozen=True)
class Bare:
    """A program as words: memory uint32 [32768], its first header's address, the stream, the ring's words."""

    memory: Words
    address: int
    stream: Words
    ring: range


@dataclass(frozen=True)
class Pace:
    """`throttle` of 256 cycles without a word; the stream brings a word in `cycles_per_word`."""

    throttle: int = 0
    cycles_per_word: float = 8.125


def random_pace(seed: int) -> Pace:
    """Half of them at full speed; streams from one that never waits to one that everything waits for."""
    rng = random.Random(f"pace {seed}")
    throttle = rng.choice((0, 0, 0, 1, 17, 128, 200, 240))
    return Pace(throttle, rng.choice((1, 2, 5.3, 8.125, 8.125, 33)))


class Host:
    """Loads and runs bare programs on one simulator process."""

    def __init__(self, process: Process) -> None:
        self.device = Device(process)

    def load(self, program: Bare, pace: Pace = Pace(), *, reset: bool = True) -> None:
        """Without a reset the engine is as the run before has left it."""
        if reset:
            self.device.reset()
        self.device.write(0, program.memory)
        settings = {
            "PROGRAM": program.address,
            "THROTTLE": pace.throttle,
            "WATCHDOG": WATCHDOG_UNITS,
            "RING_BASE": program.ring.start,
            "RING_BLOCKS": len(program.ring) // RING_BLOCK_WORDS,
        }
        for name, word in settings.items():
            self.device.write(address(name), [word])
        self.device.feed(_feed(program.ring, pace), program.stream)

    def run(self, limit_cycles: int = LIMIT_CYCLES) -> Watch:
        return self._control("start", limit_cycles=limit_cycles)

    def go_on(self, limit_cycles: int) -> Watch:
        """With a run that a limit has left."""
        return self.device.run(address("CONTROL"), mask("stream_host"), limit_cycles, same_run=True)

    def pauses(self) -> Iterator[int]:
        """Runs in single steps: the layer counter at each pause."""
        watch = self._control("start", single_step=True)
        while watch.ending is Ending.LAYER:
            self.device.idle(SETTLE_CYCLES)
            assert self.status("paused")
            yield self.status("layer")
            watch = self._control("resume", single_step=True, same_run=True)
        assert watch.ending is Ending.IDLE

    def abort(self) -> None:
        """The engine is idle afterwards."""
        self.device.write(address("CONTROL"), [mask("abort") | mask("stream_host")])
        self.device.idle(SETTLE_CYCLES)

    def status(self, field: str) -> int:
        return value(field, int(self.device.read(address("STATUS"), 1)[0]))

    def error(self) -> ErrorCode:
        return ErrorCode(self.status("error"))

    def counters(self) -> dict[str, int]:
        return {name: int(self.device.read(address(name), 1)[0]) for name in COUNTERS}

    def memory(self) -> Words:
        return self.device.read(0, MEMORY_WORDS)

    def _control(
        self,
        action: str,
        *,
        limit_cycles: int = LIMIT_CYCLES,
        single_step: bool = False,
        same_run: bool = False,
    ) -> Watch:
        word = mask(action) | mask("stream_host") | (mask("single_step") if single_step else 0)
        return self.device.run(
            address("CONTROL"), word, limit_cycles, stop_at_layer=single_step, same_run=same_run
        )


def compare_memory(found: Words, expected: Words, ring: range, name: str) -> None:
    """All words but the ring's, which the stream passes through; AssertionError tells the first that differs."""
    different = np.flatnonzero(found != expected)
    different = different[(different < ring.start) | (different >= ring.stop)]
    if len(different):
        first = int(different[0])
        raise AssertionError(
            f"{name}: word {first:#06x} is {found[first]:#010x}, the executor has {expected[first]:#010x}; "
            f"{len(different)} words differ"
        )


def check_end(host: Host, watch: Watch, expected: ExecutionResult, name: str) -> None:
    """The state in which a run must leave the registers."""
    assert watch.ending is Ending.IDLE, f"{name}: {watch.ending.name} after {watch.cycles} cycles"
    assert (host.error(), host.status("done")) == (ErrorCode.NONE, 1), name
    assert host.status("layer") == expected.layers, name
    counters = host.counters()
    assert counters["WORDS"] == expected.stream_words, name
    assert counters["PIXELS"] == sum(record.words for record in expected.jobs), name
    parts = ("PIXELS", "STALLS", "THROTTLED")  # each cycle is one of them
    assert sum(counters[part] for part in parts) == counters["CYCLES"], f"{name}: {counters}"


def _feed(ring: range, pace: Pace) -> Feed:
    return Feed(
        ring_address=ring.start,
        ring_words=len(ring),
        block_words=RING_BLOCK_WORDS,
        free_address=address("STATUS"),
        free_mask=mask("ring_free"),
        commit_address=address("RING_COMMIT"),
        commit_value=1,
        cycles_per_word=pace.cycles_per_word,
    )
