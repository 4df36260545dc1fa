"""Whole networks with seeded random weights, written as .tflite files: shapes that matter, no training.

Architectures: MobileNetV1 (Howard et al. 2017, width 0.25 at 96x96 as MLPerf Tiny's visual wake words has it),
ResNet-8 (MLPerf Tiny's image classification), and a one-dimensional depthwise-separable net for streaming wake words.
"""

from dataclasses import dataclass, field

import numpy as np
import tflite

from models.tflite_builder import OpSpec, TensorSpec, build

_RELU = tflite.ActivationFunctionType.RELU
_SAME, _VALID = tflite.Padding.SAME, tflite.Padding.VALID


@dataclass
class Network:
    """Adds layers one by one; a layer's method returns its output's tensor id. Scales keep outputs within int8."""

    seed: int
    tensors: list[TensorSpec] = field(default_factory=list)
    ops: list[OpSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def input(self, *shape: int) -> int:
        return self._activation(shape, 0.05, int(self._rng.integers(-20, 20)))

    def conv(
        self,
        source: int,
        channels: int,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        *,
        padding: int = _SAME,
        relu: bool = True,
        dilation: tuple[int, int] = (1, 1),
    ) -> int:
        shape = self.tensors[source].shape
        weights = self._weights((channels, *kernel, shape[3]))
        out = (*self._slid(shape, kernel, stride, dilation, padding), channels)
        fields = self._window(stride, dilation, padding, relu)
        return self._weighted("CONV_2D", "Conv2DOptions", fields, source, out, weights, 0, relu)

    def depthwise(
        self,
        source: int,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        *,
        padding: int = _SAME,
        dilation: tuple[int, int] = (1, 1),
    ) -> int:
        shape = self.tensors[source].shape
        weights = self._weights((1, *kernel, shape[3]))
        out = (*self._slid(shape, kernel, stride, dilation, padding), shape[3])
        fields = {**self._window(stride, dilation, padding, True), "DepthMultiplier": 1}
        return self._weighted(
            "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", fields, source, out, weights, 3, True
        )

    def dense(self, source: int, channels: int, relu: bool = False) -> int:
        shape = self.tensors[source].shape
        weights = self._weights((channels, int(np.prod(shape[1:]))))
        fields = {"FusedActivationFunction": _RELU if relu else 0}
        return self._weighted(
            "FULLY_CONNECTED", "FullyConnectedOptions", fields, source, (1, channels), weights, 0, relu
        )

    def pool(
        self,
        source: int,
        op: str,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        *,
        padding: int = _VALID,
    ) -> int:
        spec = self.tensors[source]
        out = (*self._slid(spec.shape, kernel, stride, (1, 1), padding), spec.shape[3])
        fields = {"StrideH": stride[0], "StrideW": stride[1], "Padding": padding}
        fields |= {"FilterHeight": kernel[0], "FilterWidth": kernel[1]}
        return self._op(op, "Pool2DOptions", fields, [source], self._like(source, out))

    def reshape(self, source: int, *shape: int) -> int:
        self.tensors.append(TensorSpec(data=np.array(shape, np.int32)))
        constant = len(self.tensors) - 1
        return self._op("RESHAPE", "ReshapeOptions", {}, [source, constant], self._like(source, shape))

    def pad(self, source: int, *widths: tuple[int, int]) -> int:
        """Of each dimension (before, after)."""
        self.tensors.append(TensorSpec(data=np.array(widths, np.int32)))
        constant = len(self.tensors) - 1
        shape = tuple(n + sum(w) for n, w in zip(self.tensors[source].shape, widths, strict=True))
        return self._op("PAD", "PadOptions", {}, [source, constant], self._like(source, shape))

    def add(self, one: int, two: int, relu: bool = True) -> int:
        scale = float(self.tensors[one].scales[0] + self.tensors[two].scales[0]) * 0.7
        point = -128 if relu else int(self._rng.integers(-20, 20))
        out = self._activation(self.tensors[one].shape, scale, point)
        return self._op(
            "ADD", "AddOptions", {"FusedActivationFunction": _RELU if relu else 0}, [one, two], out
        )

    def softmax(self, source: int) -> int:
        out = self._activation(self.tensors[source].shape, 1 / 256, -128)
        return self._op("SOFTMAX", "SoftmaxOptions", {"Beta": 1}, [source], out)

    def build(self, source: int, output: int) -> bytes:
        return build(self.tensors, self.ops, [source], [output])

    def _activation(self, shape: tuple[int, ...], scale: float, point: int) -> int:
        self.tensors.append(TensorSpec(shape, scales=[scale], zero_points=[point]))
        return len(self.tensors) - 1

    def _like(self, source: int, shape: tuple[int, ...]) -> int:
        spec = self.tensors[source]
        return self._activation(shape, spec.scales[0], spec.zero_points[0])

    def _weights(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._rng.integers(-128, 128, shape).astype(np.int8)

    def _op(self, op: str, options: str, fields: dict[str, int], inputs: list[int], out: int) -> int:
        self.ops.append(OpSpec(op, inputs, [out], options, fields))
        return out

    @staticmethod
    def _window(
        stride: tuple[int, int], dilation: tuple[int, int], padding: int, relu: bool
    ) -> dict[str, int]:
        return {
            "StrideH": stride[0],
            "StrideW": stride[1],
            "DilationHFactor": dilation[0],
            "DilationWFactor": dilation[1],
            "Padding": padding,
            "FusedActivationFunction": _RELU if relu else 0,
        }

    @staticmethod
    def _slid(
        shape: tuple[int, ...],
        kernel: tuple[int, int],
        stride: tuple[int, int],
        dilation: tuple[int, int],
        padding: int,
    ) -> tuple[int, int, int]:
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        whole = [n if padding == _SAME else n - r + 1 for n, r in zip(shape[1:3], reach, strict=True)]
        return (1, *(-(-n // s) for n, s in zip(whole, stride, strict=True)))  # type: ignore[return-value]

    def _weighted(
        self,
        op: str,
        options: str,
        fields: dict[str, int],
        source: int,
        shape: tuple[int, ...],
        weights: np.ndarray,
        axis: int,
        relu: bool,
    ) -> int:
        channels, scale_in = weights.shape[axis], float(self.tensors[source].scales[0])
        scales = 0.01 * 2.0 ** self._rng.uniform(-1, 1, channels)
        taps = weights.size // channels
        # Products of two uniform bytes spread by 74^2; a sum of `taps` of them by the root of taps more.
        scale_out = float(scale_in * 0.01 * 74 * 74 * np.sqrt(taps) / 50)
        out = self._activation(shape, scale_out, -128 if relu else int(self._rng.integers(-20, 20)))
        bias = self._rng.integers(-20_000, 20_000, channels).astype(np.int32)
        bias[self._rng.random(channels) < 0.05] = -(2**30)  # dead, as some trained channels are
        self.tensors.append(TensorSpec(data=weights, scales=list(scales), axis=axis))
        self.tensors.append(TensorSpec(data=bias, scales=list(scale_in * scales), axis=0))
        constants = len(self.tensors) - 2
        return self._op(op, options, fields, [source, constants, constants + 1], out)


def mobilenet_v1(seed: int = 1, size: int = 96) -> bytes:
    """MobileNetV1 0.25 on size x size x 3, two classes, softmax at the end."""
    net = Network(seed)
    source = net.input(1, size, size, 3)
    x = net.conv(source, 8, (3, 3), (2, 2))
    for channels, stride in zip(
        (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256),
        (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1),
        strict=True,
    ):
        x = net.conv(net.depthwise(x, (3, 3), (stride, stride)), channels, (1, 1))
    extent = net.tensors[x].shape[1]
    x = net.pool(x, "AVERAGE_POOL_2D", (extent, extent), (extent, extent))
    x = net.dense(net.reshape(x, 1, 256), 2)
    return net.build(source, net.softmax(x))


def resnet8(seed: int = 2, size: int = 32) -> bytes:
    """ResNet-8 on size x size x 3, ten classes, softmax at the end."""
    net = Network(seed)
    source = net.input(1, size, size, 3)
    x = net.conv(source, 16, (3, 3))
    x = net.add(x, net.conv(net.conv(x, 16, (3, 3)), 16, (3, 3), relu=False))
    for channels in (32, 64):
        y = net.conv(net.conv(x, channels, (3, 3), (2, 2)), channels, (3, 3), relu=False)
        x = net.add(net.conv(x, channels, (1, 1), (2, 2), relu=False), y)
    extent = net.tensors[x].shape[1]
    x = net.pool(x, "AVERAGE_POOL_2D", (extent, extent), (extent, extent))
    x = net.dense(net.reshape(x, 1, 64), 10)
    return net.build(source, net.softmax(x))


def wake_word(seed: int = 3, steps: int = 58) -> bytes:
    """A one-dimensional depthwise-separable net on `steps` frames of 40 features, three classes."""
    net = Network(seed)
    source = net.input(1, steps, 1, 40)
    x = source
    for channels, kernel, stride in (
        (128, 3, 2),
        (128, 5, 1),
        (128, 10, 1),
        (32, 15, 1),
    ):
        x = net.depthwise(x, (kernel, 1), (stride, 1), padding=_VALID)
        x = net.conv(x, channels, (1, 1), padding=_VALID)
    extent = net.tensors[x].shape[1]
    x = net.dense(net.reshape(x, 1, extent * 32), 3)
    return net.build(source, net.softmax(x))
