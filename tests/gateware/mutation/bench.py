"""Runs of programs on the simulated accelerator, judged by the executor, the contract and the register table.

What a run should do comes from nowhere else: a fault is caught when one sentence of `Wrong` is raised.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ascnode_gateware.program.executor import ExecutionResult, execute
from ascnode_gateware.program.flash_blocks import pack_stream
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.timing import predict
from ascnode_gateware.program.timing_model import StreamSource
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Device, Ending, Feed, Watch
from ascnode_gateware.sim.process import Process
from gateware.mutation.design import FLASH_WORDS, MUTANT_ADDRESS
from gateware.program.random_jobs import Sizes, random_program, random_ring
from gateware.program.random_space import Words

FEED_CYCLES_PER_WORD = 3
SLOWER = 0.03  # a run may differ from the prediction by this part of it,
SLOWER_CYCLES = 40  # and as many cycles
DEADLINE_S = 30.0
START, HOST = mask("start"), mask("stream_host")
COUNTERS = ("CYCLES", "STALLS", "THROTTLED", "WORDS", "PIXELS")


class WrongError(Exception):
    """The accelerator did not do what it should; says what."""


def expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise WrongError(f"{what} is {found}, not {wanted}")


@dataclass(frozen=True, eq=False)
class Case:
    """A program and its right end. `memory`, `stream`: as random_jobs makes them."""

    memory: Words
    program: int
    stream: Words
    ring: range

    @classmethod
    def random(cls, seed: int, sizes: Sizes) -> "Case":
        return cls(*random_program(seed, sizes), random_ring(seed))

    @cached_property
    def result(self) -> ExecutionResult:
        return execute(self.memory, self.program, self.stream, ring=self.ring)

    @cached_property
    def words(self) -> int:
        """That go past the array."""
        return sum(job.words for job in self.result.jobs)

    def cycles(self, source: StreamSource) -> int:
        blocks = len(self.ring) // RING_BLOCK_WORDS
        args = self.memory, self.program, self.stream
        return predict(*args, ring_base=self.ring.start, ring_blocks=blocks, source=source).cycles

    @cached_property
    def outside_ring(self) -> np.ndarray:
        """Words (bool) that the stream's arrival does not change."""
        places = np.ones(len(self.memory), np.bool_)
        places[self.ring.start : self.ring.stop] = len(self.stream) == 0
        return places


class Bench:
    """One simulator with one fault, 0 for none."""

    def __init__(self, executable: Path, mutant: int, seed: int = 1) -> None:
        self._process = Process(executable, seed)
        self.device = Device(self._process)
        self.device.write(MUTANT_ADDRESS, [mutant])
        self.device.reset()

    def close(self) -> None:
        self._process.close()

    def load(self, case: Case, *, throttle: int = 0, watchdog: int = 16) -> None:
        """Memory and registers of a case; its stream comes from the host, if it comes."""
        self.device.write(0, case.memory)
        self.set("PROGRAM", case.program)
        self.set("THROTTLE", throttle)
        self.set("WATCHDOG", watchdog)
        self.set("RING_BASE", case.ring.start)
        self.set("RING_BLOCKS", len(case.ring) // RING_BLOCK_WORDS)
        self.device.feed(self.plan(case), case.stream)

    def load_flash(self, case: Case, at_byte: int, spoiled: bool = False) -> None:
        """The stream lies in flash; `spoiled`: its last word is another."""
        image = np.frombuffer(pack_stream(case.stream), "<u4").copy()
        image[-2] ^= 0x0400_0000 if spoiled else 0
        if len(image):
            self.device.write(FLASH_WORDS + at_byte // 4, image)
        self.set("FLASH_ADDRESS", at_byte)
        self.set("FLASH_BLOCKS", len(case.stream) // RING_BLOCK_WORDS)
        self.device.feed(self.plan(case), np.zeros(0, np.uint32))

    def go(self, control: int, limit: int, *, again: bool = False, by_layer: bool = False) -> Watch:
        """Writes CONTROL and runs; `again` goes on with a run."""
        where = address("CONTROL")
        return self.device.run(
            where, control, limit, same_run=again, stop_at_layer=by_layer, deadline_s=DEADLINE_S
        )

    def check_end(self, case: Case, watch: Watch, ending: Ending = Ending.IDLE) -> None:
        """END was reached, with everything as the executor has it."""
        expect(watch.ending.name, ending.name, "the end of the run")
        self.check_status(busy=0, done=1, paused=0, error=0, layer=case.result.layers & 255)
        self.check_memory(case)
        counted = {name: self.get(name) for name in COUNTERS}
        expect(counted["PIXELS"], case.words, "PIXELS")
        expect(counted["WORDS"], case.result.stream_words, "WORDS")
        busy = counted["PIXELS"] + counted["STALLS"] + counted["THROTTLED"]
        expect(counted["CYCLES"], busy, "CYCLES (the sum of the others)")

    def check_cycles(self, watch: Watch, predicted: int) -> None:
        """The counter is right, and the run as fast as it should be."""
        expect(abs(self.get("CYCLES") - watch.cycles) <= 2, True, "CYCLES near the cycles that passed")
        if abs(watch.cycles - predicted) > predicted * SLOWER + SLOWER_CYCLES:
            raise WrongError(f"the run took {watch.cycles} cycles; {predicted} are predicted")

    def check_throttle(self, throttle: int) -> None:
        """It takes `throttle` of 256 of the cycles in which a pass has words left."""
        taken, given = self.get("THROTTLED"), self.get("PIXELS")
        expect(
            abs(taken / (taken + given) - throttle / 256) < 0.03,
            True,
            f"throttled {taken}, words {given}: a right share",
        )

    def check_memory(self, case: Case) -> None:
        found = self.device.read(0, len(case.memory))
        different = np.flatnonzero((found != case.result.memory) & case.outside_ring)
        if len(different):
            at = different[0]
            words = found[at], case.result.memory[at]
            raise WrongError(
                f"word 0x{at:04x} is {words[0]:08x}, not {words[1]:08x}; {len(different)} are wrong"
            )

    def check_status(self, **fields: int) -> None:
        """STATUS's fields by name."""
        status = self.get("STATUS")
        for name, wanted in fields.items():
            expect(value(name, status), wanted, f"STATUS.{name}")

    def set(self, register: str, word: int) -> None:
        self.device.write(address(register), [word])

    def get(self, register: str) -> int:
        return int(self.device.read(address(register), 1)[0])

    @staticmethod
    def plan(case: Case) -> Feed:
        """How the host brings the stream."""
        return Feed(
            ring_address=case.ring.start,
            ring_words=len(case.ring),
            block_words=RING_BLOCK_WORDS,
            free_address=address("STATUS"),
            free_mask=mask("ring_free"),
            commit_address=address("RING_COMMIT"),
            commit_value=1,
            cycles_per_word=FEED_CYCLES_PER_WORD,
        )
