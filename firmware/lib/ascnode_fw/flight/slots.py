"""Which of two models, and which firmware, a node uses: small files, replaced at once.

A slot is chosen only once what is in it has been verified, so a power cut leaves the old choice or the new one. The
firmware's file is also read and written by the board's loader (board/main.py), which never changes: its format is a
contract between the two.
"""

import struct
from binascii import crc32
from collections import namedtuple

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NamedTuple

    from ascnode_fw.protocols import Accelerator, Engine, Store

    class Firmware(NamedTuple):
        confirmed: int
        trial: int
        boots: int
        cause: int
        trial_s: int

else:
    # slots 0 (as delivered), 1 and 2; `trial` 0: none; `boots` that it has left; why the last one was rolled back, 0
    # when it was not; how long it may go unconfirmed
    Firmware = namedtuple("Firmware", ("confirmed", "trial", "boots", "cause", "trial_s"))

MODELS = ("model", "model_b")  # a slot's files have these suffixes
CPU_IMAGE = ".bin"
PROGRAM = ".acc"  # the accelerator's, where the model has one
FIRMWARES = ("", "fw_a", "fw_b")  # folders; what a board was delivered with is frozen, or in /lib
MODEL_FILE = "model.slot"
FIRMWARE_FILE = "firmware.slot"
UPDATE_HEAD = "update/head"  # there while an update is on its way up

# Why a firmware was rolled back; the loader gives the same numbers.
UNCONFIRMED = 1
CRASHED = 2
COMMANDED = 3
DAMAGED = 4

_FIRMWARE = "<BBBBBI"
_VERSION = 1


def model(store: "Store") -> int:
    # The slot of the model in use; the delivered one when nothing, or nonsense, was chosen.
    data = _intact(store.read(MODEL_FILE))
    return data[0] if len(data) == 1 and data[0] < len(MODELS) else 0


def choose_model(store: "Store", slot: int) -> None:
    _write(store, MODEL_FILE, bytes((slot,)))


def load_model(
    store: "Store", load: "Callable[[str], tuple[Accelerator, Engine | None]]"
) -> "tuple[Accelerator, Engine | None]":
    # The chosen model, by `load` of its slot's name; the other one when that cannot be loaded. ValueError: neither can.
    slot = model(store)
    try:
        return load(MODELS[slot])
    except (ValueError, MemoryError):
        if store.crc(MODELS[1 - slot] + CPU_IMAGE) < 0:
            raise
    return load(MODELS[1 - slot])


def firmware(store: "Store") -> Firmware:
    data = _intact(store.read(FIRMWARE_FILE))
    if len(data) != struct.calcsize(_FIRMWARE) or data[0] != _VERSION:
        return Firmware(0, 0, 0, 0, 0)
    found = Firmware(*struct.unpack(_FIRMWARE, data)[1:])
    return found if max(found[:2]) < len(FIRMWARES) else Firmware(0, 0, 0, 0, 0)


def choose_firmware(store: "Store", chosen: Firmware) -> None:
    _write(store, FIRMWARE_FILE, struct.pack(_FIRMWARE, _VERSION, *chosen))


def _write(store: "Store", name: str, data: bytes) -> None:
    store.write(name, data + struct.pack("<I", crc32(data)))


def _intact(stored: "bytes | None") -> bytes:
    if stored is None or len(stored) < 4 or struct.pack("<I", crc32(stored[:-4])) != stored[-4:]:
        return b""
    return stored[:-4]
