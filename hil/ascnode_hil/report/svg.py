"""Line plots as inline SVG, without a library: a report has hundreds of small ones and must stand alone."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 18, 18
COLOURS = ("#2563eb", "#dc2626", "#059669", "#9333ea")

Line = tuple[str, Sequence[float]]


def panel(title: str, t_s: Sequence[float], lines: Sequence[Line], steps: bool = False) -> str:
    """One plot of lines (name, values) over time; `steps`: values hold until the next sample. Empty without data."""
    if len(t_s) < 2:
        return ""
    low, high = _span([value for _, values in lines for value in values])
    x_of = _scale(t_s[0], t_s[-1], _LEFT, WIDTH - _RIGHT)
    y_of = _scale(low, high, HEIGHT - _BOTTOM, _TOP)
    parts = [_grid(title, (low, high), (t_s[0], t_s[-1]), lines)]
    for (_, values), colour in zip(lines, COLOURS, strict=False):
        points = [(x_of(t), y_of(value)) for t, value in zip(t_s, values, strict=True)]
        parts.append(f'<path d="{_path(points, steps)}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def bars(title: str, bins: Sequence[tuple[str, int]]) -> str:
    """A histogram: one bar a bin, labels below."""
    most = max((count for _, count in bins), default=0)
    if not most:
        return ""
    wide = (WIDTH - _LEFT - _RIGHT) / len(bins)
    y_of = _scale(0, most, HEIGHT - _BOTTOM, _TOP)
    parts = [f'<text x="{_LEFT}" y="12" class="t">{escape(title)}</text>']
    for at, (label, count) in enumerate(bins):
        x, y = _LEFT + at * wide, y_of(count)
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide - 2:.1f}" height="{HEIGHT - _BOTTOM - y:.1f}" '
            f'fill="{COLOURS[0]}"><title>{escape(label)}: {count}</title></rect>'
            f'<text x="{x + wide / 2:.1f}" y="{HEIGHT - 6}" class="s" text-anchor="middle">{escape(label)}</text>'
        )
    parts.append(f'<text x="{_LEFT - 4}" y="{_TOP + 8}" class="s" text-anchor="end">{most}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _grid(title: str, y: tuple[float, float], x: tuple[float, float], lines: Sequence[Line]) -> str:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    names = "  ".join(
        f'<tspan fill="{colour}">{escape(name)}</tspan>'
        for (name, _), colour in zip(lines, COLOURS, strict=False)
    )
    return (
        f'<rect x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{bottom - _TOP}" class="f"/>'
        f'<text x="{_LEFT}" y="12" class="t">{escape(title)} {names}</text>'
        f'<text x="{_LEFT - 4}" y="{_TOP + 8}" class="s" text-anchor="end">{y[1]:.4g}</text>'
        f'<text x="{_LEFT - 4}" y="{bottom}" class="s" text-anchor="end">{y[0]:.4g}</text>'
        f'<text x="{_LEFT}" y="{HEIGHT - 6}" class="s">{x[0]:.6g} s</text>'
        f'<text x="{right}" y="{HEIGHT - 6}" class="s" text-anchor="end">{x[1]:.6g} s</text>'
    )


def _path(points: Sequence[tuple[float, float]], steps: bool) -> str:
    moves = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        moves.append(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}")
    return "".join(moves)


def _span(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return (low, high) if high > low else (low, low + 1)


def _scale(from_: float, to: float, start: float, end: float) -> "_Scale":
    return _Scale(from_, (end - start) / (to - from_) if to != from_ else 0.0, start)


class _Scale:
    def __init__(self, from_: float, slope: float, start: float) -> None:
        self._from, self._slope, self._start = from_, slope, start

    def __call__(self, value: float) -> float:
        return self._start + (value - self._from) * self._slope if math.isfinite(value) else self._start
