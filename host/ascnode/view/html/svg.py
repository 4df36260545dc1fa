"""Line plots as inline SVG, without a library: a report has hundreds of small ones and must stand alone.

Lines differ by stroke as well as by colour (classes l0 to l3 of the page's style), and are named in the heading.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ascnode.view.html.ticks import log_ticks, time_ticks, time_told, told, value_ticks

WIDTH, HEIGHT = 640, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 8, 22, 18
_STYLES = 4
_SAMPLE = 18  # width of a line's sample in the heading
_LETTER = 6.1  # mean width of one

Line = tuple[str, Sequence[float]]
Point = tuple[float, float]


@dataclass(frozen=True)
class Extras:
    """What a plot has beside its lines.

    limits: (words, value), drawn across. band: two series that enclose an area. shadows: spans of time. marks: (time,
    words). low, high: what the axis holds at least.
    """

    limits: Sequence[tuple[str, float]] = ()
    band: tuple[Sequence[float], Sequence[float]] | None = None
    shadows: Sequence[tuple[float, float]] = ()
    marks: Sequence[tuple[float, str]] = ()
    low: float | None = None
    high: float | None = None


NOTHING_ELSE = Extras()


def panel(
    title: str,
    t_s: Sequence[float],
    lines: Sequence[Line],
    steps: bool = False,
    extras: Extras = NOTHING_ELSE,
) -> str:
    """One plot of lines (name, values) over time; `steps`: values hold until the next sample. Empty without data."""
    if len(t_s) < 2:
        return ""
    ticks = value_ticks(*_span([values for _, values in lines], extras))
    x_of = _scale(t_s[0], t_s[-1], _LEFT, WIDTH - _RIGHT)
    y_of = _scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)
    parts = [_shadow(x_of(start), x_of(end)) for start, end in extras.shadows]
    parts += _y_axis(ticks, y_of)
    span_s = t_s[-1] - t_s[0]
    parts += _x_axis([(x_of(t), time_told(t, span_s)) for t in time_ticks(t_s[0], t_s[-1])])
    if extras.band:
        parts.append(_area(t_s, *extras.band, x_of, y_of))
    parts += [_limit(words, y_of(value)) for words, value in extras.limits]
    parts += [_mark(x_of(t), words) for t, words in extras.marks if t_s[0] <= t <= t_s[-1]]
    for i, (_, values) in enumerate(lines):
        points = [(x_of(t), y_of(v)) for t, v in zip(t_s, values, strict=True) if math.isfinite(v)]
        parts.append(f'<path d="{_path(points, steps)}" class="l{i % _STYLES}"/>')
    return _svg(title, [_heading(title, [name for name, _ in lines]), *parts])


def bars(title: str, bins: Sequence[tuple[str, int]]) -> str:
    """A histogram: one bar a bin, labels below."""
    most = max((count for _, count in bins), default=0)
    if not most:
        return ""
    wide = (WIDTH - _LEFT - _RIGHT) / len(bins)
    labels = [(_LEFT + (at + 0.5) * wide, label) for at, (label, _) in enumerate(bins)]
    return _svg(title, [_heading(title, []), *_columns(bins, most, wide), *_x_axis(labels)])


def log_bars(title: str, edges: Sequence[float], counts: Sequence[int]) -> str:
    """A histogram over a logarithmic axis; `edges` has one value more than `counts`."""
    most = max(counts, default=0)
    if not most:
        return ""
    named = [(f"{a:.3g} to {b:.3g}", n) for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    x_of = _scale(math.log10(edges[0]), math.log10(edges[-1]), _LEFT, WIDTH - _RIGHT)
    labels = [(x_of(math.log10(tick)), f"{tick:g}") for tick in log_ticks(edges[0], edges[-1])]
    wide = (WIDTH - _LEFT - _RIGHT) / len(counts)
    return _svg(title, [_heading(title, []), *_columns(named, most, wide), *_x_axis(labels)])


def shares(title: str, parts: Sequence[tuple[str, float]], unit: str) -> str:
    """One bar of parts side by side, each as wide as its share; told by their order and on being pointed at."""
    total = sum(value for _, value in parts)
    if total <= 0:
        return ""
    x, found = 0.0, []
    for at, (name, value) in enumerate(parts):
        wide = WIDTH * value / total
        words = f"{name}: {value:.3g} {unit}"
        found.append(
            f'<rect x="{x:.1f}" width="{max(0.0, wide - 1):.1f}" height="12" class="p{at}"><title>{escape(words)}'
            "</title></rect>"
        )
        x += wide
    label = escape(title)
    return f'<svg class="bar" viewBox="0 0 {WIDTH} 12" role="img" aria-label="{label}">{"".join(found)}</svg>'


# --- parts of a plot


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _heading(title: str, names: Sequence[str]) -> str:
    parts, x = [f'<text x="0" y="12" class="t">{escape(title)}</text>'], len(title) * _LETTER + 24
    for i, name in enumerate(names):
        if not name:
            continue
        sample = f'<line x1="{x:.0f}" y1="8" x2="{x + _SAMPLE:.0f}" y2="8" class="l{i % _STYLES}"/>'
        parts.append(f'{sample}<text x="{x + _SAMPLE + 4:.0f}" y="12" class="s">{escape(name)}</text>')
        x += _SAMPLE + 4 + len(name) * _LETTER + 10
    return "".join(parts)


def _y_axis(ticks: Sequence[float], y_of: "Scale") -> list[str]:
    return [
        f'<line x1="{_LEFT}" y1="{y_of(tick):.1f}" x2="{WIDTH - _RIGHT}" y2="{y_of(tick):.1f}" class="f"/>'
        f'<text x="{_LEFT - 5}" y="{y_of(tick) + 3:.1f}" class="s" text-anchor="end">{words}</text>'
        for tick, words in zip(ticks, told(ticks), strict=True)
    ]


def _x_axis(labels: Sequence[tuple[float, str]]) -> list[str]:
    return [
        f'<text x="{x:.1f}" y="{HEIGHT - 5}" class="s" text-anchor="{_anchor(x)}">{escape(words)}</text>'
        for x, words in labels
    ]


def _anchor(x: float) -> str:
    return "end" if x > WIDTH - _RIGHT - 12 else "middle"


def _columns(bins: Sequence[tuple[str, int]], most: int, wide: float) -> list[str]:
    ticks = value_ticks(0, most)
    y_of = _scale(0, ticks[-1], HEIGHT - _BOTTOM, _TOP)
    return [
        *_y_axis(ticks, y_of),
        *(
            f'<rect x="{_LEFT + at * wide:.1f}" y="{y_of(count):.1f}" width="{max(1.0, wide - 1):.1f}" '
            f'height="{HEIGHT - _BOTTOM - y_of(count):.1f}" class="c"><title>{escape(label)}: {count}</title></rect>'
            for at, (label, count) in enumerate(bins)
        ),
    ]


def _shadow(start: float, end: float) -> str:
    height = HEIGHT - _BOTTOM - _TOP
    return f'<rect x="{start:.1f}" y="{_TOP}" width="{end - start:.1f}" height="{height}" class="n"/>'


def _limit(words: str, y: float) -> str:
    line = f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" class="x"/>'
    return f'{line}<text x="{WIDTH - _RIGHT}" y="{y - 3:.1f}" class="x s" text-anchor="end">{escape(words)}</text>'


def _mark(x: float, words: str) -> str:
    arrow = f'<path class="m" d="M{x:.1f} {_TOP}l-4 -7h8z"/>'
    line = f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{HEIGHT - _BOTTOM}" class="m"/>'
    return f"<g>{line}{arrow}<title>{escape(words)}</title></g>"


def _area(
    t_s: Sequence[float], low: Sequence[float], high: Sequence[float], x_of: "Scale", y_of: "Scale"
) -> str:
    there = [(x_of(t), y_of(v)) for t, v in zip(t_s, high, strict=True)]
    back = [(x_of(t), y_of(v)) for t, v in zip(t_s, low, strict=True)][::-1]
    return f'<path class="b" d="{_path([*there, *back], steps=False)}z"/>'


def _path(points: Sequence[Point], steps: bool) -> str:
    if not points:
        return "M0 0"
    moves = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for x, y in points[1:]:
        moves.append(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}")
    return "".join(moves)


def _span(series: Sequence[Sequence[float]], extras: Extras) -> tuple[float, float]:
    values = [value for one in series for value in one if math.isfinite(value)]
    values += [value for _, value in extras.limits]
    values += [value for value in (extras.low, extras.high) if value is not None]
    for one in extras.band or ():
        values += one
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low, low + 1)


Scale = Callable[[float], float]


def _scale(from_: float, to: float, start: float, end: float) -> Scale:
    slope = (end - start) / (to - from_) if to != from_ else 0.0
    return lambda value: start + (value - from_) * slope
