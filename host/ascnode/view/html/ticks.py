"""Where an axis has its marks, and how they read."""

import itertools
import math
from collections.abc import Sequence

_TIME_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY_S = 86_400
_SHORT_S = 1200  # up to here an axis counts seconds


def value_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten) that reach from at most `low` to at least `high`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def time_ticks(start_s: float, end_s: float, most: int = 8) -> list[float]:
    """Round times within start_s..end_s."""
    rough = (end_s - start_s) / most
    step = next((step for step in _TIME_STEPS_S if step >= rough), math.ceil(rough / _DAY_S) * _DAY_S)
    first = math.ceil(start_s / step)
    return [float(i * step) for i in range(first, math.floor(end_s / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within low..high, with twice and five times them where those are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 3 else (1,)
    ticks = (10.0**power * factor for power in range(first, last + 1) for factor in factors)
    return [tick for tick in ticks if low <= tick <= high]


def told(values: Sequence[float]) -> list[str]:
    """Numbers with as many decimals as their steps need."""
    step = min((b - a for a, b in itertools.pairwise(values)), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    return [f"{value:,.{decimals}f}" for value in values]


def time_told(t_s: float, span_s: float) -> str:
    """A time on an axis of that length: seconds on a short one, h:mm on others, days before it past the first."""
    if span_s <= _SHORT_S:
        return f"{t_s:g} s"
    minutes = round(t_s / 60)
    days, minutes = divmod(minutes, 1440)
    return f"{f'{days} d ' if days else ''}{minutes // 60}:{minutes % 60:02d}"
