"""Random walks of RUN jobs over their input: those of layers, and those that only the header's fields bound."""

import random
from dataclasses import replace

from ascnode_gateware.program.job import Job
from gateware.program.random_space import small_or_edge

_ADDRESS = 1 << 14


def random_shape(rng: random.Random, source: int, max_outputs: int, cycles: int) -> Job:
    """A RUN job near address `source` that takes about `cycles` cycles at most; no weights or output yet."""
    shape = rng.choice((_convolution, _depthwise, _wild, _wild))
    while True:
        job = shape(rng, source, max_outputs)
        if estimated_cycles(job) <= cycles:
            return job
        max_outputs = max(1, max_outputs * 3 // 4)


def estimated_cycles(job: Job) -> int:
    """Without the drain's left shifts: what docs/accelerator.md says under Time."""
    groups = job.n_ocg_less_1 + 1
    words = (job.cols_less_1 + 1) * (job.rows_less_1 + 1)
    outputs = job.outputs_per_row * (job.rows_less_1 + 1)
    return groups * (12 + job.passes * (max(words, 4) + 4) + outputs * 16)


def _grid(rng: random.Random, max_outputs: int) -> tuple[int, int]:
    """Rows and outputs of a row."""
    across = small_or_edge(rng, max_outputs)
    return small_or_edge(rng, max(1, max_outputs // across)), across


def _convolution(rng: random.Random, source: int, max_outputs: int) -> Job:
    """Dense, over a tensor [height, width, 4 * groups] that starts at `source`."""
    rows, across = _grid(rng, max_outputs)
    kernel_h, kernel_w, groups = rng.randint(1, 4), rng.randint(1, 4), small_or_edge(rng, 8)
    stride_h, stride_w, dilation = rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3)
    top, left = rng.randint(0, kernel_h - 1) * dilation, rng.randint(0, kernel_w - 1) * dilation
    height = _extent(rng, rows, stride_h, kernel_h, dilation, top)
    width = _extent(rng, across, stride_w, kernel_w, dilation, left)
    line = width * groups
    back_x, back_y = (kernel_w - 1) * dilation * groups, (kernel_h - 1) * dilation * line
    first = source - top * line - left * groups
    return Job(
        input=_in_bank(source, first),
        max=int(rng.random() < 0.15),
        pad=rng.randint(-128, 127),
        d_col=_step(stride_w * groups),
        d_row=_step(stride_h * line - (across - 1) * stride_w * groups),
        d_kx=_step(dilation * groups),
        d_ky=_step(dilation * line - back_x),
        d_icg=_step(1 - back_x - back_y),
        d_ocg=_step(1 - groups - back_x - back_y),
        ix0=-left,
        iy0=-top,
        sx=stride_w,
        sy=stride_h,
        kx_inc=dilation,
        ky_inc=dilation,
        width=width,
        height=height,
        cols_less_1=across - 1,
        rows_less_1=rows - 1,
        n_kx_less_1=kernel_w - 1,
        n_ky_less_1=kernel_h - 1,
        n_icg_less_1=groups - 1,
        n_ocg_less_1=small_or_edge(rng, 6) - 1,
    )


def _depthwise(rng: random.Random, source: int, max_outputs: int) -> Job:
    """A kernel of up to 8 columns in passes of 4, group by group of a tensor [height, width, 4 * groups]."""
    rows, across = _grid(rng, max_outputs)
    kernel_h, kernel_w, groups = rng.randint(1, 4), rng.randint(1, 8), small_or_edge(rng, 6)
    stride_h, stride_w = rng.randint(1, 3), rng.randint(1, 3)
    top, left = rng.randint(0, kernel_h - 1), rng.randint(0, kernel_w - 1)
    height = _extent(rng, rows, stride_h, kernel_h, 1, top)
    width = _extent(rng, across, stride_w, kernel_w, 1, left)
    line, passes = width * groups, -(-kernel_w // 4)
    prime = min(kernel_w, 4) - 1
    cols = (across - 1) * stride_w + prime + 1 + rng.randrange(stride_w)
    back_x, back_y = (passes - 1) * 4 * groups, (kernel_h - 1) * line
    return Job(
        dw=1,
        max=int(rng.random() < 0.2),
        prime=prime,
        period=stride_w - 1,
        pad=rng.randint(-128, 127),
        input=_in_bank(source, source - top * line - left * groups),
        d_col=_step(groups),
        d_row=_step(stride_h * line - (cols - 1) * groups),
        d_kx=_step(4 * groups),
        d_ky=_step(line - back_x),
        d_icg=0,
        d_ocg=_step(1 - back_x - back_y),
        ix0=-left,
        iy0=-top,
        sx=1,
        sy=stride_h,
        kx_inc=4,
        ky_inc=1,
        width=width,
        height=height,
        cols_less_1=cols - 1,
        rows_less_1=rows - 1,
        n_kx_less_1=passes - 1,
        n_ky_less_1=kernel_h - 1,
        n_ocg_less_1=groups - 1,
    )


def _wild(rng: random.Random, source: int, max_outputs: int) -> Job:
    """Any step, any coordinate: only counts are bounded."""
    rows, across = _grid(rng, max_outputs)
    prime = rng.choice((0, 0, 1, 2, 3, rng.randint(0, 7)))
    period = rng.choice((0, 0, 1, 2, rng.randint(0, 7)))
    cols = min(1024, (across - 1) * (period + 1) + prime + 1 + rng.randint(0, period))
    steps = {name: _wild_step(rng) for name in ("d_col", "d_row", "d_kx", "d_ky", "d_icg", "d_ocg")}
    moves = {name: rng.randint(0, 7) for name in ("sx", "sy", "kx_inc", "ky_inc")}
    job = Job(
        dw=rng.randrange(2),
        max=int(rng.random() < 0.2),
        prime=prime,
        period=period,
        pad=rng.randint(-128, 127),
        input=source,
        **steps,
        **moves,
        cols_less_1=cols - 1,
        rows_less_1=rows - 1,
        n_kx_less_1=small_or_edge(rng, 6) - 1,
        n_ky_less_1=small_or_edge(rng, 5) - 1,
        n_icg_less_1=small_or_edge(rng, 5) - 1,
        n_ocg_less_1=small_or_edge(rng, 7) - 1,
    )
    return _with_window(rng, job)


def _with_window(rng: random.Random, job: Job) -> Job:
    """An input of which the walk leaves some side, or none, or which it never meets."""
    wide = job.sx * job.cols_less_1 + job.kx_inc * job.n_kx_less_1
    high = job.sy * job.rows_less_1 + job.ky_inc * job.n_ky_less_1
    if rng.random() < 0.1:
        return replace(job, ix0=rng.randint(-512, 511), iy0=rng.randint(-512, 511), width=512, height=512)
    return replace(
        job,
        ix0=max(-512, -rng.randint(0, wide // 2 + 1)),
        iy0=max(-512, -rng.randint(0, high // 2 + 1)),
        width=rng.randint(1, min(512, wide + 3)),
        height=rng.randint(1, min(512, high + 3)),
    )


def _extent(rng: random.Random, outputs: int, stride: int, kernel: int, dilation: int, before: int) -> int:
    """Of the input, so that the last output reads past its end, at its end, or short of it."""
    read = (outputs - 1) * stride + (kernel - 1) * dilation + 1 - before
    return min(512, max(1, read + rng.randint(-dilation * (kernel - 1), 2)))


def _wild_step(rng: random.Random) -> int:
    return rng.choice((0, 1, -1, rng.randint(-40, 40), rng.randint(-(1 << 13), (1 << 13) - 1)))


def _step(words: int) -> int:
    """Modulo 2^14, as the header's signed field holds it."""
    return (words + _ADDRESS // 2) % _ADDRESS - _ADDRESS // 2


def _in_bank(bank_of: int, address: int) -> int:
    return bank_of & _ADDRESS | address % _ADDRESS
