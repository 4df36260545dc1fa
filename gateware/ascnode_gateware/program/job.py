"""The header of a job: one table of fields, from which compiler, executor and RTL take their layout."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

HEADER_WORDS = 12
PARAMETER_WORDS = 12  # of an output group: 4 channels, 3 words each
BLOCK_WORDS = 4
TABLE_WORDS = 514  # of LOAD: two tables of 256, a multiplier and a shift word
SET_PIXELS = 256  # outputs of a job, which one set of accumulators holds
BANK_WORDS = 16_384
RING_BLOCK_WORDS = 64


class Opcode(IntEnum):
    END = 0
    RUN = 1
    LOAD = 2


@dataclass(frozen=True)
class Field:
    """`width` bits of header word `word` from bit `low`."""

    word: int
    low: int
    width: int


FIELDS = {
    "opcode": Field(0, 0, 2),
    "dw": Field(0, 2, 1),
    "max": Field(0, 3, 1),
    "barrier": Field(0, 4, 1),
    "add": Field(0, 5, 1),
    "stream": Field(0, 6, 1),
    "layer_end": Field(0, 7, 1),
    "prime": Field(0, 8, 3),
    "period": Field(0, 12, 3),
    "pad": Field(0, 16, 8),
    "tag": Field(0, 24, 8),
    "input": Field(1, 0, 15),
    "weights": Field(1, 16, 15),
    "output": Field(2, 0, 15),
    "out_step": Field(2, 16, 9),
    "skip": Field(3, 0, 15),
    "d_col": Field(4, 0, 14),
    "d_row": Field(4, 16, 14),
    "d_kx": Field(5, 0, 14),
    "d_ky": Field(5, 16, 14),
    "d_icg": Field(6, 0, 14),
    "d_ocg": Field(6, 16, 14),
    "ix0": Field(7, 0, 10),
    "iy0": Field(7, 10, 10),
    "sx": Field(7, 20, 3),
    "sy": Field(7, 23, 3),
    "kx_inc": Field(7, 26, 3),
    "ky_inc": Field(7, 29, 3),
    "width": Field(8, 0, 10),
    "height": Field(8, 10, 10),
    "cols_less_1": Field(9, 0, 10),
    "rows_less_1": Field(9, 10, 9),
    "n_kx_less_1": Field(10, 0, 8),
    "n_ky_less_1": Field(10, 8, 8),
    "n_icg_less_1": Field(10, 16, 9),
    "n_ocg_less_1": Field(11, 0, 9),
}
# Steps and first coordinates may be negative: they are held modulo 2^width.
SIGNED = frozenset({"pad", "d_col", "d_row", "d_kx", "d_ky", "d_icg", "d_ocg", "ix0", "iy0"})


@dataclass(frozen=True)
class Job:
    """One job's header, each field under its name in docs/accelerator.md; steps in words, signed."""

    opcode: int = Opcode.RUN
    dw: int = 0
    max: int = 0
    barrier: int = 0
    add: int = 0
    stream: int = 0
    layer_end: int = 0
    prime: int = 0
    period: int = 0
    pad: int = 0
    tag: int = 0
    input: int = 0
    weights: int = 0
    output: int = 0
    out_step: int = 1
    skip: int = 0
    d_col: int = 0
    d_row: int = 0
    d_kx: int = 0
    d_ky: int = 0
    d_icg: int = 0
    d_ocg: int = 0
    ix0: int = 0
    iy0: int = 0
    sx: int = 1
    sy: int = 1
    kx_inc: int = 1
    ky_inc: int = 1
    width: int = 1
    height: int = 1
    cols_less_1: int = 0
    rows_less_1: int = 0
    n_kx_less_1: int = 0
    n_ky_less_1: int = 0
    n_icg_less_1: int = 0
    n_ocg_less_1: int = 0

    @property
    def passes(self) -> int:
        """Of one output group."""
        return (self.n_kx_less_1 + 1) * (self.n_ky_less_1 + 1) * (self.n_icg_less_1 + 1)

    @property
    def outputs_per_row(self) -> int:
        return (self.cols_less_1 - self.prime) // (self.period + 1) + 1

    @property
    def words(self) -> int:
        """Header words in memory."""
        return 1 if self.opcode == Opcode.END else HEADER_WORDS

    def pack(self) -> list[int]:
        """Header words; ValueError names a field that does not hold its value."""
        packed = [0] * HEADER_WORDS
        for name, field in FIELDS.items():
            packed[field.word] |= _encoded(name, getattr(self, name), field.width) << field.low
        return packed[: self.words]


def _encoded(name: str, value: int, width: int) -> int:
    low, high = (-(1 << (width - 1)), 1 << width) if name in SIGNED else (0, 1 << width)
    if not low <= value < high:
        raise ValueError(f"{name} is {value}, outside {low}..{high - 1}")
    return value & ((1 << width) - 1)


def unpack(words: Sequence[int]) -> Job:
    """The job of 12 header words (1 for END); steps and first coordinates come back signed."""
    values = {}
    for name, field in FIELDS.items():
        word = words[field.word] if field.word < len(words) else 0
        value = word >> field.low & ((1 << field.width) - 1)
        negative = name in SIGNED and value >> (field.width - 1)
        values[name] = value - (1 << field.width) if negative else value
    return Job(**values)


assert {field.name for field in fields(Job)} == set(FIELDS)
