"""Power that fails at the n-th write of the flash: what was there before, or what was written, and never half of it."""

from pathlib import Path

import pytest

from ascnode.boards.flash_image import read_files
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError
from boards.rig import PROMPT, eventually, rig

SAVES = """
from ascnode_fw.hal.files import FileStore
store = FileStore("")
store.write("/kept", b"old" * 700)
print("saved")
input()
store.write("/kept", b"new" * 700)
print("again")
"""


@pytest.mark.parametrize("halves", [0, 1, 2])
def test_a_cut_at_any_write_leaves_the_file_old_or_new_and_the_board_off(tmp_path: Path, halves: int) -> None:
    found = set()
    with rig(tmp_path, SAVES) as (board, port):
        for number in range(1, 30):
            port.read_until(b"saved\n")
            board.cut_at_write(number, halves)
            port.write(b"\r")
            try:
                eventually(lambda: not board.alive, "cut", 0.4)
            except AssertionError:
                break  # it makes fewer writes
            assert board.events[-1].kind == "off"
            content = read_files(board.flash.read_bytes())["kept"]
            assert content in (b"old" * 700, b"new" * 700)
            found.add(content[:3])
            board.power_on()
        assert 3 < number < 29
        assert found == {b"old", b"new"} or (found == {b"old"} and halves < 2)


def test_a_cut_happens_once(tmp_path: Path) -> None:
    with rig(tmp_path, SAVES) as (board, port):
        port.read_until(b"saved\n")
        board.cut_at_write(1)
        port.write(b"\r")
        eventually(lambda: not board.alive, "cut")
        board.power_on()
        port.read_until(b"saved\n")
        port.write(b"\r")
        port.read_until(b"again\n")
        port.read_until(PROMPT)
        assert (board.alive, board.boots) == (True, 2)


@pytest.mark.parametrize("order", [(0, 0), (-1, 0), (1, 3)])
def test_a_cut_that_makes_no_sense_is_refused(tmp_path: Path, order: tuple[int, int]) -> None:
    with rig(tmp_path, "") as (board, _), pytest.raises(BoardError, match="makes no sense"):
        VirtualBoard.cut_at_write(board, *order)
