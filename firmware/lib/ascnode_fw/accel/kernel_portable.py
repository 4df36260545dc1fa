"""int8 kernels in plain Python: MicroPython of any port, and CPython.

Each function computes one output row of a layer; `p` holds the layer's words (layout.py). Nothing is allocated
and no intermediate leaves (-2**30, 2**30), so that a 32-bit VM never makes a big integer.
"""

from array import array

from ascnode_fw.compat import const

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


def flip(
    source: bytes | bytearray | memoryview, source_at: int, target: bytearray, target_at: int, count: int
) -> None:
    # int8 to int8 + 128 and back
    for i in range(count):
        target[target_at + i] = source[source_at + i] ^ 128


def convolve(p: "array[int]", arena: bytearray, image: bytes, acc: "array[int]") -> None:
    # acc[pixel * channels + channel] = SUM_OFFSET + sum of u * w, with u = input + 128 and w the int8 weights
    k = 0
    for column in range(p[_OUT_W]):
        # The image holds w + 128: sum u * (w + 128) - 128 * sum u spares a subtraction a product.
        start = _SUM_OFFSET - 128 * _gather(p, arena, column)
        _multiply(p, arena, image, acc, k, start)
        k += p[_OUT_C]


def _multiply(p: "array[int]", arena: bytearray, image: bytes, acc: "array[int]", k: int, start: int) -> None:
    at = p[_AT]
    taps = p[_KERNEL_H] * p[_KERNEL_W] * p[_IN_C]
    w = p[_WEIGHTS] - at
    for channel in range(p[_OUT_C]):
        total = start
        for i in range(at, at + taps):
            total += arena[i] * image[w + i]
        acc[k + channel] = total
        w += taps


def _gather(p: "array[int]", arena: bytearray, column: int) -> int:
    # Lines up the pixel's inputs, zero point where padded; p[AT] tells where; returns their sum.
    channels = p[_IN_C]
    to = at = p[_PATCH]
    if p[_KERNEL_H] * p[_KERNEL_W] == 1:
        at = p[_INPUT] + (p[_ROW] * p[_STRIDE_H] * p[_IN_W] + column * p[_STRIDE_W]) * channels
        to = at + channels
    else:
        y = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
        for _ in range(p[_KERNEL_H]):
            to = _gather_row(p, arena, y, column * p[_STRIDE_W] - p[_PAD_LEFT], to)
            y += p[_DILATION_H]
    p[_AT] = at
    total = 0
    for i in range(at, to):
        total += arena[i]
    return total


def _gather_row(p: "array[int]", arena: bytearray, y: int, x: int, to: int) -> int:
    channels = p[_IN_C]
    row = width = 0
    if 0 <= y < p[_IN_H]:
        width = p[_IN_W]
        row = p[_INPUT] + y * width * channels
    for _ in range(p[_KERNEL_W]):
        if 0 <= x < width:
            source = row + x * channels - to
            for i in range(to, to + channels):
                arena[i] = arena[source + i]
        else:
            zero = p[_ZERO_IN]
            for i in range(to, to + channels):
                arena[i] = zero
        to += channels
        x += p[_DILATION_W]
    return to


def depthwise(p: "array[int]", arena: bytearray, image: bytes, acc: "array[int]") -> None:
    # acc[pixel * channels + channel] = SUM_OFFSET + sum of (input - zero point) * w
    k = 0
    for column in range(p[_OUT_W]):
        for i in range(k, k + p[_OUT_C]):
            acc[i] = _SUM_OFFSET
        y = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
        w = p[_WEIGHTS]
        for _ in range(p[_KERNEL_H]):
            if 0 <= y < p[_IN_H]:
                _depthwise_row(p, arena, image, acc, y, column * p[_STRIDE_W] - p[_PAD_LEFT], w, k)
            y += p[_DILATION_H]
            w += p[_KERNEL_W] * p[_OUT_C]
        k += p[_OUT_C]


def _depthwise_row(
    p: "array[int]", arena: bytearray, image: bytes, acc: "array[int]", y: int, x: int, w: int, k: int
) -> None:
    channels = p[_OUT_C]
    zero = p[_ZERO_IN]
    row = p[_INPUT] + y * p[_IN_W] * channels
    for _ in range(p[_KERNEL_W]):
        if 0 <= x < p[_IN_W]:
            source = row + x * channels
            for i in range(channels):
                acc[k + i] += (arena[source + i] - zero) * (image[w + i] - 128)
        x += p[_DILATION_W]
        w += channels


def pool(p: "array[int]", arena: bytearray) -> None:
    # Average or maximum over the taps inside the input; TFLite Micro has no zero point here.
    channels = p[_IN_C]
    y = p[_ROW] * p[_STRIDE_H] - p[_PAD_TOP]
    top = max(y, 0)
    bottom = min(y + p[_KERNEL_H], p[_IN_H])
    out = p[_OUTPUT] + p[_ROW] * p[_OUT_W] * channels
    x = -p[_PAD_LEFT]
    for _ in range(p[_OUT_W]):
        left = max(x, 0)
        right = min(x + p[_KERNEL_W], p[_IN_W])
        for channel in range(channels):
            value = _pooled(p, arena, top, bottom, left, right, channel)
            arena[out] = min(max(value, p[_LOW]), p[_HIGH])
            out += 1
        x += p[_STRIDE_W]


def _pooled(
    p: "array[int]", arena: bytearray, top: int, bottom: int, left: int, right: int, channel: int
) -> int:
    total = largest = 0
    step = p[_IN_C]
    for y in range(top, bottom):
        at = p[_INPUT] + (y * p[_IN_W] + left) * step + channel
        for _ in range(left, right):
            value = arena[at]
            total += value
            if value > largest:
                largest = value
            at += step
    if p[_KIND] != _AVERAGE:
        return largest
    # C's division of the int8 sum towards zero, after half the count was taken away from zero
    count = (bottom - top) * (right - left)
    signed = total - 128 * count
    if signed > 0:
        return 128 + (signed + (count >> 1)) // count
    return 128 - ((count >> 1) - signed) // count


def requantise(p: "array[int]", table: "array[int]", acc: "array[int]", arena: bytearray) -> None:
    # One row of sums to bytes: bias, rescaling, zero point, clamp
    zero = p[_ZERO_OUT]
    low = p[_LOW]
    high = p[_HIGH]
    width = p[_OUT_W] * p[_OUT_C]
    out = p[_OUTPUT] + p[_ROW] * width
    t = 0
    for k in range(width):
        if t == len(table):
            t = 0
        total = acc[k] + table[t + 1]
        upper = ((((total >> 16) + table[t]) & 0xFFFF) ^ 0x8000) - 0x8000  # wraps at 32 bits, as the C does
        value = zero + rescale(
            upper, total & 0xFFFF, table[t + 2], table[t + 3], table[t + 4], table[t + 5] - 31
        )
        arena[out + k] = low if value < low else high if value > high else value
        t += 6


def rescale(upper: int, lower: int, m2: int, m1: int, m0: int, shift: int) -> int:
    # (upper * 2^16 + lower) times (m2 * 2^20 + m1 * 2^10 + m0) / 2^31, rounded to nearest with halves up, then
    # times 2^shift, rounded to nearest with halves away from zero: TFLite Micro's MultiplyByQuantizedMultiplier.
    # Exact while the result is in (-2^21, 2^21); past that it is only as far out, on the same side.
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
    # The product's six partial products by weight 2^0 2^10 2^16 2^20 2^26 2^36; bits below the result's are
    # dropped early, which floors nest to do exactly.
    part = (((lower * m0 >> 10) + lower * m1) >> 6) + upper * m0
    part = (((part >> 4) + lower * m2) >> 6) + upper * m1
    part = (part + 16) >> 5
    # doubled high product = coarse * 2^5 + fine
    coarse = upper * m2 + (part >> 5)
    fine = part & 31
    negative = 1 if coarse < 0 else 0
    if shift < -5:
        return (coarse + (1 << (-6 - shift)) + ((fine - negative) >> 5)) >> (-5 - shift)
    coarse = min(max(coarse, -(1 << 22)), 1 << 22)
    value = coarse * 32 + fine
    if shift < 0:
        value = (value + (1 << (-1 - shift)) - negative) >> -shift
    return value
