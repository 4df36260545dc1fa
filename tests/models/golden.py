"""TFLite Micro, the golden inference, and the files that tests look at beside the checkout."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DIGITS = REPOSITORY / "host" / "ascnode" / "models" / "data" / "digits.tflite"
_SHARED = REPOSITORY.parent / "shared" / "data" / "mlperf_tiny"


def mlperf_tiny(name: str) -> Path:
    """A model of MLPerf Tiny (github: mlcommons/tiny); skips the test where it is not."""
    path = _SHARED / name
    if not path.is_file():
        pytest.skip(f"no {name}: get it from mlcommons/tiny on GitHub into ../shared/data/mlperf_tiny")
    return path


class Golden:
    """TFLite Micro with one model; skips the test where the package is not."""

    def __init__(self, model: bytes) -> None:
        runtime = pytest.importorskip("tflite_micro", reason="no tflite-micro for this platform").runtime
        keep = runtime.InterpreterConfig.kPreserveAllTensors
        self._model = model  # the interpreter reads it in place
        self._interpreter: Any = runtime.Interpreter.from_bytes(
            model, arena_size=1_000_000, intrepreter_config=keep
        )

    def run(self, image: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """int8 [1, ...] to int8 [1, ...]."""
        self._interpreter.set_input(image, 0)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_output(0))

    def tensor(self, tensor_id: int) -> npt.NDArray[np.int8]:
        """An activation of the last run."""
        return np.array(self._interpreter.GetTensor(tensor_id, 0)["tensor_data"])
