"""The golden engine behind its registers: START, pauses, errors, counters, and the flash that feeds it."""

import numpy as np

from ascnode_gateware.bus.frames import REGISTERS
from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.jobs import Jobs, Results
from ascnode_gateware.device.memo import Memo
from ascnode_gateware.device.plan import Plan, Planner, Setting
from ascnode_gateware.device.register_file import RegisterFile
from ascnode_gateware.device.run import Controls, Run
from ascnode_gateware.device.stream import StreamBuffer
from ascnode_gateware.program.executor_source import MEMORY_WORDS
from ascnode_gateware.program.flash_blocks import BLOCK_BYTES
from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS
from ascnode_gateware.program.program import Words
from ascnode_gateware.program.timing_model import QUAD_FLASH, StreamSource
from ascnode_gateware.registers.table import ErrorCode

_HOST = StreamSource(cycles_per_word=1)  # what the host has committed is there
_NO_STREAM = np.zeros(0, np.uint32)
_UNKNOWN = np.zeros(1 << 20, np.uint32)  # a host's stream, which is longer than none that fits a flash
_ABSENT_CYCLES, _SINGLE_CYCLES = 330, 490  # until the streamer knows: two or three commands and their gaps
_ATTEMPTS, _ATTEMPT_CYCLES = 4, 700  # of a wrong block: 520 nibbles, and 180 to ask for it again
_BLOCK_CYCLES = 2 * BLOCK_BYTES


class Shared:
    """What devices of one process share: plans and jobs' results, which depend on words alone."""

    def __init__(self) -> None:
        self.planner = Planner()
        self.results: Results = Memo()


class GoldenEngine:
    """Memory, registers and runs. `advance` lets cycles pass; accesses happen at the cycle reached."""

    def __init__(self, flash: FlashChip, clock_hz: int, shared: Shared, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.memory: Words = rng.integers(0, 2**32, MEMORY_WORDS, dtype=np.uint32)
        self.registers = RegisterFile(self._hardware)
        self._flash, self._clock_hz, self._shared = flash, clock_hz, shared
        self._run: Run | None = None
        self._stream = StreamBuffer(_NO_STREAM)
        self._controls = Controls()
        self._from_flash = 0  # blocks that the streamer brings in this run
        self._committed = 0  # blocks in the ring: by the host
        self.now = 0

    @property
    def busy(self) -> bool:
        return self._run is not None and self._run.outcome is None

    @property
    def expected_cycles(self) -> int:
        """Of the run under way or over; 0 before the first."""
        return 0 if self._run is None else self._run.expected_cycles

    @property
    def now_us(self) -> float:
        return self.now * 1e6 / self._clock_hz

    @property
    def holds_flash(self) -> bool:
        """Whether the streamer has the flash's pins."""
        return self.busy and self._arrived() < self._from_flash

    def reset(self) -> None:
        """Memory keeps its contents."""
        self.registers.reset()
        self._run, self._stream, self._committed = None, StreamBuffer(_NO_STREAM), 0
        self._controls, self._from_flash = Controls(), 0

    def advance(self, cycles: int) -> None:
        self.now += cycles
        run = self._run
        if run is None or run.outcome is not None:
            return
        was_paused = run.paused
        run.advance(cycles)
        if run.paused and not was_paused:
            self.registers.raise_flag("irq_paused")
        if run.outcome is not None:
            self._note_end(run.outcome.error)

    # The port's side (spi_port.Bus)

    def read(self, address: int) -> int:
        return self.registers.read(address) if address >= REGISTERS else int(self.memory[address])

    def write(self, address: int, word: int) -> None:
        if address >= REGISTERS:
            self._write_register(address, word)
            return
        self.memory[address] = word
        if self.busy and self._run is not None and self._run.fetches(address):
            self._run.replan(self._plan())

    def crc_error(self) -> None:
        self.registers.count_error("crc_errors")

    def frame_error(self) -> None:
        self.registers.count_error("frame_errors")

    def _write_register(self, address: int, word: int) -> None:
        acts = self.registers.write(address, word)
        values = self.registers.values
        retimed = values["throttle"] != self._controls.throttle
        self._controls.throttle, self._controls.watchdog = values["throttle"], values["watchdog"]
        self._controls.single_step = bool(values["single_step"])
        if self.busy and self._run is not None:
            self._act_on_run(self._run, acts, retimed)
        elif "start" in acts:
            self._start()
        if "ring_commit" in acts:
            self._commit(acts["ring_commit"])

    def _act_on_run(self, run: Run, acts: dict[str, int], retimed: bool) -> None:
        if "abort" in acts:
            run.stop(ErrorCode.ABORTED)
            self._note_end(ErrorCode.ABORTED)
        elif "start" in acts:
            self._start()
        elif "resume" in acts or not self._controls.single_step:
            run.resume()
        if retimed:
            run.replan(self._plan())

    def _note_end(self, code: ErrorCode) -> None:
        self.registers.raise_flag("irq_error" if code else "irq_done")

    # Runs

    def _start(self) -> None:
        values, fails_at = self.registers.values, None
        self._committed, self._from_flash = 0, 0
        self._stream = StreamBuffer(_NO_STREAM)
        if values["flash_blocks"] and not values["stream_host"]:
            fails_at = self._open_flash()
        jobs = Jobs(self.memory, self._stream, self._shared.results)
        self._run = Run(self._plan(), jobs, self._stream, self._controls, fails_at)

    def _open_flash(self) -> tuple[int, ErrorCode] | None:
        """Has the flash's stream; when and how the streamer will fail."""
        if not self._flash.answers(self.now_us):
            return _ABSENT_CYCLES, ErrorCode.FLASH
        if not self._flash.quad:
            return _SINGLE_CYCLES, ErrorCode.FLASH
        self._flash.wake()
        values = self.registers.values
        found = self._flash.stream(values["flash_address"], values["flash_blocks"])
        self._stream.append(found.words)
        self._from_flash = len(found.words) // RING_BLOCK_WORDS
        if found.wrong_block is None:
            return None
        for _ in range(_ATTEMPTS):
            self.registers.count_error("flash_errors")
        begins = QUAD_FLASH.start + _BLOCK_CYCLES * found.wrong_block
        return begins + _ATTEMPTS * _ATTEMPT_CYCLES, ErrorCode.STREAM_CRC

    def _plan(self) -> Plan:
        values, memory = self.registers.values, self.memory
        host = bool(values["stream_host"])
        stream = _UNKNOWN if host else self._stream.words
        key = b"host" if host else self._stream.key
        setting = Setting(
            values["program"],
            values["throttle"],
            values["ring_base"],
            values["ring_blocks"],
            _HOST if host else QUAD_FLASH,
            key,
        )
        return self._shared.planner.plan(memory, setting, stream)

    def _commit(self, blocks: int) -> None:
        """The ring's next blocks, as the host has written them."""
        values = self.registers.values
        ring = values["ring_blocks"]
        for _ in range(blocks if ring else 0):
            place = values["ring_base"] + self._committed % ring * RING_BLOCK_WORDS
            offsets = (place + np.arange(RING_BLOCK_WORDS)) % BANK_WORDS
            self._stream.append(self.memory[offsets + (place & BANK_WORDS)])
            self._committed += 1

    def _arrived(self) -> int:
        """Blocks that the streamer has brought: as fast as the flash gives them, while the ring has room."""
        if self._run is None or not self._from_flash:
            return self._committed
        brought = max(0, self._run.cycles - QUAD_FLASH.start) // _BLOCK_CYCLES
        room = self.registers.values["ring_blocks"] + self._stream.progress // RING_BLOCK_WORDS
        return min(self._from_flash, brought, room)

    def _hardware(self, name: str) -> int:
        """STATUS and counters."""
        if name == "ring_free":
            return self._stream.free_blocks(self.registers.values["ring_blocks"], self._arrived())
        run = self._run
        if run is None:
            return 0
        outcome = run.outcome
        found: dict[str, int] = {
            "busy": outcome is None,
            "done": outcome is not None and not outcome.error,
            "paused": run.paused and outcome is None,
            "error": outcome.error if outcome else 0,
            "layer": run.layers,
            "cycles": run.cycles,
            "stalls": run.stalls,
            "throttled": run.throttled,
            "words": self._stream.progress,
            "pixels": run.pixels,
        }
        return int(found[name])
