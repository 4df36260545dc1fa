"""Reads a node image and checks it: whatever passes cannot make a kernel touch memory outside its buffers."""

import struct
from array import array
from binascii import crc32

from ascnode_fw.accel.layout import (
    AVERAGE,
    CONVOLUTION,
    DEPTHWISE,
    DILATION_H,
    DILATION_W,
    HEADER,
    HEADER_BYTES,
    HIGH,
    IN_C,
    IN_H,
    IN_W,
    KERNEL_H,
    KERNEL_W,
    KIND,
    MACS,
    MAGIC,
    MAX_TAPS,
    MAX_TENSOR,
    MAX_WINDOW,
    MAX_WORD,
    MAXIMUM,
    OUT_C,
    OUT_H,
    OUT_W,
    PAD_TOP,
    RAM_WORDS,
    RESCALE_WORDS,
    STRIDE_H,
    TABLE,
    VERSION,
    WEIGHTS,
    WORDS,
    ZERO_IN,
)


class Image:
    """A checked image: `layers` holds each layer's RAM_WORDS words, `tables` its rescaling; ValueError if bad."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        count = self._check_header()
        self.layers: "list[array[int]]" = []
        self.tables: "list[array[int]]" = []
        for index in range(count):
            at = HEADER_BYTES + index * WORDS * 4
            words = array("i", bytes(data[at : at + WORDS * 4]) + bytes((RAM_WORDS - WORDS) * 4))
            previous = self.layers[-1] if self.layers else None
            complaint = _complaint(words, previous, len(data) - 4)
            if complaint:
                raise ValueError(f"image: layer {index} {complaint}")
            table = _table(data, words)
            if not _legal(table):
                raise ValueError(f"image: layer {index} has a multiplier or shift out of range")
            self.layers.append(words)
            self.tables.append(table)
        if sum([words[MACS] for words in self.layers]) != self.macs:
            raise ValueError("image: its layers' MACs do not add up")

    def _check_header(self) -> int:
        data = self.data
        if len(data) < HEADER_BYTES + 4:
            raise ValueError(f"image: {len(data)} bytes is too short for one")
        magic, version, count, length, self.model_id, self.macs = struct.unpack_from(HEADER, data, 0)
        if magic != MAGIC:
            raise ValueError("image: it is not one, by its first bytes")
        if version != VERSION:
            raise ValueError(f"image: version {version}, but this firmware reads version {VERSION}")
        if length != len(data):
            raise ValueError(f"image: {len(data)} bytes of {length}")
        if crc32(memoryview(data)[:-4]) & 0xFFFFFFFF != struct.unpack_from("<I", data, length - 4)[0]:
            raise ValueError("image: its CRC is wrong")
        if not 0 < count * WORDS * 4 <= length - HEADER_BYTES - 4:
            raise ValueError(f"image: {count} layers do not fit in it")
        return int(count)


def input_bytes(words: "array[int]") -> int:
    return words[IN_H] * words[IN_W] * words[IN_C]


def output_bytes(words: "array[int]") -> int:
    return words[OUT_H] * words[OUT_W] * words[OUT_C]


def patch_bytes(words: "array[int]") -> int:
    # What one pixel's lined-up inputs take; a 1x1 kernel reads them where they are.
    taps = words[KERNEL_H] * words[KERNEL_W]
    return taps * words[IN_C] if words[KIND] == CONVOLUTION and taps > 1 else 0


def sums(words: "array[int]") -> int:
    # Accumulators of one row
    return words[OUT_W] * words[OUT_C] if words[KIND] in (CONVOLUTION, DEPTHWISE) else 0


def _table(data: bytes, words: "array[int]") -> "array[int]":
    at = words[TABLE]
    size = words[OUT_C] * RESCALE_WORDS * 2 if words[KIND] in (CONVOLUTION, DEPTHWISE) else 0
    return array("H", bytes(data[at : at + size]))


def _legal(table: "array[int]") -> bool:
    # Multiplier limbs of 11, 10 and 10 bits, shift + 31 up to 30 + 31
    for t in range(0, len(table), RESCALE_WORDS):
        if table[t + 2] >= 2048 or table[t + 3] >= 1024 or table[t + 4] >= 1024 or table[t + 5] > 61:
            return False
    return True


def _complaint(words: "array[int]", previous: "array[int] | None", end: int) -> str:
    # What is wrong with a layer, as the end of a sentence; empty when nothing is.
    bytes_fit = max([words[i] for i in range(ZERO_IN, HIGH + 1)]) <= 255
    if not (all(0 <= word < MAX_WORD for word in words) and words[KIND] <= MAXIMUM and bytes_fit):
        return "has a word out of range"
    if not all(words[i] for i in range(IN_H, PAD_TOP)):
        return "has a dimension of 0"
    if max(input_bytes(words), output_bytes(words)) > MAX_TENSOR:
        return "is larger than a node can hold"
    if previous and output_bytes(previous) != input_bytes(words):
        return "does not take what the layer before it gives"
    if max([words[i] for i in range(KERNEL_H, ZERO_IN)]) > MAX_WINDOW:
        return f"has a window past {MAX_WINDOW}"
    if not (_windows_touch(words, 0) and _windows_touch(words, 1)):
        return "has windows that miss its input"
    if words[KIND] in (AVERAGE, MAXIMUM):
        return _complaint_pool(words)
    return _complaint_products(words, end)


def _windows_touch(words: "array[int]", axis: int) -> bool:
    # The first window reaches past its padding, the last begins before the input ends.
    pad = words[PAD_TOP + axis]
    last = (words[OUT_H + axis] - 1) * words[STRIDE_H + axis] - pad
    return pad <= (words[KERNEL_H + axis] - 1) * words[DILATION_H + axis] and last < words[IN_H + axis]


def _complaint_pool(words: "array[int]") -> str:
    if words[IN_C] != words[OUT_C] or words[DILATION_H] != 1 or words[DILATION_W] != 1 or words[MACS]:
        return "is no pool"
    return ""


def _complaint_products(words: "array[int]", end: int) -> str:
    taps = words[KERNEL_H] * words[KERNEL_W]
    if words[KIND] == CONVOLUTION:
        taps *= words[IN_C]
    elif words[IN_C] != words[OUT_C]:
        return "is depthwise but changes the number of channels"
    if taps > MAX_TAPS:
        return f"sums {taps} products, more than {MAX_TAPS}"
    if words[MACS] != output_bytes(words) * taps:
        return "states other MACs than it has"
    constants = ((WEIGHTS, taps * words[OUT_C]), (TABLE, words[OUT_C] * RESCALE_WORDS * 2))
    if not all(HEADER_BYTES <= words[at] <= end - size for at, size in constants):
        return "has constants outside the image"
    return ""
