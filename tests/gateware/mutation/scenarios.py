"""The fixed set of runs that every mutant goes through until one of them finds it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ascnode_gateware.program.job import BANK_WORDS
from ascnode_gateware.program.timing_model import QUAD_FLASH
from ascnode_gateware.registers.table import OFFSET_BITS, REGISTERS, Access, ErrorCode, Register
from ascnode_gateware.sim.addresses import address, mask, value
from ascnode_gateware.sim.device import Ending
from ascnode_gateware.sim.flash import Flash
from ascnode_gateware.sim.process import SimulationError
from gateware.mutation.bench import HOST, HOST_STREAM, LIMIT, START, Bench, WrongError, expect
from gateware.mutation.cases import (
    LARGE,
    Case,
    copies,
    from_zero,
    largest_sums,
    long_phases,
    maxima,
    random_case,
    rescalings,
    streamed_beside,
)
from gateware.mutation.design import LINK_ADDRESS

Scenario = Callable[[Bench], None]

STEP, RESUME, ABORT, IRQ = (mask(name) for name in ("single_step", "resume", "abort", "irq_enable"))
_LAYERS = 4


def host_run(case: Case, watchdog: int = 16, throttle: int = 0) -> Scenario:
    """A program, its stream from the host."""

    def run(bench: Bench) -> None:
        bench.load(case, watchdog=watchdog, throttle=throttle)
        watch = bench.go(START | HOST)
        bench.check_end(case, watch)
        if not throttle:
            bench.check_cycles(watch, case.cycles(HOST_STREAM))

    return run


def flash_run(case: Case, address: int) -> Scenario:
    """A program, its stream from flash; then again, as a second inference."""

    def run(bench: Bench) -> None:
        for _ in range(2):
            bench.load(case)
            bench.load_flash(case, Flash(address))
            watch = bench.go(START)
            bench.check_end(case, watch)
            bench.check_cycles(watch, case.cycles(QUAD_FLASH))
            expect(value("flash_errors", bench.get("ERRORS")), 0, "ERRORS.flash_errors")

    return run


def shared_flash(bench: Bench) -> None:
    """The flash is taken away again and again, and brings all the same."""
    case = streamed_beside(0x4400, 0x5000)
    bench.load(case)
    bench.load_flash(case, Flash(0xFC, grant_cycles=150, hold_cycles=900))
    bench.check_end(case, bench.go(START))
    expect(bench.device.flash_counts().taken > 0, True, "that the flash was taken away")


def aborted_flash(bench: Bench) -> None:
    """An abort ends the stream too; the next run has it from its beginning."""
    case = streamed_beside(0x2400, 0x0400)
    bench.load(case)
    bench.load_flash(case)
    for cycles in (300, 450, 1_800):
        bench.go(START, cycles)
        expect(bench.go(ABORT, 100, again=True).ending.name, "IDLE", "the end of an aborted run")
        bench.check_status(busy=0, done=0, error=ErrorCode.ABORTED)
    bench.check_end(case, bench.go(START))


def started_again(bench: Bench) -> None:
    """A START in the middle of a run is one from the beginning; the pass, drain and words under way are no more."""
    case = streamed_beside(0x4400, 0x5000)
    bench.load(case)
    for cycles in (23, 33, 71, 301, 650, 1_500, 202):
        bench.go(START | HOST, cycles)
    for cycles in range(640, 700, 5):  # in some of them a counter has an event that it has not added yet
        bench.go(START | HOST, cycles)
        bench.check_end(case, bench.go(START | HOST))
    for cycles in (40, 290, 700, 140):  # the last of each in the middle of a long pass
        bench.go(START | HOST, cycles)
        bench.go(ABORT | HOST, 10, again=True)
    bench.check_end(case, bench.go(START | HOST))


def spoiled_flash(bench: Bench) -> None:
    """A block whose CRC is wrong four times ends the run with its error."""
    case = copies(2, stream=1)
    bench.load(case)
    bench.load_flash(case, spoiled=True)
    expect(bench.go(START | IRQ).ending.name, "INTERRUPT", "the end of the run")
    bench.device.idle(50)  # while the bus carries noise
    bench.check_status(busy=0, done=0, error=ErrorCode.STREAM_CRC, layer=0)
    expect(bench.get("IRQ"), mask("irq_error"), "IRQ")
    expect(value("flash_errors", bench.get("ERRORS")), 4, "ERRORS.flash_errors")
    bench.set("ERRORS", 0)
    expect(bench.get("ERRORS"), 0, "ERRORS after it was cleared")


def by_layer(bench: Bench) -> None:
    """Single steps: each pause shows one more layer written, and nothing of the next."""
    case, control = copies(_LAYERS), STEP | IRQ
    bench.load(case)
    watch = bench.go(START | control)
    for done in range(1, _LAYERS + 1):
        expect(watch.ending.name, "INTERRUPT", "the pause")
        bench.check_status(busy=1, done=0, paused=1, error=0, layer=done)
        expect(bench.get("IRQ"), mask("irq_paused"), "IRQ")
        bench.device.idle(5_000)  # a pause is no reason for the watchdog
        bench.device.write(0x0100, [0xFFFF_FFFF])  # nor is what is meant for others a resume
        bench.device.write(0x0100, [0])
        bench.device.idle(50)
        bench.check_status(paused=1, layer=done)
        _check_copies(bench, case, done)
        bench.set("IRQ", mask("irq_paused"))
        watch = bench.go(RESUME | control, again=True)
    bench.check_end(case, watch, Ending.INTERRUPT)
    expect(bench.get("IRQ"), mask("irq_done"), "IRQ")


def _check_copies(bench: Bench, case: Case, done: int) -> None:
    here = slice(0x4140, 0x4140 + 64 * _LAYERS)
    wanted = case.result.memory[here].copy()
    wanted[64 * done :] = case.memory[here][64 * done :]
    expect(bench.device.read(here.start, len(wanted)).tolist(), wanted.tolist(), f"what {done} layers wrote")


def aborts(bench: Bench) -> None:
    """An abort ends a run in any place; what is run after it is right."""
    first, second = random_case(7, LARGE), random_case(4)
    for cycles in (40, 401, 702, 1403, 2204):
        bench.load(first)
        bench.go(START | HOST, cycles)
        expect(bench.go(ABORT | HOST, 100, again=True).ending.name, "IDLE", "the end of an aborted run")
        bench.check_status(busy=0, done=0, error=ErrorCode.ABORTED, ring_free=first.ring_blocks)
        bench.load(second)
        bench.check_end(second, bench.go(START | HOST))


def starved(bench: Bench) -> None:
    """A stream that does not come ends in the watchdog's error, when it should; without a watchdog never."""
    case = copies(1, stream=1)
    bench.load(case, watchdog=5)
    bench.take_stream(case)
    watch = bench.go(START | HOST)
    expect(6 * 256 <= watch.cycles <= 6 * 256 + 40, True, f"an end in time, at {watch.cycles} cycles,")
    bench.check_status(busy=0, done=0, error=ErrorCode.WATCHDOG, layer=0)
    bench.set("WATCHDOG", 0)
    expect(bench.go(START | HOST, 3_000).ending.name, "LIMIT", "without a watchdog the end")
    bench.go(ABORT | HOST, 100, again=True)
    bench.check_status(ring_free=case.ring_blocks)


def throttled(bench: Bench) -> None:
    """THROTTLE takes its part of the cycles in which a pass has words left, and changes no result."""
    case = long_phases()
    for throttle in (1, 102, 203):
        bench.load(case, throttle=throttle)
        bench.check_end(case, bench.go(START))
        bench.check_throttle(throttle)


def unknown_opcode(bench: Bench) -> None:
    """The job before it is written, perhaps; nothing after it is."""
    case = copies(2)
    memory = case.memory.copy()
    memory[case.program + 12] |= 3
    bench.load(replace(case, memory=memory))
    expect(bench.go(START).ending.name, "IDLE", "the end of the run")
    bench.check_status(busy=0, done=0, error=ErrorCode.OPCODE)


def host_beside(case: Case, from_flash: bool) -> Scenario:
    """The host reads and writes memory while the engine runs and blocks arrive: none disturbs another."""

    def run(bench: Bench) -> None:
        bench.load(case)
        if from_flash:
            bench.load_flash(case)
        control = 0 if from_flash else HOST
        watch = bench.go(START | control, 90)
        for _ in range(LIMIT // 90):
            if watch.ending is not Ending.LIMIT:
                break
            for at in _untouched(case):
                words = case.memory[at : at + 9]
                expect(bench.device.read(at, 9).tolist(), words.tolist(), "what the host reads beside a run")
                bench.device.write(at, words)
            watch = bench.go(control, 90, again=True)
        bench.check_end(case, watch)

    return run


def _untouched(case: Case) -> list[int]:
    """In each half of each bank an address behind which a run changes nothing."""
    changed = np.flatnonzero((case.memory != case.result.memory) | ~case.settled)
    free = [at for at in range(0, 4 * _HALF, 64) if not ((at <= changed) & (changed < at + 64)).any()]
    return [next(at for at in free if at // _HALF == half) for half in range(4)]


_HALF = BANK_WORDS // 2


def registers(bench: Bench) -> None:
    """Each reads as the table has it: a constant, what was written, 0 where it is only written, or there is none."""
    for register in REGISTERS:
        if all(field.access is Access.CONSTANT for field in register.fields):
            expect(bench.get(register.name), _after_reset(register), register.name)
        if not any(field.readable for field in register.fields):
            expect(bench.get(register.name), 0, register.name)
    for offset in {*range(1 << OFFSET_BITS)} - {register.offset for register in REGISTERS}:
        expect(int(bench.device.read(0x8000 + offset, 1)[0]), 0, f"the word at offset {offset}")
    for ones in (0x5A5A_A5A4, 0xA5A5_5A5A):
        for register in REGISTERS:
            bench.set(register.name, ones & _held(register))
        for register in REGISTERS:
            if held := _held(register):
                expect(bench.get(register.name) & held, ones & held, register.name)
    held = STEP | IRQ | HOST
    bench.set("CONTROL", held)
    bench.device.write(address("CONTROL") + 0x20, [0])
    expect(bench.get("CONTROL"), held, "CONTROL")


def _held(register: Register) -> int:
    return sum(field.mask for field in register.fields if field.access is Access.HELD)


def after_reset(bench: Bench) -> None:
    """Registers that were full of ones have their reset values, and a program runs that needs no others."""
    for register in REGISTERS:
        bench.set(register.name, 0xFFFF_FFFF & ~START)
    bench.device.reset()
    for name in ("CONTROL", "IRQ", "ERRORS"):
        expect(bench.get(name), 0, f"{name} after a reset")
    case = from_zero()
    bench.device.write(0, case.memory)
    bench.check_end(case, bench.go(START))


def link_errors(bench: Bench) -> None:
    """The errors of the port in front are counted, until a counter is full."""
    bench.set("ERRORS", 0)
    _tell_errors(bench, crc=1, frame=9)
    expect(bench.get("ERRORS"), 1 << 0 | 9 << 8, "ERRORS")
    _tell_errors(bench, crc=0, frame=9)
    expect(bench.get("ERRORS"), 1 << 0 | mask("frame_errors"), "ERRORS at one's end")
    _tell_errors(bench, crc=13, frame=0)
    expect(bench.get("ERRORS"), 14 << 0 | mask("frame_errors"), "ERRORS before the other's end")
    _tell_errors(bench, crc=2, frame=0)
    expect(bench.get("ERRORS"), mask("crc_errors") | mask("frame_errors"), "ERRORS at both ends")


def _tell_errors(bench: Bench, crc: int, frame: int) -> None:
    for kind in [1] * crc + [2] * frame:
        bench.device.write(LINK_ADDRESS, [kind])
    bench.device.idle(2)


def _after_reset(register: Register) -> int:
    return sum(field.reset << field.low for field in register.fields)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        **{f"random {seed}": host_run(random_case(seed)) for seed in (0, 7, 14)},
        "barriers": host_run(copies(_LAYERS)),
        "rescalings": host_run(rescalings(480)),
        "maxima": host_run(maxima(24)),
        "largest sums": host_run(largest_sums()),
        "long phases": host_run(long_phases(), watchdog=1),
        "flash beside 1": flash_run(streamed_beside(0x4400, 0x5000), 0x40),
        "flash beside 0": flash_run(streamed_beside(0x2400, 0x0400), 0x40),
        "single steps": by_layer,
        "starved stream": starved,
        "throttle": throttled,
        "throttled 13": host_run(random_case(13), throttle=90),
        "host beside 7": host_beside(random_case(7), from_flash=False),
        "host beside flash": host_beside(streamed_beside(0x4400, 0x5000), from_flash=True),
        "registers": registers,
        "reset": after_reset,
        "link errors": link_errors,
        "unknown opcode": unknown_opcode,
        "spoiled flash": spoiled_flash,
        # Addresses that carry, from words to pages and through pages.
        "flash 19": flash_run(random_case(19), 0xF4),
        "flash 39": flash_run(random_case(39), 0x3FFEF4),
        "shared flash": shared_flash,
        "aborted flash": aborted_flash,
        "started again": started_again,
        **{f"large {seed}": host_run(random_case(seed, LARGE)) for seed in (7, 8)},
        "aborts": aborts,
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
