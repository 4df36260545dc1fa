"""Checked access to the tables of a .tflite file; everything here may meet a hostile file.

The flatbuffers runtime for Python has no verifier. Counts are checked against the file's size before anything
loops over them, and `guarded` turns whatever a corrupt offset causes into one ModelError.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from ascnode_gateware.model.layers import ModelError, Tensor

MAX_ELEMENTS = 1 << 24  # of one tensor; far above anything a node could hold

# What a wrong offset or length makes flatbuffers and NumPy raise.
_CORRUPT = (
    struct.error,
    IndexError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)


@contextmanager
def guarded() -> Iterator[None]:
    """Any failure inside, ModelErrors aside, means that the file is corrupt."""
    try:
        yield
    except ModelError:
        raise
    except _CORRUPT as error:
        raise ModelError(f"the file is not a readable .tflite model: {error}") from error


class Graph:
    """The only subgraph of a .tflite file, with its operators, activations and constants."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 8 or data[4:8] != b"TFL3":
            raise ModelError("the file is not a .tflite model: its identifier is not TFL3")
        self._size = len(data)
        self._model = tflite.Model.GetRootAs(data, 0)
        if self._model.SubgraphsLength() != 1:
            raise ModelError(f"the model has {self._model.SubgraphsLength()} subgraphs; only one can run")
        self._graph = self._model.Subgraphs(0)

    def operators(self) -> Iterator[tuple[int, str, Any]]:
        """(index, TFLite's name, operator table), in the order they run."""
        for index in range(self._bounded(self._graph.OperatorsLength())):
            operator = self._graph.Operators(index)
            yield index, self._op_name(operator.OpcodeIndex()), operator

    def ends(self) -> tuple[int, int]:
        """Ids of the model's only input and only output."""
        inputs, outputs = self._graph.InputsLength(), self._graph.OutputsLength()
        if (inputs, outputs) != (1, 1):
            raise ModelError(f"the model has {inputs} inputs and {outputs} outputs; only one of each can run")
        return int(self._graph.Inputs(0)), int(self._graph.Outputs(0))

    def activation(self, tensor_id: int) -> Tensor:
        """Shape and quantisation of an int8 tensor that a layer computes, or that the model takes."""
        table = self._tensor(tensor_id)
        # Files made small have no names.
        name = (table.Name() or b"").decode("utf-8", "replace") or str(tensor_id)
        if table.Type() != tflite.TensorType.INT8:
            raise ModelError(
                f"tensor {name} is not int8; quantise the model fully to int8, input and output too"
            )
        scales, zero_points = self.quantisation(tensor_id)
        if len(scales) != 1 or len(zero_points) != 1:
            raise ModelError(f"tensor {name} has no single scale and zero point")
        if not -128 <= zero_points[0] <= 127:
            raise ModelError(f"tensor {name} has the zero point {zero_points[0]}, outside int8")
        return Tensor(tensor_id, name, self.shape(tensor_id), float(scales[0]), int(zero_points[0]))

    def shape(self, tensor_id: int) -> tuple[int, ...]:
        """Dimensions, each at least 1."""
        table = self._tensor(tensor_id)
        if self._bounded(table.ShapeLength()) > 8:
            raise ModelError(f"tensor {tensor_id} has {table.ShapeLength()} dimensions")
        shape = tuple(int(table.Shape(axis)) for axis in range(table.ShapeLength()))
        if any(n < 1 for n in shape) or prod(shape) > MAX_ELEMENTS:
            raise ModelError(f"tensor {tensor_id} has the shape {shape}, which cannot run")
        return shape

    def quantisation(self, tensor_id: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Scales, finite and above 0, and zero points; both empty when the tensor is not quantised."""
        table = self._tensor(tensor_id).Quantization()
        if table is None or not table.ScaleLength():
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        scales = np.array(table.ScaleAsNumpy(), np.float32)
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ModelError(f"tensor {tensor_id} has a scale that is not a positive number")
        return scales, np.array(table.ZeroPointAsNumpy(), np.int64).reshape(-1)

    def quantised_axis(self, tensor_id: int) -> int:
        """The dimension along which a tensor's scales run; it must have some."""
        return int(self._tensor(tensor_id).Quantization().QuantizedDimension())

    def constant(self, tensor_id: int, kind: type[np.int8] | type[np.int32]) -> npt.NDArray[Any]:
        """The stored numbers of a constant tensor, in its shape; `kind` must be its type."""
        table = self._tensor(tensor_id)
        wanted = {np.int8: tflite.TensorType.INT8, np.int32: tflite.TensorType.INT32}[kind]
        if table.Type() != wanted:
            raise ModelError(f"constant tensor {tensor_id} is not {kind.__name__}")
        if table.Sparsity() is not None:
            raise ModelError(f"constant tensor {tensor_id} is stored sparse, which cannot run")
        raw = self._model.Buffers(self._below(table.Buffer(), self._model.BuffersLength())).DataAsNumpy()
        if not isinstance(raw, np.ndarray):
            raise ModelError(f"tensor {tensor_id} should be a constant but holds no data")
        return np.frombuffer(raw.tobytes(), np.dtype(kind).newbyteorder("<")).reshape(self.shape(tensor_id))

    def _op_name(self, opcode_index: int) -> str:
        code = self._model.OperatorCodes(self._below(opcode_index, self._model.OperatorCodesLength()))
        number = max(
            code.BuiltinCode(), code.DeprecatedBuiltinCode()
        )  # files before schema 3a use the latter
        return str(tflite.BUILTIN_OPCODE2NAME.get(number, f"operator code {number}"))

    def _tensor(self, tensor_id: int) -> Any:
        return self._graph.Tensors(self._below(tensor_id, self._graph.TensorsLength()))

    def _bounded(self, count: int) -> int:
        if count > self._size:
            raise ModelError(f"the file claims {count} entries in {self._size} bytes")
        return count

    @staticmethod
    def _below(index: int, count: int) -> int:
        if not 0 <= index < count:
            raise ModelError(f"the file refers to entry {index} of {count}")
        return index
