"""Cuts a sweep into jobs: rectangles of outputs whose addresses are evenly spaced, as few and as even as fit.

Coordinates have 10 bits, so each job counts rows and columns from its own first ones: any image fits. A job whose
taps all lie inside the input needs no coordinates at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ascnode_gateware.compiler.sweep import MAX_INCREMENT, Rect, Sweep
from ascnode_gateware.model.layers import ModelError
from ascnode_gateware.program.job import BANK_WORDS, BLOCK_WORDS, SET_PIXELS, Job

_MAX_EXTENT = 512  # width and height of the input that coordinates are compared with
_MAX_COORDINATE = 1023
_MAX_WORDS = 1024  # of a row
_MAX_ROWS = 512
_DRAINED, _ADDED = 8, 16  # cycles for a word of output: 2 a byte, 4 with an addition
_JOB_CYCLES = 40  # header, first parameters and filling the pipeline, roughly


@dataclass(frozen=True)
class Tile:
    """A job without addresses; offsets are in words, from the input's, output's and skip tensor's first."""

    job: Job
    input_offset: int
    output_offset: int
    pixels: int
    words: int  # that pass the array in each pass

    def cycles(self, add: bool = False, rivals: int = 0, fetches: bool = False) -> int:
        """Roughly. Of each output word, `rivals` accesses meet the pixels' in a bank; with `fetches` weights do too."""
        each = self.words + BLOCK_WORDS if fetches else max(self.words, BLOCK_WORDS)
        group = max(
            self.job.passes * each + rivals * self.pixels, (_ADDED if add else _DRAINED) * self.pixels
        )
        return (self.job.n_ocg_less_1 + 1) * group + _JOB_CYCLES


@dataclass(frozen=True)
class _Span:
    """Input columns (or rows) that a tile's taps touch, out of `extent`."""

    first: int
    last: int
    extent: int

    @property
    def inside(self) -> bool:
        return self.first >= 0 and self.last < self.extent

    @property
    def base(self) -> int:
        """The column that the job calls 0: its first inside the input, or the input's last."""
        return min(max(0, self.first), self.extent - 1)

    @property
    def limit(self) -> int:
        """The job's `width`: what it compares coordinates with."""
        return min(self.extent - self.base, _MAX_EXTENT)

    @property
    def fits(self) -> bool:
        cut = self.extent - self.base > _MAX_EXTENT
        reach = _MAX_EXTENT - 1 if cut else _MAX_COORDINATE
        return self.first >= -_MAX_EXTENT and self.last - self.base <= reach


def cut(sweep: Sweep, name: str) -> tuple[Tile, ...]:
    """The sweep's jobs in the order of their outputs; ModelError, with `name`, when no cut fits the fields."""
    for rects in _cuts(sweep):
        if all(_fits(sweep, rect) for rect in rects):
            return tuple(_tile(sweep, rect) for rect in rects)
    raise ModelError(f"{name} has strides or dilation past {MAX_INCREMENT} together with padding")


def estimate(sweep: Sweep, name: str) -> int:
    """Cycles, roughly: for a choice between two ways to run a layer."""
    return sum(tile.cycles() for tile in cut(sweep, name))


def _cuts(sweep: Sweep) -> Iterator[list[Rect]]:
    """From the fewest jobs to the most: several whole rows each, then parts of a row."""
    region = sweep.region
    if region.columns == sweep.target.width:
        for rows in _sizes(region.rows, SET_PIXELS // region.columns):
            yield [
                Rect(region.top + top, region.left, count, region.columns)
                for top, count in _even(region.rows, rows)
            ]
    for columns in _sizes(region.columns, SET_PIXELS):
        yield [
            Rect(region.top + row, region.left + left, 1, count)
            for row in range(region.rows)
            for left, count in _even(region.columns, columns)
        ]


def _sizes(total: int, most: int) -> Iterator[int]:
    """Part sizes from `most` down, without those that lead to as many parts."""
    parts = 0
    for size in range(min(total, most), 0, -1):
        if -(-total // size) != parts:
            parts = -(-total // size)
            yield size


def _even(total: int, most: int) -> Iterator[tuple[int, int]]:
    """(start, size) of the fewest parts of at most `most`, sizes differing by at most 1."""
    parts = -(-total // most)
    start = 0
    for part in range(parts):
        size = total // parts + (part < total % parts)
        yield start, size
        start += size


def _columns(sweep: Sweep, rect: Rect) -> _Span:
    first = rect.left * sweep.stride_w - sweep.pad_left
    reach = (sweep.row_words(rect.columns) - 1) * sweep.column_stride
    return _Span(first, first + reach + (sweep.blocks.shape[3] - 1) * sweep.step_x, sweep.source.width)


def _rows(sweep: Sweep, rect: Rect) -> _Span:
    first = rect.top * sweep.stride_h - sweep.pad_top
    reach = (rect.rows - 1) * sweep.stride_h + (sweep.blocks.shape[2] - 1) * sweep.step_y
    return _Span(first, first + reach, sweep.source.height)


def _fits(sweep: Sweep, rect: Rect) -> bool:
    columns, rows = _columns(sweep, rect), _rows(sweep, rect)
    if sweep.row_words(rect.columns) > _MAX_WORDS or rect.rows > _MAX_ROWS:
        return False
    inside = columns.inside and rows.inside
    return inside or (columns.fits and rows.fits and max(_increments(sweep, rect).values()) <= MAX_INCREMENT)


def _increments(sweep: Sweep, rect: Rect) -> dict[str, int]:
    """Coordinate steps; one that is never taken is 0."""
    return {
        "sx": sweep.column_stride if sweep.row_words(rect.columns) > 1 else 0,
        "sy": sweep.stride_h if rect.rows > 1 else 0,
        "kx_inc": sweep.step_x if sweep.blocks.shape[3] > 1 else 0,
        "ky_inc": sweep.step_y if sweep.blocks.shape[2] > 1 else 0,
    }


def _tile(sweep: Sweep, rect: Rect) -> Tile:
    columns, rows = _columns(sweep, rect), _rows(sweep, rect)
    job = replace(_job(sweep, rect), **_coordinates(sweep, rect, columns, rows))
    first_pixel = rows.first * sweep.source.width + columns.first
    out_pixel = rect.top * sweep.target.width + rect.left
    words = rect.rows * sweep.row_words(rect.columns)
    groups = sweep.source.groups
    input_offset = first_pixel * groups + sweep.group_step * sweep.first_group
    output_offset = out_pixel * sweep.target.groups + sweep.first_group
    return Tile(job, input_offset, output_offset, rect.pixels, words)


def _coordinates(sweep: Sweep, rect: Rect, columns: _Span, rows: _Span) -> dict[str, int]:
    if columns.inside and rows.inside:
        still = {"sx": 0, "sy": 0, "kx_inc": 0, "ky_inc": 0}
        return {"ix0": 0, "iy0": 0, "width": 1, "height": 1, **still}
    return {
        "ix0": columns.first - columns.base,
        "iy0": rows.first - rows.base,
        "width": columns.limit,
        "height": rows.limit,
        **_increments(sweep, rect),
    }


def _job(sweep: Sweep, rect: Rect) -> Job:
    """Everything but coordinates and addresses."""
    groups, row = sweep.source.groups, sweep.source.width * sweep.source.groups
    ocg, icg, n_ky, n_kx = sweep.blocks.shape[:4]
    words = sweep.row_words(rect.columns)
    d_col = sweep.column_stride * groups
    back_x = (n_kx - 1) * sweep.step_x * groups
    back_y = (n_ky - 1) * sweep.step_y * row
    return Job(
        dw=int(sweep.window),
        max=int(sweep.maximum),
        prime=sweep.prime,
        period=sweep.stride_w - 1 if sweep.window else 0,
        pad=sweep.pad,
        out_step=sweep.target.groups,
        d_col=wrapped(d_col),
        d_row=wrapped(sweep.stride_h * row - (words - 1) * d_col),
        d_kx=wrapped(sweep.step_x * groups),
        d_ky=wrapped(sweep.step_y * row - back_x),
        d_icg=wrapped(1 - back_x - back_y),
        d_ocg=wrapped(sweep.group_step - (icg - 1) - back_x - back_y),
        cols_less_1=words - 1,
        rows_less_1=rect.rows - 1,
        n_kx_less_1=n_kx - 1,
        n_ky_less_1=n_ky - 1,
        n_icg_less_1=icg - 1,
        n_ocg_less_1=ocg - 1,
    )


def wrapped(step: int) -> int:
    """An address step modulo the bank, as a signed field takes it."""
    half = BANK_WORDS // 2
    return (step + half) % BANK_WORDS - half
