"""Seeded frames as a host and a bad wire may send them: whole, damaged, cut, too long, repeated, or none at all."""

import random
from collections.abc import Iterator

from ascnode_gateware.bus.frames import MAX_WORDS, REGISTERS, read_request, with_crc, write_request
from ascnode_gateware.sim.addresses import address

# Registers whose answers do not depend on how many cycles have passed.
STEADY = ("ID", "VERSION", "CONTROL", "IRQ", "PROGRAM", "ERRORS", "THROTTLE", "WATCHDOG", "RING_COMMIT")
SETTABLE = ("IRQ", "PROGRAM", "THROTTLE", "WATCHDOG", "ERRORS", "FLASH_ADDRESS", "FLASH_BLOCKS")
NO_REGISTER = REGISTERS + 0x300
MEMORY_WORDS = 0x8000


def random_frames(seed: int, count: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    last = _valid(rng)
    for _ in range(count):
        kind = rng.choices(
            ("new", "again", "damaged", "cut", "long", "junk", "opcode"), (8, 2, 3, 3, 1, 1, 1)
        )[0]
        frame = last if kind == "again" else _valid(rng)
        if kind in ("new", "again"):
            last = frame
        yield _spoilt(rng, kind, frame)


def _valid(rng: random.Random) -> bytes:
    sequence, kind = rng.randrange(16), rng.randrange(5)
    if kind == 0:
        return read_request(sequence, address(rng.choice(STEADY)), 1).encode()
    if kind == 1:
        where = rng.choice([address(name) for name in SETTABLE] + [NO_REGISTER])
        return write_request(sequence, where, [rng.getrandbits(32)]).encode()
    if kind == 2:
        return read_request(sequence, NO_REGISTER, rng.randrange(4)).encode()
    count = rng.choice((0, 1, 2, 5, 30, MAX_WORDS))
    at = rng.randrange(MEMORY_WORDS - count)
    if kind == 3:
        return read_request(sequence, at, count).encode()
    return write_request(sequence, at, [rng.getrandbits(32) for _ in range(count)]).encode()


def _spoilt(rng: random.Random, kind: str, frame: bytes) -> bytes:
    if kind == "damaged":
        spoilt = bytearray(frame)
        for _ in range(rng.choice((1, 1, 2, 9))):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        return bytes(spoilt)
    if kind == "cut":
        return frame[: rng.randrange(len(frame))]
    if kind == "long":
        return frame + rng.randbytes(rng.randrange(1, 9))
    if kind == "junk":
        return rng.randbytes(rng.randrange(60))
    if kind == "opcode":
        return with_crc(rng.randbytes(4)) + rng.randbytes(30)
    return frame


def in_parts(seed: int, frame: bytes) -> Iterator[bytes]:
    rng, at = random.Random(seed), 0
    while at < len(frame):
        step = rng.choice((1, 1, 2, 7, 40))
        yield frame[at : at + step]
        at += step
