"""A model as it comes by radio: its node image, its program for an accelerator if it has one, then a self-test.

self-test   magic "ACST", input size u16, output size u16, little-endian, then both
"""

import struct
from collections import namedtuple

from ascnode_fw.accel.layout import HEADER, HEADER_BYTES, MAGIC

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple

    class Package(NamedTuple):
        image_bytes: int
        program_bytes: int
        input: bytes
        output: bytes

else:
    Package = namedtuple("Package", ("image_bytes", "program_bytes", "input", "output"))

SELF_TEST = "<4sHH"
SELF_TEST_MAGIC = b"ACST"
PROGRAM = "<4sHHI"  # how a .acc begins: magic, version, sections, its length (accel/program.py)
PROGRAM_MAGIC = b"ASAC"


def open_package(read: "Callable[[int, int], bytes]", size: int) -> Package:
    # `read(at, n)` gives bytes of a package of `size`; ValueError when it is none.
    magic, _, _, image_bytes, _, _ = struct.unpack(HEADER, read(0, HEADER_BYTES))
    if magic != MAGIC:
        raise ValueError("package: no model, by its first bytes")
    magic, _, _, program_bytes = struct.unpack(PROGRAM, read(image_bytes, struct.calcsize(PROGRAM)))
    if magic != PROGRAM_MAGIC:
        program_bytes = 0
    at = image_bytes + program_bytes
    magic, inputs, outputs = struct.unpack(SELF_TEST, read(at, struct.calcsize(SELF_TEST)))
    at += struct.calcsize(SELF_TEST)
    if magic != SELF_TEST_MAGIC or at + inputs + outputs != size:
        raise ValueError("package: its self-test is missing or of a wrong length")
    return Package(image_bytes, program_bytes, read(at, inputs), read(at + inputs, outputs))
