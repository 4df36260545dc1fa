"""The JSON part of an .acc image: names, layouts and the layer table, checked field by field as they are read."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from typing import Any

from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS
from ascnode_gateware.program.program import (
    LANES,
    MEMORY_WORDS,
    Foretold,
    InputLayout,
    LayerInfo,
    OutputLayout,
    Program,
)

_MAX_NUMBER = 1 << 48  # MACs of a layer are the largest
_MAX_CYCLES = (1 << 28) - 1  # of register CYCLES
_MAX_LAYER = 0xFF  # of STATUS.layer
_MAX_TEXT = 1000
_MAX_ENTRIES = 4096


class ImageError(ValueError):
    """An .acc image that cannot be used; the message is one sentence."""


def encode(program: Program) -> bytes:
    """ASCII JSON, the same bytes for the same program."""
    info = {
        "name": program.name,
        "program_address": program.program_address,
        "ring": [program.ring_base, program.ring_blocks],
        "input": asdict(program.input),
        "output": asdict(program.output),
        "layers": [asdict(layer) for layer in program.layers],
        "cpu_ops": program.cpu_ops,
        **({} if program.foretold is None else asdict(program.foretold)),
    }
    return json.dumps(info, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def decode(data: bytes) -> "Info":
    """ImageError names the first entry that is missing, of a wrong type or out of range."""
    try:
        found = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ImageError(f"the image's description is not JSON: {error}") from error
    return Info(Entries(found, "the image's description"))


class Entries:
    """A JSON object whose entries are asked for by type; `what` names it in errors."""

    def __init__(self, found: Any, what: str) -> None:
        if not isinstance(found, dict):
            raise ImageError(f"{what} is no JSON object")
        self._found: Mapping[str, Any] = found
        self._what = what

    def _entry(self, key: str) -> Any:
        if key not in self._found:
            raise ImageError(f"{self._what} has no entry {key}")
        return self._found[key]

    def complain(self, key: str) -> ImageError:
        return ImageError(f"{self._what} has a wrong {key}: {str(self._found.get(key))[:60]}")

    def number(self, key: str, low: int = 0, high: int = _MAX_NUMBER) -> int:
        value = self._entry(key)
        if type(value) is not int or not low <= value <= high:
            raise self.complain(key)
        return value

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def optional(self, key: str, high: int) -> int | None:
        return None if self._entry(key) is None else self.number(key, 0, high)

    def real(self, key: str) -> float:
        value = self._entry(key)
        if type(value) not in (float, int) or not math.isfinite(value) or value <= 0:
            raise self.complain(key)
        return float(value)

    def text(self, key: str) -> str:
        value = self._entry(key)
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise self.complain(key)
        return value

    def numbers(self, key: str, low: int = 1) -> tuple[int, ...]:
        value = self._list(key)
        if not all(type(n) is int and low <= n <= MEMORY_WORDS * LANES for n in value) or len(value) > 8:
            raise self.complain(key)
        return tuple(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._list(key)
        if not all(isinstance(text, str) and len(text) <= _MAX_TEXT for text in value):
            raise self.complain(key)
        return tuple(value)

    def object(self, key: str) -> "Entries":
        return Entries(self._entry(key), f"the image's {key}")

    def objects(self, key: str) -> list["Entries"]:
        return [Entries(item, f"entry {n} of the image's {key}") for n, item in enumerate(self._list(key))]

    def optional_object(self, key: str) -> "Entries | None":
        return None if self._entry(key) is None else self.object(key)

    def _list(self, key: str) -> list[Any]:
        value = self._entry(key)
        if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
            raise self.complain(key)
        return value


class Info:
    """What the description says, checked."""

    def __init__(self, entries: Entries) -> None:
        self.name = entries.text("name")
        self.program_address = entries.number("program_address", 0, MEMORY_WORDS - 1)
        ring = entries.numbers("ring", 0)
        if len(ring) != 2 or not _in_bank(ring[0], ring[1] * RING_BLOCK_WORDS):
            raise entries.complain("ring")
        self.ring_base, self.ring_blocks = ring
        self.input = _input(entries.object("input"))
        self.output = _output(entries.object("output"))
        self.layers = tuple(_layer(layer) for layer in entries.objects("layers"))
        self.cpu_ops = entries.texts("cpu_ops")
        self.foretold = _foretold(entries) if "cycles" in entries else None


def _in_bank(address: int, words: int) -> bool:
    return 0 <= address < MEMORY_WORDS and address % BANK_WORDS + words <= BANK_WORDS


def _foretold(entries: Entries) -> Foretold:
    return Foretold(
        cycles=entries.number("cycles", 1, _MAX_CYCLES),
        input_free_after=entries.optional("input_free_after", _MAX_LAYER),
        output_kept_until=entries.number("output_kept_until", 0, _MAX_LAYER),
    )


def _input(entries: Entries) -> InputLayout:
    counts = [entries.number(key, 1, MEMORY_WORDS) for key in ("rows", "columns", "groups")]
    layout = InputLayout(
        address=entries.number("address", 0, MEMORY_WORDS - 1),
        shape=entries.numbers("shape"),
        scale=entries.real("scale"),
        zero_point=entries.number("zero_point", -128, 127),
        rows=counts[0],
        row_bytes=entries.number("row_bytes", 1, MEMORY_WORDS * LANES),
        columns=counts[1],
        groups=counts[2],
        step=entries.number("step", 0, MEMORY_WORDS * LANES),
        start=entries.number("start", -MEMORY_WORDS, MEMORY_WORDS),
        pad=entries.number("pad", -128, 127),
    )
    if layout.rows * layout.row_bytes != prod(layout.shape) or not _in_bank(layout.address, layout.words):
        raise entries.complain("shape")
    return layout


def _output(entries: Entries) -> OutputLayout:
    layout = OutputLayout(
        address=entries.number("address", 0, MEMORY_WORDS - 1),
        shape=entries.numbers("shape"),
        scale=entries.real("scale"),
        zero_point=entries.number("zero_point", -128, 127),
        pixels=entries.number("pixels", 1, MEMORY_WORDS),
        channels=entries.number("channels", 1, MEMORY_WORDS * LANES),
    )
    if layout.pixels * layout.channels != prod(layout.shape) or not _in_bank(layout.address, layout.words):
        raise entries.complain("shape")
    return layout


def _layer(entries: Entries) -> LayerInfo:
    tensor = entries.optional_object("tensor")
    return LayerInfo(
        index=entries.number("index"),
        op=entries.text("op"),
        tensor_id=entries.number("tensor_id"),
        input_shape=entries.numbers("input_shape"),
        shape=entries.numbers("shape"),
        macs=entries.number("macs"),
        tensor=None if tensor is None else _output(tensor),
        done=entries.optional("done", _MAX_ENTRIES),
        first_job=entries.number("first_job"),
        job_count=entries.number("job_count"),
        weights_address=entries.optional("weights_address", MEMORY_WORDS - 1),
        weight_words=entries.number("weight_words"),
        stream_words=entries.number("stream_words"),
        note=entries.text("note"),
    )
