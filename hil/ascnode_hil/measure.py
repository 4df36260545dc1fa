"""Measured values with units and limits, and what their limits make of them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One value. It fails outside low..high; it is marginal inside, but beyond `marginal_low` or `marginal_high`."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    marginal_low: float | None = None
    marginal_high: float | None = None

    @property
    def outcome(self) -> str:
        """pass, marginal or fail; not-a-number fails."""
        if math.isnan(self.value) or _beyond(self.value, self.low, self.high):
            return "fail"
        return "marginal" if _beyond(self.value, self.marginal_low, self.marginal_high) else "pass"

    def __str__(self) -> str:
        limits = [
            *([f"at least {self.low:g}"] if self.low is not None else []),
            *([f"at most {self.high:g}"] if self.high is not None else []),
        ]
        text = f"{self.name} = {self.value:.6g} {self.unit}".rstrip()
        return f"{text} ({' and '.join(limits)})" if limits else text


def measurement(
    name: str,
    value: float,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    marginal: float | tuple[float, float] | None = None,
) -> Measurement:
    """A measurement; `marginal` is the inner limit on the side that has one, (low, high) when both have.

    ValueError when the limits contradict each other.
    """
    inner_low, inner_high = _inner(low, high, marginal)
    for below, above in ((low, high), (low, inner_low), (inner_high, high), (inner_low, inner_high)):
        if below is not None and above is not None and below > above:
            raise ValueError(f"{name}: a limit of {below:g} lies above one of {above:g}")
    return Measurement(name, float(value), unit, low, high, inner_low, inner_high)


def _inner(
    low: float | None, high: float | None, marginal: float | tuple[float, float] | None
) -> tuple[float | None, float | None]:
    if marginal is None:
        return None, None
    if isinstance(marginal, tuple):
        return marginal
    if (low is None) == (high is None):
        raise ValueError("one marginal limit goes with one limit: give (low, high) with two")
    return (marginal, None) if low is not None else (None, marginal)


def _beyond(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)
