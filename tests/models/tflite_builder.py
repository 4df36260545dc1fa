"""Writes small .tflite files, so that TFLite Micro and ascnode can be given any layer to disagree about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

_TYPES = {np.dtype(np.int8): tflite.TensorType.INT8, np.dtype(np.int32): tflite.TensorType.INT32}


@dataclass
class TensorSpec:
    """A tensor; `data` makes it a constant, else `shape` tells an int8 activation's."""

    shape: tuple[int, ...] = ()
    data: npt.NDArray[Any] | None = None
    scales: Sequence[float] = ()
    zero_points: Sequence[int] = ()
    axis: int = 0
    kind: int | None = None

    def dimensions(self) -> tuple[int, ...]:
        return self.shape if self.data is None else self.data.shape

    def type(self) -> int:
        if self.kind is not None:
            return self.kind
        return tflite.TensorType.INT8 if self.data is None else _TYPES[self.data.dtype]


@dataclass
class OpSpec:
    """An operator by TFLite's name; `options` names its table class and the fields to add to it."""

    op: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: str = ""
    fields: dict[str, int] = field(default_factory=dict)


def build(
    tensors: Sequence[TensorSpec],
    ops: Sequence[OpSpec],
    inputs: Sequence[int],
    outputs: Sequence[int],
    named: bool = True,
) -> bytes:
    """The file's bytes; tensor ids are positions in `tensors`."""
    builder = flatbuffers.Builder(1024)
    data = [np.zeros(0, np.uint8)] + [t.data for t in tensors if t.data is not None]
    buffers = _tables(builder, [_buffer(builder, array) for array in data])
    numbers = iter(range(1, len(data)))
    offsets = [
        _tensor(builder, n, t, next(numbers) if t.data is not None else 0, named)
        for n, t in enumerate(tensors)
    ]
    tensor_table = _tables(builder, offsets)
    op_table = _tables(builder, [_operator(builder, n, op) for n, op in enumerate(ops)])
    code_table = _tables(builder, [_code(builder, op.op) for op in ops])
    ends = _numbers(builder, inputs, "<i4"), _numbers(builder, outputs, "<i4")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_table)
    tflite.SubGraphAddInputs(builder, ends[0])
    tflite.SubGraphAddOutputs(builder, ends[1])
    tflite.SubGraphAddOperators(builder, op_table)
    graphs = _tables(builder, [tflite.SubGraphEnd(builder)])
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, code_table)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _tables(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _numbers(builder: Any, values: Sequence[float], dtype: str) -> int:
    return int(builder.CreateNumpyVector(np.array(values, dtype)))


def _buffer(builder: Any, array: npt.NDArray[Any]) -> int:
    raw = np.frombuffer(array.tobytes(), np.uint8)
    builder.StartVector(1, len(raw), 16)  # TFLite Micro reads constants in place and wants them aligned
    builder.head -= len(raw)
    builder.Bytes[builder.head : builder.head + len(raw)] = raw.tobytes()
    data = builder.EndVector()
    tflite.BufferStart(builder)
    if len(raw):
        tflite.BufferAddData(builder, data)
    return int(tflite.BufferEnd(builder))


def _tensor(builder: Any, number: int, spec: TensorSpec, buffer: int, named: bool) -> int:
    name = builder.CreateString(f"t{number}")
    shape = _numbers(builder, spec.dimensions(), "<i4")
    quantisation = _quantisation(builder, spec) if spec.scales else 0
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, spec.type())
    tflite.TensorAddBuffer(builder, buffer)
    if named:
        tflite.TensorAddName(builder, name)
    if quantisation:
        tflite.TensorAddQuantization(builder, quantisation)
    return int(tflite.TensorEnd(builder))


def _quantisation(builder: Any, spec: TensorSpec) -> int:
    scales = _numbers(builder, spec.scales, "<f4")
    zero_points = _numbers(builder, spec.zero_points or [0] * len(spec.scales), "<i8")
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scales)
    tflite.QuantizationParametersAddZeroPoint(builder, zero_points)
    tflite.QuantizationParametersAddQuantizedDimension(builder, spec.axis)
    return int(tflite.QuantizationParametersEnd(builder))


def _operator(builder: Any, number: int, spec: OpSpec) -> int:
    inputs = _numbers(builder, spec.inputs, "<i4")
    outputs = _numbers(builder, spec.outputs, "<i4")
    options = _options(builder, spec) if spec.options else 0
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, number)
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, spec.options))
        tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))


def _options(builder: Any, spec: OpSpec) -> int:
    call: Callable[[str], Any] = lambda verb: getattr(tflite, spec.options + verb)  # noqa: E731
    call("Start")(builder)
    for name, value in spec.fields.items():
        call(f"Add{name}")(builder, value)
    return int(call("End")(builder))


def _code(builder: Any, op: str) -> int:
    number = {name: code for code, name in tflite.BUILTIN_OPCODE2NAME.items()}[op]
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
    tflite.OperatorCodeAddVersion(builder, 1)
    tflite.OperatorCodeAddBuiltinCode(builder, number)
    return int(tflite.OperatorCodeEnd(builder))
