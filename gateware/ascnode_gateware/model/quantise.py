"""TFLite Micro's fixed-point arithmetic, in NumPy: multipliers, activation ranges, rescaling.

Source: tensorflow/lite/kernels/internal/quantization_util.cc, common.cc and kernels/kernel_util.cc of
tflite-micro, built with double rounding as its default is.
"""

import math

import numpy as np
import numpy.typing as npt

from ascnode_gateware.model.layers import ModelError

Int64 = npt.NDArray[np.int64]

MIN_SHIFT, MAX_SHIFT = -31, 30  # the contract that TFLite Micro asserts
INT8_MIN, INT8_MAX = -128, 127


def quantise_multiplier(real: float) -> tuple[int, int]:
    """(multiplier, shift) with real = multiplier / 2^31 * 2^shift; a real below 2^-32 becomes (0, 0).

    ModelError when it is negative, not finite, or past MAX_SHIFT.
    """
    if not (math.isfinite(real) and real >= 0):
        raise ModelError(f"a rescaling factor is {real}, but must be finite and not negative")
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift > MAX_SHIFT:
        raise ModelError(f"a rescaling factor of {real:g} is past 2^{MAX_SHIFT}")
    return (multiplier, shift) if shift >= MIN_SHIFT else (0, 0)


def quantise_value(real: float, scale: float, zero_point: int) -> int:
    """The int8-domain number for `real`, unclamped; divides in single precision and rounds half away from zero."""
    quotient = float(np.float32(real) / np.float32(scale))
    return zero_point + int(math.copysign(math.floor(abs(quotient) + 0.5), quotient))


def requantise(acc: Int64, multiplier: Int64, shift: Int64) -> Int64:
    """int32 sums times multiplier / 2^31 * 2^shift, rounded twice; `acc` [..., channels] must hold int32 values.

    A left shift wraps at 32 bits, as the machine code of TFLite Micro does (its C leaves that undefined).
    """
    shifted = acc << np.maximum(shift, 0)
    doubled = (
        wrap_int32(shifted) * multiplier + (1 << 30)
    ) >> 31  # SaturatingRoundingDoublingHighMul, m >= 0
    return rounding_shift(doubled, np.maximum(-shift, 0))


def rounding_shift(values: Int64, right: Int64 | np.int64) -> Int64:
    """gemmlowp's RoundingDivideByPOT: to nearest, halves away from zero; right 0..31."""
    half = (np.int64(1) << right) >> 1
    away = (values < 0) & (right > 0)
    return (values + half - away) >> right


def wrap_int32(values: Int64) -> Int64:
    """The low 32 bits, as a signed number."""
    return values.astype(np.int32).astype(np.int64)
