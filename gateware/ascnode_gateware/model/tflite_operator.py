"""One operator of a .tflite file: its tensors, options, padding and rescaling, checked as they are read."""

from typing import Any

import numpy as np
import tflite

from ascnode_gateware.model.layers import Int8, Int32, ModelError, Rescale, Tensor, Window
from ascnode_gateware.model.quantise import INT8_MAX, INT8_MIN, quantise_multiplier, quantise_value
from ascnode_gateware.model.tflite_graph import Graph

MAX_WINDOW = 4096  # of a kernel, stride or dilation along one axis: what a node's CPU takes, too
# Real bounds of a fused activation; None leaves that end to int8.
_CLAMPS: dict[int, tuple[float | None, float | None]] = {
    tflite.ActivationFunctionType.NONE: (None, None),
    tflite.ActivationFunctionType.RELU: (0.0, None),
    tflite.ActivationFunctionType.RELU6: (0.0, 6.0),
    tflite.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
}


class Operator:
    """What the layer readers ask of an operator; every failed check is one ModelError that names the layer."""

    def __init__(self, graph: Graph, index: int, op: str, table: Any, known: dict[int, Tensor]) -> None:
        self.index, self.op, self._graph, self._table = index, op, graph, table
        outputs, self._inputs = table.OutputsLength(), table.InputsLength()
        self.require(
            outputs == 1 and 1 <= self._inputs <= 3, f"has {self._inputs} inputs and {outputs} outputs"
        )
        self._known = known
        self.input = self.computed(0)
        self.output = graph.activation(table.Outputs(0))
        self.require(self.output.id not in known, f"writes tensor {self.output.id} a second time")

    def require(self, condition: bool, complaint: str) -> None:
        if not condition:
            raise ModelError(f"layer {self.index} ({self.op}) {complaint}")

    def computed(self, position: int) -> Tensor:
        """The activation at an input position, which the model's input or an earlier layer must give."""
        tensor_id = self._input_id(position)
        self.require(tensor_id in self._known, f"reads tensor {tensor_id}, which no layer before it computes")
        return self._known[tensor_id]

    def options(self, kind: Any) -> Any:
        """The operator's options, read as the table class `kind`."""
        raw = self._table.BuiltinOptions()
        found = raw is not None and self._table.BuiltinOptionsType() == getattr(
            tflite.BuiltinOptions, kind.__name__
        )
        self.require(found, f"has no {kind.__name__}")
        options = kind()
        options.Init(raw.Bytes, raw.Pos)
        return options

    def numbers(self, position: int) -> Int32:
        """A constant int32 input, such as the widths of a padding."""
        constant: Int32 = self._graph.constant(self._input_id(position), np.int32)
        return constant

    def weights(self, dimensions: int) -> Int8:
        """The constant int8 weights at input position 1; their zero points must be 0."""
        weights: Int8 = self._graph.constant(self._input_id(1), np.int8)
        _, zero_points = self._graph.quantisation(self._input_id(1))
        self.require(weights.ndim == dimensions, f"has weights of shape {weights.shape}")
        self.require(not zero_points.any(), "has weights with a zero point, which cannot run")
        return weights

    def bias(self, channels: int) -> Int32:
        """int32 [channels]; zeros when the file leaves it out."""
        if self._inputs < 3 or self._table.Inputs(2) == -1:
            return np.zeros(channels, np.int32)
        bias = self.numbers(2)
        self.require(bias.shape == (channels,), f"has a bias of shape {bias.shape} for {channels} channels")
        return bias

    def clamp(self, activation: int) -> tuple[int, int]:
        """The int8 range that a fused activation leaves of the output."""
        self.require(activation in _CLAMPS, f"has the fused activation {activation}, which cannot run")
        low, high = (None if real is None else self._quantised(real) for real in _CLAMPS[activation])
        found = (
            INT8_MIN if low is None else max(INT8_MIN, low),
            INT8_MAX if high is None else min(INT8_MAX, high),
        )
        self.require(found[0] <= found[1], "has an activation whose range is empty")
        return found

    def rescale(self, channels: int, axis: int, activation: int) -> Rescale:
        """Multipliers from the scales of input, weights (one, or one a channel along `axis`) and output."""
        scales, _ = self._graph.quantisation(self._input_id(1))
        self.require(len(scales) in (1, channels), f"has {len(scales)} weight scales for {channels} channels")
        along = len(scales) == 1 or self._graph.quantised_axis(self._input_id(1)) == axis
        self.require(along, "has weight scales along another axis than its channels")
        pairs = [quantise_multiplier(self._factor(float(scale), len(scales))) for scale in scales]
        table = np.broadcast_to(np.array(pairs, np.int32), (channels, 2))
        return Rescale(table[:, 0].copy(), table[:, 1].copy(), *self.clamp(activation))

    def window(self, options: Any, kernel: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Window:
        """Strides and padding (tensorflow/lite/kernels/padding.h) of a kernel (height, width) on one image."""
        strides = (options.StrideH(), options.StrideW())
        numbers = (*strides, *kernel, *dilation)
        legal = min(numbers) >= 1 and max(numbers) <= MAX_WINDOW
        self.require(legal, f"has a kernel of {kernel}, strides of {strides}, dilation of {dilation}")
        self.require(len(self.input.shape) == len(self.output.shape) == 4, "does not map 4 dimensions to 4")
        self.require(
            self.input.shape[0] == self.output.shape[0] == 1, "runs a batch; convert with batch size 1"
        )
        same = options.Padding() == tflite.Padding.SAME
        pads = [self._pad(axis, kernel[axis], strides[axis], dilation[axis], same) for axis in (0, 1)]
        return Window(*kernel, *strides, *dilation, *pads)

    def _pad(self, axis: int, kernel: int, stride: int, dilation: int, same: bool) -> int:
        extent, out = self.input.shape[1 + axis], self.output.shape[1 + axis]
        reach = (kernel - 1) * dilation + 1
        computed = (extent + stride - 1) // stride if same else (extent - reach + stride) // stride
        self.require(
            out == computed, f"has an output of shape {self.output.shape}, which it does not compute"
        )
        return max(0, (out - 1) * stride + reach - extent) // 2

    def _quantised(self, real: float) -> int:
        return quantise_value(real, self.output.scale, self.output.zero_point)

    def _factor(self, weight_scale: float, scales: int) -> float:
        # kernel_util.cc multiplies a fully connected layer's scales in single precision when its weights have one.
        if self.op == "FULLY_CONNECTED" and scales == 1:
            return float(np.float32(self.input.scale) * np.float32(weight_scale)) / self.output.scale
        return self.input.scale * weight_scale / self.output.scale

    def _input_id(self, position: int) -> int:
        self.require(position < self._inputs, f"lacks its input {position}")
        return int(self._table.Inputs(position))
