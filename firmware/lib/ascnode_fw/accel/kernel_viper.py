"""int8 kernels as machine code: kernel_portable's functions again, for MicroPython's viper emitter.

viper's numbers are machine words and ptr32 reads are unsigned where a word has 64 bits: every stored number is
>= 0 and every intermediate lies in (-2**30, 2**30), so that both widths give the same bits.
"""
# ruff: noqa: F821
# mypy: ignore-errors

import sys

if sys.implementation.name != "micropython":
    raise ImportError("kernel_viper needs MicroPython's viper emitter; kernel_portable runs anywhere")

import micropython
from micropython import const

_KIND = const(0)
_IN_H = const(1)
_IN_W = const(2)
_IN_C = const(3)
_OUT_W = const(5)
_OUT_C = const(6)
_KERNEL_H = const(7)
_KERNEL_W = const(8)
_STRIDE_H = const(9)
_STRIDE_W = const(10)
_DILATION_H = const(11)
_DILATION_W = const(12)
_PAD_TOP = const(13)
_PAD_LEFT = const(14)
_ZERO_IN = const(15)
_ZERO_OUT = const(16)
_LOW = const(17)
_HIGH = const(18)
_WEIGHTS = const(19)
_INPUT = const(22)
_OUTPUT = const(23)
_PATCH = const(24)
_ROW = const(25)
_AT = const(26)
_AVERAGE = const(2)
_SUM_OFFSET = const(1 << 29)


@micropython.viper
def flip(source, source_at: int, target, target_at: int, count: int):
    a = ptr8(source)
    b = ptr8(target)
    for i in range(count):
        b[target_at + i] = a[source_at + i] ^ 128


@micropython.viper
def convolve(params, arena, image, acc):
    p = ptr32(params)
    k = 0
    for column in range(p[_OUT_W]):
        start = _SUM_OFFSET - 128 * int(_gather(params, arena, column))
        _multiply(params, arena, image, acc, k, start)
        k += p[_OUT_C]


@micropython.viper
def _multiply(params, arena, image, acc, k: int, start: int):
    p = ptr32(params)
    x = ptr8(arena)
    w = ptr8(image)
    sums = ptr32(acc)
    at = p[_AT]
    end = at + p[_KERNEL_H] * p[_KERNEL_W] * p[_IN_C]
    end4 = end - 3
    j = p[_WEIGHTS]
    last = k + p[_OUT_C]
    while k < last:
        total = start
        i = at
        while i < end4:
            total += x[i] * w[j] + x[i + 1] * w[j + 1] + x[i + 2] * w[j + 2] + x[i + 3] * w[j + 3]
            i += 4
            j += 4
        while i < end:
            total += x[i] * w[j]
            i += 1
            j += 1
        sums[k] = total
        k += 1


@micropython.viper
def _gather(params, arena, column: int) -> int:
    p = ptr32(params)
    x = ptr8(arena)
    at = p[_PATCH]
    to = at
    if p[_KERNEL_H] * p[_KERNEL_W] == 1:
        at = p[_INPUT] + (p[_ROW] * p[_STRIDE_H] * p[_IN_W] + column * p[_STRIDE_W]) * p[_IN_C]
        to = at + p[_IN_C]
    else:
        y = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
        for _ in range(p[_KERNEL_H]):
            to = int(_gather_row(params, arena, y, column * p[_STRIDE_W] - p[_PAD_LEFT], to))
            y += p[_DILATION_H]
    p[_AT] = at
    total = 0
    while at < to:
        total += x[at]
        at += 1
    return total


@micropython.viper
def _gather_row(params, arena, y: int, column: int, to: int) -> int:
    p = ptr32(params)
    x = ptr8(arena)
    channels = p[_IN_C]
    row = 0
    width = 0
    if 0 <= y and y < p[_IN_H]:
        width = p[_IN_W]
        row = p[_INPUT] + y * width * channels
    for _ in range(p[_KERNEL_W]):
        last = to + channels
        if 0 <= column and column < width:
            source = row + column * channels
            while to < last:
                x[to] = x[source]
                to += 1
                source += 1
        else:
            zero = p[_ZERO_IN]
            while to < last:
                x[to] = zero
                to += 1
        column += p[_DILATION_W]
    return to


@micropython.viper
def depthwise(params, arena, image, acc):
    p = ptr32(params)
    sums = ptr32(acc)
    channels = p[_OUT_C]
    k = 0
    for column in range(p[_OUT_W]):
        for i in range(channels):
            sums[k + i] = _SUM_OFFSET
        y = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
        w = p[_WEIGHTS]
        for _ in range(p[_KERNEL_H]):
            if 0 <= y and y < p[_IN_H]:
                _depthwise_row(params, arena, image, acc, y, column * p[_STRIDE_W] - p[_PAD_LEFT], w, k)
            y += p[_DILATION_H]
            w += p[_KERNEL_W] * channels
        k += channels


@micropython.viper
def _depthwise_row(params, arena, image, acc, y: int, column: int, at: int, k: int):
    p = ptr32(params)
    x = ptr8(arena)
    w = ptr8(image)
    sums = ptr32(acc)
    channels = p[_OUT_C]
    zero = p[_ZERO_IN]
    row = p[_INPUT] + y * p[_IN_W] * channels
    for _ in range(p[_KERNEL_W]):
        if 0 <= column and column < p[_IN_W]:
            source = row + column * channels
            for i in range(channels):
                sums[k + i] = sums[k + i] + (x[source + i] - zero) * (w[at + i] - 128)
        column += p[_DILATION_W]
        at += channels


@micropython.viper
def pool(params, arena):
    p = ptr32(params)
    x = ptr8(arena)
    top = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
    bottom = top + p[_KERNEL_H]
    if top < 0:
        top = 0
    if bottom > p[_IN_H]:
        bottom = p[_IN_H]
    out = p[_OUTPUT] + p[_ROW] * p[_OUT_W] * p[_IN_C]
    for column in range(p[_OUT_W]):
        left = column * p[_STRIDE_W] - p[_PAD_LEFT]
        right = left + p[_KERNEL_W]
        if left < 0:
            left = 0
        if right > p[_IN_W]:
            right = p[_IN_W]
        for channel in range(p[_IN_C]):
            value = int(_pooled(params, arena, top, bottom, left, right, channel))
            if value < p[_LOW]:
                value = p[_LOW]
            if value > p[_HIGH]:
                value = p[_HIGH]
            x[out] = value
            out += 1


@micropython.viper
def _pooled(params, arena, top: int, bottom: int, left: int, right: int, channel: int) -> int:
    p = ptr32(params)
    x = ptr8(arena)
    total = 0
    largest = 0
    for y in range(top, bottom):
        at = p[_INPUT] + (y * p[_IN_W] + left) * p[_IN_C] + channel
        for _ in range(left, right):
            value = x[at]
            total += value
            if value > largest:
                largest = value
            at += p[_IN_C]
    if p[_KIND] != _AVERAGE:
        return largest
    count = (bottom - top) * (right - left)
    signed = total - 128 * count
    if signed > 0:
        return 128 + (signed + (count >> 1)) // count
    return 128 - ((count >> 1) - signed) // count


@micropython.viper
def requantise(params, table, acc, arena):
    p = ptr32(params)
    words = ptr16(table)
    sums = ptr32(acc)
    x = ptr8(arena)
    low = p[_LOW]
    high = p[_HIGH]
    width = p[_OUT_W] * p[_OUT_C]
    out = p[_OUTPUT] + p[_ROW] * width
    size = p[_OUT_C] * 6
    t = 0
    for k in range(width):
        if t == size:
            t = 0
        total = sums[k] + words[t + 1]
        upper = ((((total >> 16) + words[t]) & 0xFFFF) ^ 0x8000) - 0x8000
        shift = words[t + 5] - 31
        value = p[_ZERO_OUT] + int(
            rescale(upper, total & 0xFFFF, words[t + 2], words[t + 3], words[t + 4], shift)
        )
        if value < low:
            value = low
        if value > high:
            value = high
        x[out + k] = value
        t += 6


@micropython.viper
def rescale(upper: int, lower: int, m2: int, m1: int, m0: int, shift: int) -> int:
    if shift > 0:
        if shift > 15:
            upper = lower
            lower = 0
            shift -= 16
        kept = (1 << (16 - shift)) - 1
        upper = ((upper & kept) << shift) | (lower >> (16 - shift))
        upper = (upper ^ 0x8000) - 0x8000
        lower = (lower & kept) << shift
        shift = 0
    part = (((lower * m0 >> 10) + lower * m1) >> 6) + upper * m0
    part = (((part >> 4) + lower * m2) >> 6) + upper * m1
    part = (part + 16) >> 5
    coarse = upper * m2 + (part >> 5)
    fine = part & 31
    negative = 0
    if coarse < 0:
        negative = 1
    if shift < -5:
        return (coarse + (1 << (-6 - shift)) + ((fine - negative) >> 5)) >> (-5 - shift)
    if coarse < -0x400000:
        coarse = -0x400000
    if coarse > 0x400000:
        coarse = 0x400000
    value = coarse * 32 + fine
    if shift < 0:
        value = (value + (1 << (-1 - shift)) - negative) >> (0 - shift)
    return value
