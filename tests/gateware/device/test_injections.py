"""A thousand seeded faults between the firmware's driver and the golden accelerator, and in it.

Whatever happens, an answer without a flag is the reference's, every wait ends by its deadline, and the next inference
after the fault works. Upsets of activations are left out: nothing reads them back (docs/accelerator-device.md).
"""

import random
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ascnode_fw.accel import causes
from ascnode_fw.accel.driver import Driver
from ascnode_fw.accel.program import Program
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_gateware.device.faulty import FaultyDevice
from ascnode_gateware.device.rtl import RtlDevice
from ascnode_gateware.program.image import read_image
from firmware.driver.rig import Bus, Rig, case

INJECTIONS = 1000
PARTS = 2  # that a machine's cores share
RUN_FRAMES = 24  # of an inference of digits, and of looking at its weights
START_FRAME = 5  # of them
RUN_US = 140
MOST_WAITED_US = 60_000  # three attempts, each with a deadline of twice its time and some slack
REPAIRED = (causes.HUNG, causes.RESET, causes.WEIGHTS, causes.INPUT)
MOST_FRAMES = 3 * 8 * 40  # three attempts at an inference, eight at each frame


@dataclass
class Seen:
    """What came of the faults."""

    struck: Counter[FaultKind] = field(default_factory=Counter)
    flagged: Counter[int] = field(default_factory=Counter)
    repaired: Counter[int] = field(default_factory=Counter)
    unharmed: int = 0


def fault(rng: random.Random, kind: FaultKind, resident: list[int]) -> Fault:
    frame, seed = rng.randrange(RUN_FRAMES), rng.getrandbits(30)
    if kind in (FaultKind.MOSI, FaultKind.MISO):
        if rng.random() < 0.3:
            return Fault(kind, 0, frames=0, rate=10 ** rng.uniform(-5, -2.5), seed=seed)
        frames, bits, span = rng.randrange(1, 6), rng.randrange(1, 40), rng.choice((18, 18, 60, 1000))
        return Fault(kind, frame, frames=frames, bits=bits, span=span, seed=seed)
    if kind in (FaultKind.STUCK_0, FaultKind.STUCK_1, FaultKind.DROP, FaultKind.CUT, FaultKind.REPEAT):
        return Fault(kind, frame, frames=rng.choice((1, 1, 2, 7, 12, 40)), seed=seed)
    after_us = rng.choice((0, rng.randrange(1, RUN_US)))
    frame = START_FRAME if after_us else frame
    address, bit = rng.choice(resident), rng.randrange(32)
    return Fault(kind, frame, after_us=after_us * (kind != FaultKind.HANG), address=address, bit=bit)


def resident_words(rig: Rig) -> list[int]:
    """Addresses of weights, parameters and jobs, and, a third of all, of the input."""
    program = read_image(rig.case.image)
    words = [at + n for at, segment in program.segments.items() for n in range(len(segment))]
    source = range(program.input.address, program.input.address + program.input.words)
    return words + list(source) * (len(words) // 2 // len(source) + 1)


def inject(
    rig: Rig, rng: random.Random, resident: list[int], data: bytes, following: bytes, seen: Seen
) -> None:
    kinds = [rng.choice(list(FaultKind)) for _ in range(rng.choice((1, 1, 1, 2)))]
    faults = [fault(rng, kind, resident) for kind in kinds]
    rig.device.plant(faults)
    waited, frames, before = rig.bus.waited_us, rig.bus.frames, rig.device.happened.copy()
    code = rig.run(data, following=rng.choice((following, None)))
    assert rig.bus.waited_us - waited < MOST_WAITED_US, faults
    assert rig.bus.frames - frames < MOST_FRAMES, faults
    assert code != causes.OK or bytes(rig.output) == rig.case.answer(data), faults
    seen.struck += rig.device.happened - before
    if code != causes.OK:
        seen.flagged[code] += 1
    elif rig.driver.repairs or rig.driver.resent:
        seen.repaired[rig.driver.repairs] += 1
    else:
        seen.unharmed += 1


@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_is_wrong_without_a_flag(part: int) -> None:
    check(part)


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS, 10 * PARTS))
def test_no_answer_of_ten_thousand_is_wrong_without_a_flag(part: int) -> None:
    check(part)


def test_nor_on_the_verilog(spi_executable: Path) -> None:
    rig = Rig(case())
    with closing(RtlDevice(spi_executable)) as rtl:
        rig.device = FaultyDevice(rtl)
        rig.bus = Bus(rig.device)
        rig.driver = Driver(rig.bus, Program(rig.store, "model.acc"))
        seen = injected(rig, 100, 60)
    assert sum(seen.repaired.values()) > 15 and seen.flagged


def check(part: int) -> None:
    seen = injected(Rig(case()), part, INJECTIONS // PARTS)
    assert set(seen.struck) == set(FaultKind) and min(seen.struck.values()) >= 10
    assert seen.flagged[causes.LINK] and sum(seen.repaired.values()) > INJECTIONS // PARTS // 4
    assert all(any(repairs >> cause & 1 for repairs in seen.repaired) for cause in REPAIRED)


def injected(rig: Rig, part: int, count: int) -> Seen:
    rng, seen = random.Random(part), Seen()
    resident = resident_words(rig)
    inputs = rig.case.inputs(8, seed=part)
    assert rig.right(inputs[0])
    for number in range(count):
        following = inputs[(number + 1) % 8]
        inject(rig, rng, resident, inputs[number % 8], following, seen)
        rig.device.plant([])
        assert rig.right(following), "it does not come back"
    return seen
