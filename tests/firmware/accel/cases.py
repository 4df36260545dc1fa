"""Writes the case files of checks.py and runs them on either interpreter."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnode.models.image import compile_image
from ascnode_fw.accel import kernel_portable, layout
from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.reference import Reference
from firmware.accel import checks
from unix_port import run_micropython

KERNELS = ("cpython portable", "micropython portable", "micropython viper")
_SIMPLE = {layout.OUT_W: 1, layout.OUT_C: 1, layout.HIGH: 255}


def run(check: str, kernel: str, path: Path) -> dict[str, int]:
    """cases, wrong and allocated of one check with one of KERNELS."""
    interpreter, name = kernel.split()
    if interpreter == "micropython":
        script = Path(checks.__file__)
        found: dict[str, int] = json.loads(run_micropython(script, check, str(path), name, timeout_s=60))
        return found
    with path.open("rb") as file:
        results = getattr(checks, f"check_{check}")(kernel_portable, file)
    return dict(zip(("cases", "wrong", "allocated"), results, strict=True))


def write(path: Path, blocks: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(struct.pack("<I", len(block)) + block for block in blocks))
    return path


def image_blocks(model: Model, images: npt.NDArray[np.int8]) -> list[bytes]:
    """The blocks of one model with the reference's answers to `images`."""
    return [compile_image(model), images.tobytes(), Reference(model).run(images).tobytes()]


def rescale_blocks(vectors: npt.NDArray[np.int64]) -> list[bytes]:
    """Rows of sum, multiplier, shift and expected, 4,000 to a block."""
    return [vectors[n : n + 4000].astype("<i4").tobytes() for n in range(0, len(vectors), 4000)]


def requantise_blocks(vectors: npt.NDArray[np.int64], seed: int) -> list[bytes]:
    """One row of two pixels a block, 250 channels each; every sum split at random into accumulator and bias."""
    rng = np.random.default_rng(seed)
    blocks = []
    for n in range(0, len(vectors) - 249, 250):
        channels = vectors[n : n + 250]
        blocks += _requantise_block(channels, rng)
    return blocks


def _requantise_block(channels: npt.NDArray[np.int64], rng: np.random.Generator) -> list[bytes]:
    x, multiplier, shift, expected = channels.T
    low, high = sorted(int(n) for n in rng.integers(0, 256, 2))
    zero = int(rng.integers(0, 256))
    sums = rng.integers(0, 2**30 - 2**16, len(x))  # what a kernel may hold (layout.SUM_OFFSET)
    bias = (x - sums) & 0xFFFFFFFF
    table = np.stack(
        [bias >> 16, bias & 0xFFFF, multiplier >> 20, multiplier >> 10 & 1023, multiplier & 1023, shift + 31],
        axis=1,
    )
    out = np.clip(expected + zero, low, high).astype(np.uint8)
    words = layer_words(
        {layout.OUT_C: len(x), layout.OUT_W: 2, layout.ZERO_OUT: zero, layout.LOW: low, layout.HIGH: high}
    )
    twice = np.concatenate([sums, sums]).astype("<i4")
    return [words, table.astype("<u2").tobytes(), twice.tobytes(), np.concatenate([out, out]).tobytes()]


def layer_words(changes: dict[int, Any]) -> bytes:
    """Words of a layer in RAM, 0 save for `changes`."""
    values = _SIMPLE | changes
    return struct.pack(f"<{layout.RAM_WORDS}i", *(values.get(n, 0) for n in range(layout.RAM_WORDS)))
