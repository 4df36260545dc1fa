"""What happens to packets and frames on their way: bit errors, bursts, loss, copies, wrong order, delay.

Every decision is drawn from (seed, fault, direction, number of the packet), never from a running generator: a packet
that is put on the way again, since an exchange ended before its time, meets the same fate.
"""

import hashlib
import math
import random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Effect = Literal["bit_errors", "burst", "drop", "duplicate", "reorder", "delay", "cut"]
Rate = Annotated[float, Field(ge=0, le=1)]


class Noise(BaseModel):
    """One effect: `rate` is a share of bits for bit_errors, else a share of packets; a cut takes all.

    A burst flips each of `burst_bits` bits in a row with probability 1/2; a delay is `delay_s` of the packet's own time
    (simulated for radio, wall for a wire); one out of order changes places with the next.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    effect: Effect
    rate: Rate = 1.0
    burst_bits: Annotated[int, Field(ge=1, le=8192)] = 32
    delay_s: Annotated[float, Field(gt=0)] = 1.0


def generator(*names: object) -> random.Random:
    """A seeded generator for what these names name."""
    digest = hashlib.sha256(" ".join(map(str, names)).encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def flip(data: bytes, rate: float, rng: random.Random) -> bytes:
    """Each bit flipped with that probability."""
    out = bytearray(data)
    at = _gap(rate, rng)
    while at < 8 * len(out):
        out[at // 8] ^= 0x80 >> at % 8
        at += 1 + _gap(rate, rng)
    return bytes(out)


def burst(data: bytes, bits: int, rng: random.Random) -> bytes:
    """That many bits in a row, from a place by chance, replaced by chance."""
    out = bytearray(data)
    start = rng.randrange(8 * len(out)) if out else 0
    for at in range(start, min(start + bits, 8 * len(out))):
        out[at // 8] ^= rng.getrandbits(1) << 7 - at % 8
    return bytes(out)


def _gap(rate: float, rng: random.Random) -> int:
    # Whole bits before the next error: geometric, so that a rate of 1e-6 costs no draw a bit.
    if rate >= 1:
        return 0
    if rate <= 0:
        return 1 << 62
    return int(math.log(1 - rng.random()) / math.log1p(-rate))


def hits(noise: Noise, rng: random.Random) -> bool:
    """Whether a packet is hit at all; a share of bits is drawn bit by bit."""
    return noise.effect in ("cut", "bit_errors") or rng.random() < noise.rate


def damaged(noise: Noise, data: bytes, rng: random.Random) -> bytes:
    """The packet after bit errors or a burst; unchanged by the other effects."""
    if noise.effect == "bit_errors":
        return flip(data, noise.rate, rng)
    if noise.effect == "burst":
        return burst(data, noise.burst_bits, rng)
    return data
