"""A layer as the engine runs it, before it is cut into jobs and placed: which words pass which blocks."""

from dataclasses import dataclass, replace

from ascnode_gateware.compiler.pixels import Image
from ascnode_gateware.model.layers import Int8
from ascnode_gateware.program.job import BLOCK_WORDS, PARAMETER_WORDS
from ascnode_gateware.program.parameters import Channel
from ascnode_gateware.program.program import LANES

MAX_KERNEL = 256  # n_kx and n_ky have 8 bits
MAX_GROUPS = 512  # n_icg and n_ocg have 9 bits
MAX_INCREMENT = 7  # sx, sy, kx_inc, ky_inc have 3 bits


@dataclass(frozen=True)
class Rect:
    """Output pixels."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def pixels(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True, eq=False)
class Sweep:
    """`region` of `target`, computed from `source` by blocks int8 [ocg, icg, ky, kx, row, lane].

    Output (y, x)'s first tap is pixel (y * stride_h - pad_top, x * stride_w - pad_left); ky and kx lie `step_y` and
    `step_x` pixels apart. `group_step` is 1 where output group g reads input group g only. A `window` sweep reads each
    pixel of a row in turn and has `prime` words before a row's first output. `pad` is what padding reads as. The
    blocks' first output group is the target's group `first_group`.
    """

    source: Image
    target: Image
    region: Rect
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int
    step_y: int
    step_x: int
    blocks: Int8
    channels: tuple[Channel, ...]
    pad: int
    group_step: int = 0
    window: bool = False
    prime: int = 0
    maximum: bool = False
    first_group: int = 0

    @property
    def output_groups(self) -> int:
        return int(self.blocks.shape[0])

    @property
    def passes(self) -> int:
        """Of one output group."""
        icg, ky, kx = self.blocks.shape[1:4]
        return int(icg * ky * kx)

    @property
    def constants(self) -> int:
        """Channels whose output is known in advance, of those that there are."""
        used = self.channels[: self.target.channels - self.first_group * LANES]
        return sum(channel.low == channel.high for channel in used)

    @property
    def column_stride(self) -> int:
        """Pixels from one word of a row to the next."""
        return 1 if self.window else self.stride_w

    @property
    def constant_words(self) -> int:
        """Parameters and weights, which every job of the sweep reads."""
        return self.output_groups * (PARAMETER_WORDS + BLOCK_WORDS * self.passes)

    def row_words(self, columns: int) -> int:
        """Words that pass the array for a row of `columns` outputs."""
        return (columns - 1) * self.stride_w + self.prime + 1 if self.window else columns

    def share(self, first: int, count: int) -> "Sweep":
        """`count` of its output groups from its `first` on."""
        return replace(
            self,
            blocks=self.blocks[first : first + count],
            channels=self.channels[first * LANES : (first + count) * LANES],
            first_group=self.first_group + first,
        )
