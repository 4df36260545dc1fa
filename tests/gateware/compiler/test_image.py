"""The .acc file: what is written is read again, and whatever else is read is refused in one sentence."""

import json
import struct
from binascii import crc32
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ascnode_gateware.compiler import Options, compile_file, compile_model
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.image import ImageError, load_image, read_image, write_image
from ascnode_gateware.program.program import Program
from gateware.compiler.checking import noise, run
from gateware.networks import Network, resnet8
from models.golden import DIGITS

HEADER = 20


@cache
def digits() -> bytes:
    return write_image(compile_file(DIGITS))


@cache
def streaming() -> bytes:
    net = Network(5)
    source = net.input(1, 12)
    model = read_model(net.build(source, net.dense(net.dense(source, 9), 3)))
    return write_image(compile_model(model, options=Options(stream="always")))


def sections(image: bytes) -> list[tuple[int, int, bytes]]:
    found, offset = [], HEADER
    while offset < len(image):
        kind, address, length = struct.unpack_from("<III", image, offset)
        found.append((kind, address, image[offset + 16 : offset + 16 + length]))
        offset += 16 + length
    return found


def assembled(parts: list[tuple[int, int, bytes]], version: int = 1, model_id: int = 7) -> bytes:
    """An image with right lengths and CRCs, whatever its parts say."""
    body = b""
    for kind, address, data in parts:
        head = struct.pack("<III", kind, address, len(data))
        body += head + struct.pack("<I", crc32(head + data)) + data
    head = struct.pack("<4sHHII", b"ASAC", version, len(parts), HEADER + len(body), model_id)
    return head + struct.pack("<I", crc32(head)) + body


def described(image: bytes, change: Callable[[Any], object]) -> bytes:
    """The image with its description changed."""
    (kind, address, data), *rest = sections(image)
    info = json.loads(data)
    change(info)
    text = json.dumps(info, sort_keys=True, separators=(",", ":")).encode()
    return assembled([(kind, address, text + b" " * (-len(text) % 4)), *rest])


def test_a_program_survives_the_file() -> None:
    model = read_model(resnet8(), drop_final_softmax=True)
    for options in (Options(), Options(stream="always")):
        program = compile_model(model, options=options, name="ic", cpu_ops=("SOFTMAX",))
        again = read_image(write_image(program))
        for name in ("model_id", "name", "jobs", "program_address", "ring_base", "ring_blocks"):
            assert getattr(again, name) == getattr(program, name)
        assert (again.input, again.output, again.layers) == (program.input, program.output, program.layers)
        assert again.cpu_ops == ("SOFTMAX",)
        np.testing.assert_array_equal(again.stream, program.stream)
        np.testing.assert_array_equal(again.memory, program.memory)
        image = noise(model, 4, 3)[3]
        np.testing.assert_array_equal(run(again, image), run(program, image))


def test_the_header_by_hand() -> None:
    program = compile_file(DIGITS)
    magic, version, count, length, model_id, crc = struct.unpack_from("<4sHHIII", digits())
    assert (magic, version, length) == (b"ASAC", 1, len(digits()))
    assert (count, model_id) == (1 + len(program.segments), crc32(DIGITS.read_bytes()) & 0x3FFFFFFF)
    assert crc == crc32(digits()[:16])


def test_same_model_same_bytes() -> None:
    assert write_image(compile_file(DIGITS)) == digits()
    assert write_image(read_image(streaming())) == streaming()


@pytest.mark.parametrize("source", [digits, streaming])
def test_no_flipped_bit_is_read(source: Callable[[], bytes]) -> None:
    image = source()
    step = max(1, len(image) // 400)
    for position in [*range(64), *range(64, len(image), step)]:
        damaged = bytearray(image)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(ImageError):
            read_image(bytes(damaged))


def test_no_part_of_a_file_is_read() -> None:
    for length in [*range(60), *range(60, len(digits()), 97)]:
        with pytest.raises(ImageError):
            read_image(digits()[:length])
    with pytest.raises(ImageError, match="should have"):
        read_image(digits() + b"\0\0\0\0")


def test_another_file_and_another_version_are_told_apart() -> None:
    with pytest.raises(ImageError, match=r"no \.acc image: its first four bytes are not ASAC"):
        read_image(DIGITS.read_bytes())
    with pytest.raises(ImageError, match="has version 2; this release reads 1: compile the model again"):
        read_image(assembled(sections(digits()), version=2))


def wrong(key: str, value: object) -> Callable[[Any], object]:
    return lambda info: info.__setitem__(key, value)


DESCRIPTIONS: dict[str, tuple[Callable[[Any], object], str]] = {
    "entry missing": (lambda info: info.pop("ring"), "has no entry ring"),
    "entry more": (wrong("extra", 1), "holds more than its program"),
    "text for a number": (wrong("program_address", "0"), "wrong program_address: 0"),
    "truth for a number": (wrong("program_address", True), "wrong program_address: True"),
    "address past memory": (wrong("program_address", 0x8000), "wrong program_address"),
    "address of no job": (wrong("program_address", 1), "jobs at 0x0001 do not end with END"),
    "ring over a bank's end": (wrong("ring", [0x3FC0, 2]), "wrong ring"),
    "ring without a stream": (wrong("ring", [0x3FC0, 1]), "stream of 0 words and 1 ring blocks"),
    "layers that are none": (wrong("layers", [3]), "entry 0 of the image's layers is no JSON object"),
    "input larger than its shape": (lambda i: i["input"].update(rows=9), "image's input has a wrong shape"),
    "output past a bank": (lambda i: i["output"].update(address=0x3FFF), "image's output has a wrong shape"),
    "a scale of 0": (lambda info: info["output"].update(scale=0.0), "wrong scale"),
    "a huge shape": (lambda info: info["output"].update(shape=[1 << 60]), "wrong shape"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_that_lies_is_refused(name: str) -> None:
    change, complaint = DESCRIPTIONS[name]
    with pytest.raises(ImageError, match=complaint):
        read_image(described(digits(), change))


def test_descriptions_that_are_no_json_are_refused() -> None:
    rest = sections(digits())[1:]
    for text in (b"[" * 100_000, b"\xff\xfe\0\0", b"{}{}", b"nul ", b'"NaN"   '):
        with pytest.raises(ImageError, match=r"description|no JSON object"):
            read_image(assembled([(1, 0, text), *rest]))


def test_sections_that_do_not_belong_are_refused() -> None:
    first, *segments = sections(streaming())
    segment, stream = segments[0], segments[-1]
    cases = {
        "not one description": [first, first, *segments],
        "not one description, segments": [first, stream, segment],
        "at most one stream": [first, *segments, stream],
        "of kind 9": [first, (9, 0, b"1234"), *segments],
        "has no place": [first, segment, (2, segment[1], b"1234"), stream],
        "segment of 2 words at 0x3fff": [first, (2, 0x3FFF, b"12345678"), stream],
        "segment of 1 words at 0x8000": [first, (2, 0x8000, b"1234"), stream],
        "stream of 1 words": [first, *segments[:-1], (3, 0, b"1234")],
        "only segments have one": [first, *segments[:-1], (3, 4, stream[2])],
        "end at byte": [],
    }
    for complaint, parts in cases.items():
        with pytest.raises(ImageError, match=complaint):
            read_image(assembled(parts))


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "net.acc"
    path.write_bytes(digits())
    found: Program = load_image(path)
    assert found.name == "digits"
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=r"net\.acc: an image has 20\.\.\d+ bytes, this file has 0"):
        load_image(path)
