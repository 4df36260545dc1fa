"""Runs compiled models on the simulated accelerator, and says what each run took."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from ascnode_gateware.program.flash_blocks import check_placement, pack_stream
from ascnode_gateware.program.job import RING_BLOCK_WORDS
from ascnode_gateware.program.program import (
    MEMORY_WORDS,
    Int8,
    OutputLayout,
    Program,
    place_input,
    read_output,
    unpack_tensor,
)
from ascnode_gateware.registers.table import IDENTITY, ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Device, Ending, Feed, Watch, Words
from ascnode_gateware.sim.flash import Flash, FlashCounts
from ascnode_gateware.sim.process import Process, SimulationError
from ascnode_gateware.sim.report import RunReport, run_report

LIMIT_CYCLES = 50_000_000
WATCHDOG_UNITS = 4096  # of 256 cycles: a stream that stops is an error, not a run to the limit
QUAD_FLASH_CYCLES_PER_WORD = 8 * 65 / 64  # 4 bits a cycle, and a CRC word with each 64
PAUSE_POLLS = 1000
COUNTERS = ("CYCLES", "STALLS", "THROTTLED", "WORDS", "PIXELS")
ERROR_COUNTERS = ("crc_errors", "frame_errors", "flash_errors")

Progress = Callable[[int], None]


class BusDevice(Protocol):
    """Who reads, writes and runs: `Device` on the accelerator's bus, `SpiDevice` at its pins."""

    def reset(self, cycles: int = 4) -> None: ...
    def write(self, address: int, words: Words | Sequence[int]) -> None: ...
    def read(self, address: int, count: int) -> Words: ...
    def feed(self, plan: Feed, words: Words) -> None: ...
    def plug(self, flash: Flash, contents: bytes) -> None: ...
    def flash_counts(self) -> FlashCounts: ...
    def run(
        self,
        address: int,
        value: int,
        limit_cycles: int,
        *,
        stop_at_layer: bool = False,
        same_run: bool = False,
    ) -> Watch: ...


class Simulator:
    """One accelerator. Load a program, then run it as often as needed; loading another one is cheap.

    `executable` comes from `build.build_accelerator`; that of `build_spi_accelerator` wants `connect=SpiDevice`.
    Memory starts as noise of `seed` (a single word of it unless `noise`), registers too unless it is 0 (zeros): what
    a program reads it must have written, what needs a reset must have it. The stream comes from `flash`, which is put
    on the pins; without one the host writes one word in `cycles_per_word`. THROTTLE holds the engine for `throttle` of
    256 cycles.
    """

    def __init__(
        self,
        executable: Path,
        *,
        seed: int = 1,
        flash: Flash | None = None,
        cycles_per_word: float = QUAD_FLASH_CYCLES_PER_WORD,
        throttle: int = 0,
        limit_cycles: int = LIMIT_CYCLES,
        noise: bool = True,
        connect: Callable[[Process], BusDevice] = Device,
    ) -> None:
        self._process = Process(executable, seed)
        self.device = connect(self._process)
        self._seed, self._cycles_per_word, self._throttle = seed, cycles_per_word, throttle
        self._flash, self._limit_cycles, self._noise = flash, limit_cycles, noise
        self._program: Program | None = None

    def load(self, program: Program) -> None:
        """Resets the engine and writes the program's words and the registers that it needs."""
        self.device.reset()
        if self._program is None:
            self._check_identity()
            if self._noise:
                self._fill_with_noise()
        for at, words in program.segments.items():
            self.device.write(at, words)
        self._set("PROGRAM", program.program_address)
        self._set("THROTTLE", self._throttle)
        self._set("WATCHDOG", WATCHDOG_UNITS)
        self._set("RING_BASE", program.ring_base)
        self._set("RING_BLOCKS", program.ring_blocks)
        self._source(program)
        self._program = program

    def plug(self, flash: Flash | None) -> None:
        """Another flash for the runs from here on, as it comes from power-up; None: the host feeds the stream."""
        self._flash = flash
        self._source(self._loaded())

    def run(self, inputs: Int8, progress: Progress | None = None) -> tuple[Int8, RunReport]:
        """int8 [n, *input shape without its leading 1] to int8 [n, *output shape likewise] and the last run's figures.

        `progress` is called with the inferences done. SimulationError when the engine stops with an error or does
        not end; ValueError when `inputs` are not the model's.
        """
        program, outputs = self._loaded(), []
        if not len(inputs):
            raise ValueError("there is no input to run")
        for done, image in enumerate(inputs, start=1):
            watch = self._infer(program, image)
            words = self.device.read(program.output.address, program.output.words)
            outputs.append(read_output(program, words).reshape(program.output.shape[1:]))
            if progress:
                progress(done)
        return np.stack(outputs), run_report(program, watch, self.counters(), len(inputs))

    def layers(self, image: Int8) -> Iterator[int]:
        """Runs one inference layer by layer; yields the layer counter at each pause, when tensors can be read."""
        self.device.write(self._loaded().input.address, place_input(self._loaded(), image))
        watch = self._go("start", stop_at_layer=True, single_step=True)
        while watch.ending is Ending.LAYER:
            self._await_pause()
            yield watch.changes[-1][1]
            watch = self._go("resume", stop_at_layer=True, single_step=True, same_run=True)
        self._judge(watch)

    def tensor(self, layout: OutputLayout) -> Int8:
        """A tensor as it lies in memory now, in the model's shape."""
        return unpack_tensor(layout, self.device.read(layout.address, layout.words))

    def counters(self) -> dict[str, int]:
        """The counter registers of the last run, by name."""
        return {name: int(self.device.read(address(name), 1)[0]) for name in COUNTERS}

    def errors(self) -> dict[str, int]:
        """The counters of register ERRORS, by name; they saturate."""
        word = int(self.device.read(address("ERRORS"), 1)[0])
        return {name: value(name, word) for name in ERROR_COUNTERS}

    def close(self) -> None:
        self._process.close()

    def _infer(self, program: Program, image: Int8) -> Watch:
        self.device.write(program.input.address, place_input(program, image))
        watch = self._go("start")
        self._judge(watch)
        return watch if self._flash is None else replace(watch, words_fed=program.stream.size)

    def _go(
        self, action: str, *, single_step: bool = False, stop_at_layer: bool = False, same_run: bool = False
    ) -> Watch:
        word = mask(action) | (mask("single_step") if single_step else 0)
        if self._flash is None:
            word |= mask("stream_host")
        return self.device.run(
            address("CONTROL"), word, self._limit_cycles, stop_at_layer=stop_at_layer, same_run=same_run
        )

    def _await_pause(self) -> None:
        """A resume before the pause would be lost."""
        for _ in range(PAUSE_POLLS):
            status = int(self.device.read(address("STATUS"), 1)[0])
            if value("paused", status) or not value("busy", status):
                return
        raise SimulationError("the engine did not pause after a layer")

    def _judge(self, watch: Watch) -> None:
        """SimulationError unless the engine came to END."""
        status = int(self.device.read(address("STATUS"), 1)[0])
        error, layer = ErrorCode(value("error", status)), value("layer", status)
        if watch.ending is Ending.LIMIT:
            raise SimulationError(
                f"the engine had not ended after {watch.cycles} cycles; layers done: {layer}"
            )
        if error is not ErrorCode.NONE or not value("done", status):
            raise SimulationError(f"the engine stopped with error {error.name}; layers done: {layer}")

    def _source(self, program: Program) -> None:
        """Has the stream ready where it comes from."""
        self.device.feed(self._feed(program), program.stream if self._flash is None else program.stream[:0])
        if self._flash is None:
            return
        image = pack_stream(program.stream)
        check_placement(self._flash.address, image)
        self.device.plug(self._flash, b"\xff" * self._flash.address + image)
        self._set("FLASH_ADDRESS", self._flash.address)
        self._set("FLASH_BLOCKS", program.stream_blocks)

    def _feed(self, program: Program) -> Feed:
        return Feed(
            ring_address=program.ring_base,
            ring_words=program.ring_blocks * RING_BLOCK_WORDS,
            block_words=RING_BLOCK_WORDS,
            free_address=address("STATUS"),
            free_mask=mask("ring_free"),
            commit_address=address("RING_COMMIT"),
            commit_value=1,
            cycles_per_word=self._cycles_per_word,
        )

    def _check_identity(self) -> None:
        found = int(self.device.read(address("ID"), 1)[0])
        if found != IDENTITY:
            raise SimulationError(f"the simulator's ID register reads 0x{found:08x}, not 0x{IDENTITY:08x}")

    def _fill_with_noise(self) -> None:
        rng = np.random.default_rng(self._seed)
        self.device.write(0, rng.integers(0, 2**32, MEMORY_WORDS, dtype=np.uint32))

    def _set(self, register: str, word: int) -> None:
        self.device.write(address(register), [word])

    def _loaded(self) -> Program:
        if self._program is None:
            raise SimulationError("no program is loaded into the simulator")
        return self._program

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
