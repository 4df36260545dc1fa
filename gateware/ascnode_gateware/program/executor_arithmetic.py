"""The drain's arithmetic in NumPy, and what a program that cannot run raises; source: docs/accelerator.md.

int64 throughout: int32 times what any digits stand for, and int32 shifted left by 31, stay below 2^63.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.parameters import DIGITS

Words = npt.NDArray[np.uint32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_MINUS_ONE = 3
_DIGIT_VALUES = np.array([0, 1, 2, -1], np.int64)
_PLACES = np.int64(1) << 2 * np.arange(DIGITS, dtype=np.int64)


class ExecutionError(ValueError):
    """A program that the engine cannot run, or whose result its contract leaves open; one sentence."""


@dataclass(frozen=True, eq=False)
class Scale:
    """How channels rescale: int64 [channels] each; shifts in bits, one of the two is 0.

    `missed` is what the engine's product lacks: a highest digit of -1, which no multiplier has.
    """

    multiplier: Int64
    left: Int64
    right: Int64
    zero_point: Int64
    low: Int64
    high: Int64
    missed: Int64 | int = 0


def wrap32(values: Int64) -> Int64:
    """The low 32 bits, as signed numbers."""
    return values.astype(np.int32).astype(np.int64)


def signed32(words: Words) -> Int64:
    """Words as signed numbers."""
    return np.asarray(words, np.uint32).view(np.int32).astype(np.int64)


def scale_of(digits: Words, control: Words) -> Scale:
    """The scales in multiplier words and shift words, [channels] each."""
    shift, left = (control & 31).astype(np.int64), (control >> 5 & 1).astype(np.int64)
    return Scale(
        multiplier=_multipliers(digits),
        left=shift * left,
        right=shift * (1 - left),
        zero_point=_byte(control, 1),
        low=_byte(control, 2),
        high=_byte(control, 3),
        missed=np.where(digits >> 2 * (DIGITS - 1) == _MINUS_ONE, _PLACES[-1], 0),
    )


def wrong_digits(digits: Words) -> str:
    """What is wrong about the first word that stands for no multiplier; empty when all do."""
    for word, value in zip(digits.tolist(), _multipliers(digits).tolist(), strict=True):
        if not 0 <= value < 1 << 31:
            return f"digits {word:#010x} stand for {value}, outside 0..2^31-1"
    return ""


def rescale(x: Int64, scale: Scale) -> Int64:
    """int32 values [..., channels] to bytes: left shift, multiplication, right shift, zero point, clamp."""
    x = wrap32(x << scale.left)
    v = wrap32((x * scale.multiplier - scale.missed + (1 << 30)) >> 31)
    half = (np.int64(1) << scale.right) >> 1
    v = (v + half - ((v < 0) & (scale.right > 0))) >> scale.right
    v = v + scale.zero_point
    clamped: Int64 = np.where(v < scale.low, scale.low, np.minimum(v, scale.high))
    return clamped


def _multipliers(digits: Words) -> Int64:
    places = digits[:, np.newaxis] >> np.arange(0, 2 * DIGITS, 2, dtype=np.uint32) & 3
    values: Int64 = (_DIGIT_VALUES[places] * _PLACES).sum(axis=1)
    return values


def _byte(words: Words, index: int) -> Int64:
    return np.asarray(words >> 8 * index & 0xFF).astype(np.uint8).view(np.int8).astype(np.int64)
