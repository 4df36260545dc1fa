"""What goes up to a node: a model with its self-test, or a firmware's files, and who signed it."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from ascnode.errors import PushError
from ascnode_fw.accel.package import SELF_TEST, SELF_TEST_MAGIC
from ascnode_fw.flight import install
from ascnode_fw.flight.transfer import BLOCK, BLOCKS_MAX, CHUNK, Head, signed_text
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import sign

_LIB = "lib/"


@dataclass(frozen=True)
class Package:
    """An image for nodes. `kind` is the dictionary's; `model_id` 0 for a firmware; `version` of a firmware."""

    kind: int
    data: bytes
    model_id: int = 0
    version: str = ""

    @property
    def hash(self) -> bytes:
        """SHA-256."""
        return hashlib.sha256(self.data).digest()

    @property
    def mark(self) -> int:
        """The hash's first four bytes: how a node's status names the image."""
        return int.from_bytes(self.hash[:4], "big")

    @property
    def blocks(self) -> int:
        """Of flash, that a node stages it in."""
        return -(-len(self.data) // BLOCK)

    def chunks(self) -> list[tuple[int, bytes]]:
        """(offset, bytes) of what one telecommand carries."""
        return [(at, self.data[at : at + CHUNK]) for at in range(0, len(self.data), CHUNK)]

    def signed(self, key: bytes, key_index: int) -> bytes:
        """What an update_begin carries behind its arguments: hash and signature under a node's key."""
        head = Head(self.kind, key_index, len(self.data), self.hash, b"")
        return self.hash + sign(key, signed_text(head))


def model_package(image: bytes, data: bytes, expected: bytes, program: bytes = b"") -> Package:
    """A node image with a self-test: an input, and the output that it must give. PushError when it is too large.

    `program`: the same model's for an accelerator (.acc); a node without one leaves it out.
    """
    test = struct.pack(SELF_TEST, SELF_TEST_MAGIC, len(data), len(expected)) + data + expected
    model_id = struct.unpack_from("<I", image, 12)[0]
    return _checked(Package(d.UPDATE_MODEL, image + program + test, model_id))


def firmware_package(files: Mapping[str, bytes], mpy: int, version: str) -> Package:
    """The files of lib/ as boards/firmware.py makes them, for boards of that `mpy`; PushError when it is too large."""
    names = sorted(name for name in files if name.startswith(_LIB + install.PACKAGE))
    data = struct.pack(install.HEADER, install.MAGIC, install.VERSION, len(names), mpy)
    for name in names:
        short, content = name.removeprefix(_LIB).encode(), files[name]
        data += struct.pack(install.ENTRY, len(short), len(content), crc32(content)) + short + content
    return _checked(Package(d.UPDATE_FIRMWARE, data, version=version))


def _checked(package: Package) -> Package:
    most = BLOCKS_MAX * BLOCK
    if len(package.data) > most:
        raise PushError(f"an image of {len(package.data):,} bytes: a node takes up to {most:,}")
    return package
