"""The loader that no update touches: it and the firmware read what the other writes, and it always has a slot."""

import pytest

from ascnode.boards.firmware import loader
from ascnode.twin.store import MemoryStore
from ascnode_fw import node
from ascnode_fw.flight import commands, computer, slots, transfer
from ascnode_fw.flight import update_words as u_

LOADER = loader()


@pytest.mark.parametrize("record", [(1, 2, 3, 0, 7200), (2, 0, 0, 1, 0), (0, 1, 255, 0, (1 << 28) - 1)])
def test_both_read_what_the_other_writes(record: tuple[int, ...]) -> None:
    by_firmware, by_loader = MemoryStore({}), MemoryStore({})
    slots.choose_firmware(by_firmware, slots.Firmware(*record))
    LOADER.choose(by_loader, list(record))
    assert by_firmware.files == by_loader.files
    assert tuple(slots.firmware(by_loader)) == tuple(LOADER.chosen(by_firmware)) == record


@pytest.mark.parametrize("damage", [b"", b"\1", b"\1\3\0\0\0\0\0\0\0", bytes(13), b"\xff" * 40])
def test_a_damaged_choice_is_the_firmware_as_delivered(damage: bytes) -> None:
    store = MemoryStore({slots.FIRMWARE_FILE: damage})
    assert LOADER.start_slot(store) == 0
    assert tuple(slots.firmware(store)) == (0, 0, 0, 0, 0)


def test_a_trial_loses_a_boot_before_it_starts_and_ends_with_the_last() -> None:
    store = MemoryStore({})
    LOADER.choose(store, [1, 2, 2, 0, 600])
    assert [LOADER.start_slot(store) for _ in range(4)] == [2, 2, 1, 1]
    assert tuple(slots.firmware(store)) == (1, 0, 0, slots.UNCONFIRMED, 0)


@pytest.mark.parametrize(
    ("record", "slot", "again", "after"),
    [
        ([1, 2, 1, 0, 600], 2, True, (1, 0, 0, slots.CRASHED, 0)),
        ([2, 0, 0, 0, 0], 2, True, (0, 0, 0, slots.DAMAGED, 0)),
        ([0, 0, 0, 0, 0], 0, False, (0, 0, 0, 0, 0)),
    ],
    ids=["on trial", "confirmed, and damaged since", "as delivered"],
)
def test_what_does_not_start_gives_way_to_the_one_before(
    record: list[int], slot: int, again: bool, after: tuple[int, ...]
) -> None:
    store = MemoryStore({})
    if slot:
        LOADER.choose(store, record)
    assert LOADER.roll_back(store, slot) is again
    assert tuple(slots.firmware(store)) == after


def test_folders_and_causes_are_the_same_on_both_sides() -> None:
    assert tuple(f"/{folder}" if folder else "" for folder in slots.FIRMWARES) == LOADER.FOLDERS
    causes = (LOADER.UNCONFIRMED, LOADER.CRASHED, LOADER.DAMAGED)
    assert causes == (slots.UNCONFIRMED, slots.CRASHED, slots.DAMAGED)
    assert LOADER.FILE == slots.FIRMWARE_FILE


def test_numbers_that_are_repeated_to_save_memory_are_the_same() -> None:
    assert (node._UPDATE_DUE, node._UPDATE_STATE, node._UPDATE_RESET_NOW) == (u_.DUE, u_.STATE, u_.RESET_NOW)
    assert (commands._UPDATE_STATE, commands._UPDATE_WAITING) == (u_.STATE, u_.WAITING)
    assert (computer._UPDATE_WORDS, len(u_.NAMES)) == (u_.WORDS, u_.WORDS)
    assert node._UPDATE_BUFFER == 1 + transfer.BLOCK
