"""The fixed set of runs that every mutant goes through until one of them finds it."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np

from ascnode_gateware.program.timing_model import QUAD_FLASH, StreamSource
from ascnode_gateware.registers.table import REGISTERS, Access, ErrorCode
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Ending
from ascnode_gateware.sim.process import SimulationError
from gateware.mutation.bench import FEED_CYCLES_PER_WORD, HOST, START, Bench, Case, WrongError, expect
from gateware.program.programs import (
    IDENTITY_BLOCK,
    PROGRAM,
    WEIGHTS,
    copy_job,
    group_words,
    memory_with,
)
from gateware.program.random_jobs import Sizes

Scenario = Callable[[Bench], None]

LIMIT = 60_000
SMALL, LARGE = Sizes(jobs=3, outputs=40, cycles=2_500), Sizes(jobs=4, outputs=256, cycles=12_000)
HOST_STREAM = StreamSource(cycles_per_word=FEED_CYCLES_PER_WORD, extra_words=1)
RING = range(0x7000, 0x7080)
NO_STREAM = np.zeros(0, np.uint32)
STEP, RESUME, ABORT, IRQ = (mask(name) for name in ("single_step", "resume", "abort", "irq_enable"))


@cache
def random_case(seed: int, sizes: Sizes) -> Case:
    return Case.random(seed, sizes)


@cache
def copies(layers: int, **fields: int) -> Case:
    """Each layer copies 60 words of its own to the next."""
    jobs = [
        copy_job(
            input=0x4100 + 64 * n,
            output=0x4140 + 64 * n,
            cols_less_1=59,
            width=60,
            layer_end=1,
            barrier=1,
            **fields,
        )
        for n in range(layers)
    ]
    words = group_words(IDENTITY_BLOCK)
    memory = memory_with(jobs, {WEIGHTS: words, 0x4100: [0x01020304 * n for n in range(60)]})
    stream = np.resize(np.array(words, np.uint32), 64) if fields.get("stream") else NO_STREAM
    return Case(memory, PROGRAM, stream, RING)


def host_run(seed: int, sizes: Sizes, throttle: int = 0) -> Scenario:
    """A random program, its stream from the host."""

    def run(bench: Bench) -> None:
        case = random_case(seed, sizes)
        bench.load(case, throttle=throttle)
        watch = bench.go(START | HOST, LIMIT)
        bench.check_end(case, watch)
        if throttle:
            bench.check_throttle(throttle)
        else:
            bench.check_cycles(watch, case.cycles(HOST_STREAM))

    return run


def flash_run(seed: int, at_byte: int) -> Scenario:
    """A random program, its stream from flash; then again, from there, as a second inference would."""

    def run(bench: Bench) -> None:
        case = random_case(seed, SMALL)
        for _ in range(2):
            bench.load(case)
            bench.load_flash(case, at_byte)
            watch = bench.go(START, LIMIT)
            bench.check_end(case, watch)
            bench.check_cycles(watch, case.cycles(QUAD_FLASH))
            expect(value("flash_errors", bench.get("ERRORS")), 0, "ERRORS.flash_errors")

    return run


def spoiled_flash(bench: Bench) -> None:
    """A block whose CRC is wrong four times ends the run with its error."""
    case = copies(2, stream=1)
    bench.load(case)
    bench.load_flash(case, 0, spoiled=True)
    bench.set("IRQ", 7)
    bench.set("ERRORS", 0)
    watch = bench.go(START | IRQ, LIMIT)
    expect(watch.ending.name, "INTERRUPT", "the end of the run")
    bench.check_status(busy=0, done=0, error=ErrorCode.STREAM_CRC, layer=0)
    expect(bench.get("IRQ"), mask("irq_error"), "IRQ")
    expect(value("flash_errors", bench.get("ERRORS")), 4, "ERRORS.flash_errors")


def by_layer(bench: Bench) -> None:
    """Single steps: each pause shows one more layer written, and nothing of the next."""
    case = copies(5)
    bench.load(case)
    bench.set("IRQ", 7)
    control = STEP | IRQ
    bench.go(START | control, LIMIT)
    for done in range(1, 6):
        bench.check_status(busy=1, done=0, paused=1, error=0, layer=done)
        expect(bench.get("IRQ"), mask("irq_paused"), "IRQ")
        _check_copies(bench, case, done)
        bench.device.idle(9_000)  # a pause is no reason for the watchdog
        bench.set("IRQ", mask("irq_paused"))
        watch = bench.go(RESUME | control, LIMIT, again=True)
    bench.check_end(case, watch, Ending.INTERRUPT)
    expect(bench.get("IRQ"), mask("irq_done"), "IRQ")


def _check_copies(bench: Bench, case: Case, done: int) -> None:
    found = bench.device.read(0x4140, 64 * 5)
    wanted = case.result.memory[0x4140 : 0x4140 + 64 * 5].copy()
    wanted[64 * done :] = case.memory[0x4140 + 64 * done : 0x4140 + 64 * 5]
    expect(found.tolist(), wanted.tolist(), f"what {done} layers wrote")


def aborted(bench: Bench) -> None:
    """An abort ends a run in any place; what is run after it is right."""
    first, second = random_case(7, LARGE), random_case(4, SMALL)
    for cycles in (40, 401, 702, 1403, 2204):
        bench.load(first)
        bench.go(START | HOST, cycles)
        watch = bench.go(ABORT | HOST, 100, again=True)
        expect(watch.ending.name, "IDLE", "the end of an aborted run")
        bench.check_status(busy=0, done=0, error=ErrorCode.ABORTED, ring_free=len(first.ring) // 64)
        bench.load(second)
        bench.check_end(second, bench.go(START | HOST, LIMIT))


def starved(bench: Bench) -> None:
    """A stream that does not come ends in the watchdog's error, when it should; without a watchdog never."""
    case = copies(1, stream=1)
    bench.load(case, watchdog=3)
    bench.device.feed(bench.plan(case), NO_STREAM)
    watch = bench.go(START | HOST, LIMIT)
    expect(3 * 256 <= watch.cycles <= 3 * 256 + 40, True, f"in time: {watch.cycles} cycles")
    bench.check_status(busy=0, done=0, error=ErrorCode.WATCHDOG, layer=0)
    bench.set("WATCHDOG", 0)
    expect(bench.go(START | HOST, 3_000).ending.name, "LIMIT", "without a watchdog the end")
    bench.go(ABORT | HOST, 100, again=True)


def bad_opcode(bench: Bench) -> None:
    case = copies(2)
    memory = case.memory.copy()
    memory[PROGRAM + 12] |= 3
    bench.load(Case(memory, case.program, case.stream, case.ring))
    expect(bench.go(START, LIMIT).ending.name, "IDLE", "the end of the run")
    bench.check_status(busy=0, done=0, error=ErrorCode.OPCODE)


def beside_a_run(bench: Bench) -> None:
    """The host reads and writes memory while the engine runs: neither disturbs the other."""
    case = random_case(7, SMALL)
    spare = [n for n in (0x0100, 0x4F00) if n not in case.ring]
    bench.load(case)
    watch = bench.go(START | HOST, 300)
    words = np.arange(5, dtype=np.uint32) * 0x01234567
    while watch.ending is Ending.LIMIT:
        for at in spare:
            before = bench.device.read(at, 5)
            bench.device.write(at, words)
            expect(bench.device.read(at, 5).tolist(), words.tolist(), "what the host wrote beside a run")
            bench.device.write(at, before)
        watch = bench.go(RESUME | HOST, 300, again=True)
    bench.check_end(case, watch)


def registers(bench: Bench) -> None:
    """ID and VERSION read as the table has them; nothing else answers, and what is only written reads 0."""
    for register in REGISTERS:
        if all(field.access is Access.CONSTANT for field in register.fields):
            wanted = sum(field.reset << field.low for field in register.fields)
            expect(bench.get(register.name), wanted, register.name)
        if all(not field.readable for field in register.fields):
            bench.set(register.name, 0)
            expect(bench.get(register.name), 0, register.name)
    held = STEP | IRQ | HOST
    bench.set("CONTROL", held)
    expect(bench.get("CONTROL"), held, "CONTROL")
    bench.device.write(address("CONTROL") + 0x20, [0])
    expect(bench.get("CONTROL"), held, "CONTROL after a write beside it")
    expect(int(bench.device.read(0x8040, 1)[0]), 0, "what no register answers")
    bench.set("CONTROL", 0)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "registers": registers,
        "single steps": by_layer,
        "a starved stream": starved,
        "an unknown opcode": bad_opcode,
        "a spoiled flash": spoiled_flash,
        "aborts": aborted,
        "a host beside a run": beside_a_run,
        **{f"random {seed}": host_run(seed, SMALL) for seed in (0, 7, 14)},
        **{f"large {seed}": host_run(seed, LARGE) for seed in (7, 8)},
        "throttled": host_run(5, SMALL, throttle=100),
        "flash": flash_run(0, 0x40),
    }
)


def caught_by(bench: Bench) -> tuple[str, str] | None:
    """The first scenario that finds a fault, and its sentence; None when all is right."""
    for name, scenario in SCENARIOS.items():
        try:
            scenario(bench)
        except (WrongError, SimulationError) as wrong:
            return name, str(wrong)
    return None
