"""A compiled model: the jobs, where every word goes, and how its input and output lie in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS, Job

Words = npt.NDArray[np.uint32]
Int8 = npt.NDArray[np.int8]

MEMORY_WORDS = 2 * BANK_WORDS
LANES = 4  # bytes of a word


@dataclass(frozen=True)
class InputLayout:
    """How the model's input bytes become memory words; `shape` is the model's.

    The input is `rows` rows of `row_bytes` bytes. Each row becomes `columns` * `groups` words: byte k of word
    (y * columns + x) * groups + g is byte x * step + start + 4 * g + k of row y, or `pad` outside the row.
    Plainly step is the channels and start 0; a first layer of few channels gets its taps side by side instead.
    """

    address: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    rows: int
    row_bytes: int
    columns: int
    groups: int
    step: int
    start: int
    pad: int

    @property
    def words(self) -> int:
        """Memory words that the input takes."""
        return self.rows * self.columns * self.groups


@dataclass(frozen=True)
class OutputLayout:
    """A tensor in memory: `pixels` times ceil(channels / 4) words from `address`; `shape` is the model's."""

    address: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    pixels: int
    channels: int

    @property
    def groups(self) -> int:
        return -(-self.channels // LANES)

    @property
    def words(self) -> int:
        """Memory words that the tensor takes."""
        return self.pixels * self.groups


@dataclass(frozen=True)
class LayerInfo:
    """What became of one layer of the model.

    `tensor` lies in memory once the layer counter has reached `done`, until a later layer takes its place; both are
    None when the tensor never lies there (folded into the next layer, or added to before it is written).
    `first_job`, `job_count` say which jobs compute it (0 jobs: it costs nothing or runs within another layer's).
    `weight_words` counts parameters, weights and tables once, `stream_words` what the stream carries of them.
    """

    index: int
    op: str
    tensor_id: int
    input_shape: tuple[int, ...]
    shape: tuple[int, ...]
    macs: int
    tensor: OutputLayout | None
    done: int | None
    first_job: int = 0
    job_count: int = 0
    weights_address: int | None = None
    weight_words: int = 0
    stream_words: int = 0
    note: str = ""

    @property
    def streamed(self) -> bool:
        return self.stream_words > 0


@dataclass(frozen=True)
class Foretold:
    """What the compiler knows of a run: how long it takes, and what a host may do beside it.

    `cycles` from START to END, as predicted. Once STATUS.layer has reached `input_free_after`, the input may be written
    anew; None: not before END. The last run's output lies intact until STATUS.layer reaches `output_kept_until`.
    """

    cycles: int
    input_free_after: int | None
    output_kept_until: int


@dataclass(frozen=True, eq=False)
class Program:
    """Everything the engine needs: `segments` maps a word address to the words there, `stream` is whole blocks.

    `program_address` is where the first job's header lies; `jobs` are the same headers, END included.
    """

    model_id: int
    name: str
    jobs: tuple[Job, ...]
    program_address: int
    segments: Mapping[int, Words]
    stream: Words
    ring_base: int
    ring_blocks: int
    input: InputLayout
    output: OutputLayout
    layers: tuple[LayerInfo, ...]
    cpu_ops: tuple[str, ...] = ()  # of the model's end, which are left to a CPU
    foretold: Foretold | None = None  # unknown in files that are older

    @property
    def stream_blocks(self) -> int:
        return len(self.stream) // RING_BLOCK_WORDS

    @property
    def memory(self) -> Words:
        """The whole memory, uint32 [32768], as it is before the input is written; words of no segment are 0."""
        words = np.zeros(MEMORY_WORDS, np.uint32)
        for address, segment in self.segments.items():
            words[address : address + len(segment)] = segment
        return words


def place_input(program: Program, image: Int8) -> Words:
    """uint32 words to write from `program.input.address`; ValueError when `image` is not the model's input.

    `image` is int8 of the model's input shape, with or without its leading 1.
    """
    layout = program.input
    if image.dtype != np.int8 or image.size != prod(layout.shape):
        raise ValueError(f"the input is {image.dtype} {image.shape}; the model takes int8 {layout.shape}")
    rows = image.reshape(layout.rows, layout.row_bytes)
    first = np.arange(layout.columns) * layout.step + layout.start
    taken = first[:, np.newaxis] + np.arange(layout.groups * LANES)
    inside = (taken >= 0) & (taken < layout.row_bytes)
    placed = np.where(inside, rows[:, np.where(inside, taken, 0)], np.int8(layout.pad))
    return np.ascontiguousarray(placed).reshape(-1).view("<u4").astype(np.uint32)


def read_tensor(layout: OutputLayout, memory: Words) -> Int8:
    """The tensor, int8 in the model's shape, out of the whole memory (uint32 [32768])."""
    return unpack_tensor(layout, memory[layout.address : layout.address + layout.words])


def read_output(program: Program, words: Words) -> Int8:
    """The model's output, int8 in its shape, out of the words read from `program.output.address`."""
    return unpack_tensor(program.output, words)


def unpack_tensor(layout: OutputLayout, words: Words) -> Int8:
    """int8 in the model's shape; ValueError unless `words` are the tensor's."""
    if len(words) != layout.words:
        raise ValueError(f"a tensor of {layout.words} words is read from {len(words)}")
    lanes = np.ascontiguousarray(words, "<u4").view(np.int8).reshape(layout.pixels, layout.groups * LANES)
    return np.ascontiguousarray(lanes[:, : layout.channels]).reshape(layout.shape)
