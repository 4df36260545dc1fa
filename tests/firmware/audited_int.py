"""An int that refuses to leave (-2^30, 2^30).

A 32-bit MicroPython holds such integers without the heap; one that leaves the range would become a bignum there.
"""

import operator
from collections.abc import Callable

LIMIT = 1 << 30


class LeftTheRangeError(AssertionError):
    """An intermediate past 30 bits."""


class Audited(int):
    """Results of its arithmetic are Audited too, also with a plain int on either side."""

    widest = 0

    def __new__(cls, value: int) -> "Audited":
        if not -LIMIT < value < LIMIT:
            raise LeftTheRangeError(f"{int(value)} is outside (-2^30, 2^30)")
        Audited.widest = max(Audited.widest, abs(int(value)))
        return super().__new__(cls, value)


def _forward(function: Callable[[int, int], int]) -> Callable[[int, int], Audited]:
    return lambda self, other: Audited(function(int(self), int(other)))


def _backward(function: Callable[[int, int], int]) -> Callable[[int, int], Audited]:
    return lambda self, other: Audited(function(int(other), int(self)))


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    _function = getattr(operator, f"__{_name}__")
    setattr(Audited, f"__{_name}__", _forward(_function))
    setattr(Audited, f"__r{_name}__", _backward(_function))
for _name in ("neg", "abs", "invert"):
    _unary: Callable[[int], int] = getattr(operator, f"__{_name}__")
    setattr(Audited, f"__{_name}__", lambda self, function=_unary: Audited(function(int(self))))
