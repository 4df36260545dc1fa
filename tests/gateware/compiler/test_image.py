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
from ascnode_gateware.program.image import (
    ImageError,
    SelfTest,
    load_image,
    read_image,
    read_whole_image,
    write_image,
)
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
    assert (count, model_id) == (2 + len(program.segments), crc32(DIGITS.read_bytes()) & 0x3FFFFFFF)
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
    first, *segments, _ = sections(streaming())  # without RUN, as older files are
    segment, stream = segments[0], segments[-1]
    cases = {
        "not one description": [first, first, *segments],
        "not one description, segments": [first, stream, segment],
        "at most one of each": [first, *segments, stream],
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


def older(image: bytes) -> bytes:
    """The file as compilers wrote it that foretold nothing."""
    kept = [part for part in sections(image) if part[0] <= 3]
    plain = assembled(kept, model_id=struct.unpack_from("<I", image, 12)[0])
    foretold = ("cycles", "input_free_after", "output_kept_until")
    (kind, place, data), *rest = sections(described(plain, lambda info: [info.pop(key) for key in foretold]))
    return assembled([(kind, place, data), *rest], model_id=struct.unpack_from("<I", image, 12)[0])


def test_files_of_older_compilers_are_read() -> None:
    program = read_image(older(digits()))
    assert program.foretold is None
    assert program.jobs == read_image(digits()).jobs


def test_the_run_section_by_hand() -> None:
    program = compile_file(DIGITS)
    [(kind, place, data)] = [part for part in sections(digits()) if part[0] == 4]
    assert (kind, place, len(data)) == (4, 0, 80)
    words = struct.unpack("<14I2i4I", data)
    assert words[:4] == (program.program_address, 0, 0, 0)
    assert words[4] == 3391  # what the Verilog takes, see tests/gateware/device/test_conformance_runs.py
    assert words[7:16] == (64, program.input.address, 8, 8, 8, 1, 1, -1, -128)
    assert words[16:] == (10, program.output.address, 1, 10)


def test_a_cpu_model_and_a_self_test_survive_the_file() -> None:
    program = compile_file(DIGITS)
    test = SelfTest(bytes(range(64)), bytes(range(100, 110)))
    data = write_image(program, cpu_model=b"\x01\x02\x03\x04\x05", self_test=test)
    image = read_whole_image(data)
    assert (image.cpu_model, image.self_test) == (b"\x01\x02\x03\x04\x05", test)
    assert read_image(data).jobs == program.jobs
    found = [(kind, place, len(part)) for kind, place, part in sections(data) if kind > 4]
    assert found == [(5, 5, 8), (6, 64, 76)]


def test_a_self_test_of_another_model_is_refused() -> None:
    program = compile_file(DIGITS)
    with pytest.raises(ValueError, match=r"self-test of \(63, 10\) bytes is none for a model of \(64, 10\)"):
        write_image(program, self_test=SelfTest(bytes(63), bytes(10)))
    parts = [*sections(digits()), (6, 60, bytes(76))]
    with pytest.raises(ImageError, match="self-test has 76 bytes, 60 of them input"):
        read_image(assembled(parts))
    with pytest.raises(ImageError, match="holds more than its program"):
        read_image(assembled([*sections(digits()), (6, 64, bytes(74) + b"no")], model_id=1))


def test_a_run_section_that_says_something_else_is_refused() -> None:
    *parts, (kind, place, data) = sections(digits())
    assert kind == 4
    with pytest.raises(ImageError, match="holds more than its program"):
        read_image(assembled([*parts, (kind, place, data[:16] + b"\x01" + data[17:])]))
