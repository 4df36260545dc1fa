"""A simulated accelerator with one fault, and the checks of what it does.

What it should do comes from the executor, the cycle predictor, the contract and the register table, never from
another accelerator. A fault is caught when a check raises WrongError.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ascnode_gateware.program.flash_blocks import pack_stream
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.timing_model import StreamSource
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Device, Ending, Feed, Watch
from ascnode_gateware.sim.flash import Flash
from ascnode_gateware.sim.process import Process
from gateware.mutation.cases import Case
from gateware.mutation.design import MUTANT_ADDRESS

HOST_STREAM = StreamSource(cycles_per_word=3, extra_words=1)
LIMIT = 40_000
PLAIN_FLASH = Flash()  # granted at once, for as long as it is wanted; makes no errors
START, HOST = mask("start"), mask("stream_host")
_COUNTERS = ("CYCLES", "STALLS", "THROTTLED", "WORDS", "PIXELS")
_OFF_BY = 0.1  # cycles may differ from those predicted by this part,
_OFF_BY_CYCLES = 60  # and by this many
_DEADLINE_S = 30.0
_NO_STREAM = np.zeros(0, np.uint32)


class WrongError(Exception):
    """The accelerator did not do what it should; says what."""


def expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise WrongError(f"{what} is {found}, not {wanted}")


class Bench:
    """One simulator with one mutant, 0 for none."""

    def __init__(self, executable: Path, mutant: int) -> None:
        self._process = Process(executable, seed=1)
        self.device = Device(self._process)
        self.device.write(MUTANT_ADDRESS, [mutant])
        self.device.reset()

    def load(self, case: Case, *, throttle: int = 0, watchdog: int = 16) -> None:
        """Memory and registers of a case; its stream comes from the host."""
        self.device.write(0, case.memory)
        self.set("PROGRAM", case.program)
        self.set("THROTTLE", throttle)
        self.set("WATCHDOG", watchdog)
        self.set("FLASH_BLOCKS", 0)
        self.set("ERRORS", 0)
        self.set("IRQ", 7)
        self.set("RING_BASE", case.ring.start)
        self.set("RING_BLOCKS", case.ring_blocks)
        self.device.feed(self._plan(case), case.stream)
        self._touch_other_places(case)

    def take_stream(self, case: Case) -> None:
        """No stream comes."""
        self.device.feed(self._plan(case), _NO_STREAM)

    def load_flash(self, case: Case, flash: Flash = PLAIN_FLASH, spoiled: bool = False) -> None:
        """The stream lies in a new flash in place of coming from the host; `spoiled`: its last word is another."""
        image = bytearray(pack_stream(case.stream))
        if spoiled:
            image[-6] ^= 0x10
        self.device.plug(flash, bytes(flash.address) + image)
        self.set("CONTROL", 0)
        self.set("FLASH_ADDRESS", flash.address)
        self.set("FLASH_BLOCKS", case.stream_blocks)
        self.take_stream(case)

    def go(self, control: int, limit: int = LIMIT, *, again: bool = False) -> Watch:
        """Writes CONTROL and runs; `again` goes on with a run."""
        where = address("CONTROL")
        return self.device.run(where, control, limit, same_run=again, deadline_s=_DEADLINE_S)

    def check_end(self, case: Case, watch: Watch, ending: Ending = Ending.IDLE) -> None:
        """END was reached, with everything as the executor has it."""
        expect(watch.ending.name, ending.name, "the end of the run")
        self.check_status(busy=0, done=1, paused=0, error=0, layer=case.result.layers & 255)
        self.check_memory(case)
        counted = {name: self.get(name) for name in _COUNTERS}
        expect(counted["PIXELS"], case.words, "PIXELS")
        expect(counted["WORDS"], case.result.stream_words, "WORDS")
        busy = counted["PIXELS"] + counted["STALLS"] + counted["THROTTLED"]
        expect(counted["CYCLES"], busy, "CYCLES (the sum of its parts)")

    def check_cycles(self, watch: Watch, predicted: int) -> None:
        """The counter is right, and the run as fast as it should be."""
        expect(abs(self.get("CYCLES") - watch.cycles) <= 2, True, "CYCLES near the cycles that passed")
        if abs(watch.cycles - predicted) > predicted * _OFF_BY + _OFF_BY_CYCLES:
            raise WrongError(f"the run took {watch.cycles} cycles; {predicted} are predicted")

    def check_throttle(self, throttle: int) -> None:
        """Of a pass without stalls it takes `throttle` of 256 cycles, spread evenly."""
        taken, given = self.get("THROTTLED"), self.get("PIXELS")
        if abs(taken - (taken + given) * throttle / 256) > 2:
            raise WrongError(f"a throttle of {throttle} of 256 took {taken} cycles and left {given}")

    def check_memory(self, case: Case) -> None:
        found = self.device.read(0, len(case.memory))
        different = np.flatnonzero((found != case.result.memory) & case.settled)
        if len(different):
            at = int(different[0])
            words = f"{found[at]:08x}, not {case.result.memory[at]:08x}"
            raise WrongError(f"word 0x{at:04x} is {words}; {len(different)} are wrong")

    def check_status(self, **fields: int) -> None:
        """STATUS's fields by name."""
        status = self.get("STATUS")
        for name, wanted in fields.items():
            expect(value(name, status), wanted, f"STATUS.{name}")

    def set(self, register: str, word: int) -> None:
        self.device.write(address(register), [word])

    def get(self, register: str) -> int:
        return int(self.device.read(address(register), 1)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.close()

    def _touch_other_places(self, case: Case) -> None:
        """Reads registers, writes where none is and to memory: that sets nothing."""
        for offset in range(0x20):
            self.device.write(0x8020 + offset, [0xFFFF_FFFF])
            self.device.write(offset, [0xFFFF_FFFF])
            self.device.read(0x8000 + offset, 1)
        self.device.write(0, case.memory[:0x20])

    @staticmethod
    def _plan(case: Case) -> Feed:
        return Feed(
            ring_address=case.ring.start,
            ring_words=len(case.ring),
            block_words=RING_BLOCK_WORDS,
            free_address=address("STATUS"),
            free_mask=mask("ring_free"),
            commit_address=address("RING_COMMIT"),
            commit_value=1,
            cycles_per_word=HOST_STREAM.cycles_per_word,
        )
