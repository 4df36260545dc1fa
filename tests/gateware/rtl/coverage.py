"""Functional coverage of layers that ran and were equal: what each was, measured on the file and on its program."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import tflite

from ascnode_gateware.compiler import Options
from ascnode_gateware.model.layers import Convolution, Depthwise, FullyConnected, Layer, Model, Pool
from ascnode_gateware.model.tflite_graph import Graph
from ascnode_gateware.program.program import Program
from gateware.rtl.wide_layers import AIMS, OTHERS, SET_PIXELS, SLIDING, Aim
from gateware.rtl.wide_numbers import SHIFTS

_PADDINGS = {tflite.Padding.SAME: "SAME", tflite.Padding.VALID: "VALID"}
_OPTIONS = {
    "CONV_2D": tflite.Conv2DOptions,
    "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
    "AVERAGE_POOL_2D": tflite.Pool2DOptions,
    "MAX_POOL_2D": tflite.Pool2DOptions,
}
_ENDS = (-128, 127)
_KERNELS = range(1, 9)
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass
class Coverage:
    """Cells of `Aim`, and points that each count by themselves."""

    cells: Counter[Aim] = field(default_factory=Counter)
    points: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def add(self, data: bytes, model: Model, program: Program, options: Options) -> None:
        """Of a model whose last layer is the one in question."""
        self.cells[_cell(data, model, program)] += 1
        self.points.update(_points(model.layers[-1], options))

    def missing_cells(self) -> list[Aim]:
        return [aim for aim in AIMS if not self.cells[aim]]

    def missing_points(self) -> list[tuple[Any, ...]]:
        return [point for point in POINTS if not self.points[point]]

    def table(self) -> str:
        """Rows of operator, padding and place of the weights, columns of stride and tiles; each with layers and with
        how many of the four remainders of channels it had."""
        columns = [*product((0, 1, 2, 3, 4), (False, True))]
        heads = [f"{s or '-'} {'tiles' if tiled else 'one'}" for s, tiled in columns]
        lines = [f"{'operator':18}{'padding':8}{'weights':10}" + "".join(f"{head:>9}" for head in heads)]
        sliding = product(SLIDING, ("SAME", "VALID"), (False, True))
        for op, padding, streamed in (*sliding, *product(OTHERS, ("",), (False, True))):
            place = "streamed" if streamed else "resident"
            entries = [self._entry(op, padding, s, tiled, streamed) for s, tiled in columns]
            lines.append(f"{op:18}{padding or '-':8}{place:10}" + "".join(f"{e:>9}" for e in entries))
        cells, points = len(AIMS) - len(self.missing_cells()), len(POINTS) - len(self.missing_points())
        layers = self.cells.total()
        lines.append(f"{layers} layers, {cells} of {len(AIMS)} cells, {points} of {len(POINTS)} points")
        return "\n".join(lines)

    def _entry(self, op: str, padding: str, stride: int, tiled: bool, streamed: bool) -> str:
        counts = [self.cells[Aim(op, padding, stride, tiled, rest, streamed)] for rest in range(4)]
        aimed = (stride == 0) == (padding == "")
        return f"{sum(counts)} ({sum(map(bool, counts))}/4)" if aimed else ""


def _cell(data: bytes, model: Model, program: Program) -> Aim:
    layer = model.layers[-1]
    padding = _padding(data, layer)
    stride = layer.window.stride_w if isinstance(layer, Convolution | Depthwise | Pool) else 0
    own_job = all(info.tensor is not None for info in program.layers)
    op = f"{layer.op} unfused" if layer.op == "ADD" and own_job else layer.op
    tiled = program.output.pixels > SET_PIXELS
    return Aim(op, padding, stride, tiled, layer.output.shape[-1] % 4, program.stream_blocks > 0)


def _padding(data: bytes, layer: Layer) -> str:
    kind = _OPTIONS.get(layer.op)
    if kind is None:
        return ""
    table = next(table for index, _, table in Graph(data).operators() if index == layer.index)
    options, raw = kind(), table.BuiltinOptions()
    options.Init(raw.Bytes, raw.Pos)
    return _PADDINGS[options.Padding()]


def _points(layer: Layer, options: Options) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = {(layer.op, "folding", options.fold_constants)}
    found |= {("input point", layer.input.zero_point), ("output point", layer.output.zero_point)}
    if isinstance(layer, Convolution | Depthwise | FullyConnected):
        found |= _weighted_points(layer)
    if isinstance(layer, Convolution | Depthwise | Pool):
        w = layer.window
        found |= {(layer.op, "kernel_h", w.kernel_h), (layer.op, "kernel_w", w.kernel_w)}
        found.add((layer.op, "stride_h", w.stride_h))
        found.add((layer.op, "dilated", w.dilation_h > 1 or w.dilation_w > 1))
    if isinstance(layer, Convolution):
        found.add(("channels", layer.input.shape[-1] % 4, layer.output.shape[-1] % 4))
    return found


def _weighted_points(layer: Convolution | Depthwise | FullyConnected) -> set[tuple[Any, ...]]:
    rescale, flat = layer.rescale, layer.weights.reshape(-1)
    live = rescale.multiplier != 0
    found: set[tuple[Any, ...]] = {("shift", int(shift)) for shift in rescale.shift[live]}
    found.add((layer.op, "multiplier 0", not live.all()))
    found.add((layer.op, "all -128", bool((flat == -128).all())))
    found |= {("bias", int(bias)) for bias in layer.bias if abs(int(bias)) >= 2**30}
    return found


def _aimed_points() -> frozenset[tuple[Any, ...]]:
    """Of `_points`, what the generator aims at."""
    operators = {aim.op.split()[0] for aim in AIMS}
    found: set[tuple[Any, ...]] = {(op, "folding", choice) for op in operators for choice in (False, True)}
    found |= {(end, value) for end in ("input point", "output point") for value in _ENDS}
    found |= {(op, side, size) for op in SLIDING for side in ("kernel_h", "kernel_w") for size in _KERNELS}
    found |= {(op, "stride_h", stride) for op in SLIDING for stride in range(1, 5)}
    found |= {(op, "dilated", True) for op in _WEIGHTED[:2]}
    found |= {("channels", inputs, outputs) for inputs in range(4) for outputs in range(4)}
    found |= {("shift", shift) for shift in SHIFTS}
    found |= {(op, kind, True) for op in _WEIGHTED for kind in ("multiplier 0", "all -128")}
    found |= {("bias", bias) for bias in (2**30, -(2**30), 2**31 - 1, -(2**31))}
    return frozenset(found)


POINTS = sorted(_aimed_points(), key=str)
