"""What the `ascnode accel` commands share: errors as one sentence, input files, report files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ascnode.errors import AscnodeError, StoppedError
from ascnode_gateware.model.layers import Int8, ModelError
from ascnode_gateware.program.executor_arithmetic import ExecutionError
from ascnode_gateware.program.image import ImageError
from ascnode_gateware.synth.process import GatewareError

REPORT_SCHEMA = 1
CLOCK_MHZ = 24.0  # of the iCE40UP5K boards
_FILE_COLUMNS = 200


def open_console() -> Console:
    """Tables go to files and pipes whole, however narrow the terminal is."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_COLUMNS)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns what models, gateware and its tools complain about into the command's one sentence."""
    try:
        yield
    except (ModelError, GatewareError, ImageError, ExecutionError) as error:
        raise AscnodeError(str(error)) from None
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C") from None
    except ModuleNotFoundError as error:
        raise AscnodeError(
            f"the Python package {error.name} is missing: pip install ascnode[gateware]"
        ) from None


def read_file(path: Path) -> bytes:
    """The file's bytes; AscnodeError names the file that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror}") from None


def load_inputs(path: Path, shape: tuple[int, ...]) -> tuple[Int8, bool]:
    """int8 [n, *shape without its leading 1] from a .npy file, and whether the file holds a batch.

    The file's array is int8 of the model's `shape` (or that without its leading 1), or a batch [n, ...] of those.
    """
    array = _load_npy(path)
    inner = shape[1:]
    if array.dtype != np.int8:
        raise AscnodeError(
            f"{path} holds {array.dtype}; the model takes int8 (quantise by its scale and zero point)"
        )
    if array.shape == inner:
        return array[np.newaxis], False
    if array.ndim == len(shape) and array.shape[1:] == inner and len(array):
        return array, True
    raise AscnodeError(
        f"{path} holds an array of shape {array.shape}; the model takes {inner} or (n, {', '.join(map(str, inner))})"
    )


def _load_npy(path: Path) -> Any:
    """Any array but a pickled one, whose loading could run code."""
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise AscnodeError(f"{path} is not a .npy file of numbers: {' '.join(str(error).split())}") from None


def save_npy(path: Path, array: Int8) -> None:
    """AscnodeError when it cannot be written; the file's name is `path`, whatever its suffix."""
    try:
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror}") from None


def save_json(path: Path, values: dict[str, Any]) -> None:
    """Keys sorted, so that two reports can be compared as text."""
    text = json.dumps({"schema": REPORT_SCHEMA, **values}, indent=2, sort_keys=True) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AscnodeError(f"{path}: {error.strerror}") from None
