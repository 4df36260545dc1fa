"""When are functions of time positive? For many at once: eclipses and passes are found with it.

A grid finds the peaks, each peak is refined, and the zero crossings on both sides of a positive one are
bisected. So a span far shorter than the grid step is found too, as long as a function has one peak in two
steps.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ascnode.sky.vectors import Floats, Integers

# f(t_s, row): the value of function `row` at t_s; both arrays broadcast.
RowFunction = Callable[[Floats, Integers], Floats]

_FRACTIONS = np.linspace(0.0, 1.0, 9)
_PEAK_ROUNDS = 13  # each round keeps a quarter of the bracket: 1e-6 s of a minute
_BISECTIONS = 45  # 1e-9 s of a day


@dataclass(frozen=True)
class Span:
    """Function `row` is positive from start_s to end_s and highest, with value `peak`, at peak_s."""

    row: int
    start_s: float
    end_s: float
    peak_s: float
    peak: float


def positive_spans(
    function: RowFunction, rows: int, start_s: float, end_s: float, step_s: float
) -> list[Span]:
    """All spans of functions 0..rows-1 within start_s..end_s, cut at its ends, ordered by start and row.

    Instants are good to a microsecond. step_s bounds the grid: a function may have one peak in two steps.
    """
    grid = np.linspace(start_s, end_s, max(2, math.ceil((end_s - start_s) / step_s)) + 1)
    values = function(grid[np.newaxis, :], np.arange(rows)[:, np.newaxis])
    row, peak_s, peak = _peaks(function, grid, values)
    before, after = _negative_neighbours(values, row, _cell(grid, peak_s))
    starts = _edges(function, row, grid, before, peak_s, start_s)
    ends = _edges(function, row, grid, after, peak_s, end_s)
    highest: dict[tuple[int, int], Span] = {}
    for i in np.argsort(peak):  # two peaks of one span: the higher comes later and stays
        span = Span(int(row[i]), float(starts[i]), float(ends[i]), float(peak_s[i]), float(peak[i]))
        highest[span.row, int(before[i])] = span
    return sorted(highest.values(), key=lambda span: (span.start_s, span.row))


def _peaks(function: RowFunction, grid: Floats, values: Floats) -> tuple[Integers, Floats, Floats]:
    """Row, instant and value of each positive peak, refined between the grid points beside it."""
    padded = np.pad(values, ((0, 0), (1, 1)), constant_values=-np.inf)
    row, column = np.nonzero((values >= padded[:, :-2]) & (values >= padded[:, 2:]))
    low, high = grid[np.maximum(column - 1, 0)], grid[np.minimum(column + 1, len(grid) - 1)]
    each = np.arange(len(row))
    for _ in range(_PEAK_ROUNDS):
        t = low[:, np.newaxis] + (high - low)[:, np.newaxis] * _FRACTIONS
        best = np.argmax(function(t, row[:, np.newaxis]), axis=1)
        low, high = t[each, np.maximum(best - 1, 0)], t[each, np.minimum(best + 1, len(_FRACTIONS) - 1)]
    peak_s = (low + high) / 2
    peak = function(peak_s, row)
    positive = peak > 0
    return row[positive], peak_s[positive], peak[positive]


def _cell(grid: Floats, t: Floats) -> Integers:
    """Index of the grid point at or before each t that has another one after it."""
    return np.clip(np.searchsorted(grid, t, side="right") - 1, 0, len(grid) - 2)


def _negative_neighbours(values: Floats, row: Integers, cell: Integers) -> tuple[Integers, Integers]:
    """Nearest grid points not above zero, at or before `cell` and after it; -1 where there is none."""
    count = values.shape[1]
    index = np.arange(count)
    negative = values <= 0
    last = np.maximum.accumulate(np.where(negative, index, -1), axis=1)
    following = np.where(negative, index, count)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    after = following[row, cell + 1]
    return last[row, cell], np.where(after == count, -1, after)


def _edges(
    function: RowFunction, row: Integers, grid: Floats, outside: Integers, inside: Floats, limit_s: float
) -> Floats:
    """Zero crossings between grid[outside] and inside; limit_s where there is no point outside."""
    low, high = grid[outside], inside
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        positive = function(middle, row) > 0
        low, high = np.where(positive, low, middle), np.where(positive, middle, high)
    return np.where(outside < 0, limit_s, high)
