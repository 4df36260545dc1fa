"""An int8 model as plain data: tensors, layers, and the integers each layer computes with."""

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]


class ModelError(ValueError):
    """A model file that cannot be read, or cannot run here; the message is one sentence for its author."""


@dataclass(frozen=True)
class Tensor:
    """An int8 activation tensor; real value = scale * (q - zero_point). `id` is its number in the file."""

    id: int
    name: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def size(self) -> int:
        """Elements, which are bytes."""
        return prod(self.shape)


@dataclass(frozen=True)
class Window:
    """How a kernel slides over height and width; pads are those above and left, TFLite's smaller half."""

    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int = 1
    dilation_w: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def taps(self) -> int:
        return self.kernel_h * self.kernel_w


@dataclass(frozen=True, eq=False)
class Rescale:
    """int32 sums to int8: multiplier (0 or 2^30..2^31-1) and shift (-31..30) int32 [channels], then the clamp."""

    multiplier: Int32
    shift: Int32
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator: `index` counts the file's operators from 0, `op` is TFLite's name for it."""

    index: int
    op: str
    input: Tensor
    output: Tensor

    @property
    def name(self) -> str:
        return f"layer {self.index} ({self.op})"

    @property
    def macs(self) -> int:
        """Multiply-accumulates, those on padding included (as model summaries count them)."""
        return 0


@dataclass(frozen=True, eq=False)
class Convolution(Layer):
    """weights int8 [out, kernel_h, kernel_w, in], bias int32 [out]."""

    window: Window
    weights: Int8
    bias: Int32
    rescale: Rescale

    @property
    def macs(self) -> int:
        return self.output.size * int(prod(self.weights.shape[1:]))


@dataclass(frozen=True, eq=False)
class Depthwise(Layer):
    """weights int8 [kernel_h, kernel_w, out]; output channel c reads input channel c // depth_multiplier."""

    window: Window
    depth_multiplier: int
    weights: Int8
    bias: Int32
    rescale: Rescale

    @property
    def macs(self) -> int:
        return self.output.size * self.window.taps


@dataclass(frozen=True, eq=False)
class FullyConnected(Layer):
    """weights int8 [out, in], bias int32 [out]; the input's elements form rows of `in`."""

    weights: Int8
    bias: Int32
    rescale: Rescale

    @property
    def macs(self) -> int:
        return self.output.size * int(self.weights.shape[1])


@dataclass(frozen=True, eq=False)
class Pool(Layer):
    """AVERAGE_POOL_2D or MAX_POOL_2D over the taps that lie inside the input."""

    window: Window
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same bytes under another shape."""


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """input + other; the multipliers and shifts are those of input, other and sum (shifts <= 0)."""

    other: Tensor
    multipliers: tuple[int, int, int]
    shifts: tuple[int, int, int]
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """(before, after) counts of elements at the zero point, for each dimension."""

    widths: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Model:
    """Layers in the order they run. `model_id` is the low 30 bits of the file's CRC-32: a small int on any board."""

    model_id: int
    input: Tensor
    output: Tensor
    layers: tuple[Layer, ...]

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)
