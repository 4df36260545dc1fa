"""The flash of a virtual board: images that host and board both read, and power cuts at every operation."""

from pathlib import Path

import pytest

from ascnode.boards.flash_image import build_image, read_files
from ascnode.errors import BoardError
from boards.rig import PROMPT, rig
from unix_port import run_micropython

HERE = Path(__file__).resolve().parent

CUT_EVERYWHERE = """
from cutting import cut_everywhere
from ascnode_fw.hal.files import FileStore
OLD = bytes(range(1, 201)) * {size}
NEW = bytes(range(100, 256)) * {size}
seen = [0, 0]

def prepare(root):
    FileStore(root).write("other", b"untouched")
    {prepare}

def action(root):
    FileStore(root).write("value", NEW)

def check(root):
    store = FileStore(root)
    assert store.read("other") == b"untouched"
    got = store.read("value")
    assert got in ({old}, NEW), got and len(got)
    seen[got == NEW] += 1
    store.write("value", NEW)
    assert store.read("value") == NEW

cuts = cut_everywhere(prepare, action, check)
print(cuts, seen[0], seen[1])
"""


@pytest.mark.parametrize("size", [1, 30])
def test_a_write_cut_at_any_operation_leaves_the_old_or_the_new_value(size: int) -> None:
    script = CUT_EVERYWHERE.format(size=size, prepare="FileStore(root).write('value', OLD)", old="OLD")
    cuts, old, new = (int(word) for word in run_micropython(script, path=[HERE]).split())
    # Every round but the uncut one was cut; the commit is one of the last operations.
    assert cuts == old + new - 1
    assert old > new > 1


def test_a_first_write_cut_at_any_operation_leaves_nothing_or_the_new_value() -> None:
    script = CUT_EVERYWHERE.format(size=1, prepare="pass", old="None")
    cuts, absent, new = (int(word) for word in run_micropython(script, path=[HERE]).split())
    assert cuts == absent + new - 1
    assert absent > new > 1


def test_a_store_that_overwrites_in_place_is_found_out_by_the_cuts() -> None:
    # The cutting flash is worth something only if it catches a store that is not safe.
    script = CUT_EVERYWHERE.format(size=1, prepare="FileStore(root).write('value', OLD)", old="OLD").replace(
        'FileStore(root).write("value", NEW)', "careless(root)"
    )
    script = script.replace(
        "def action",
        """def careless(root):
    import os
    os.remove(root + "/value")
    with open(root + "/value", "wb") as file:
        file.write(NEW)

def action""",
    )
    with pytest.raises(Exception, match="AssertionError"):
        run_micropython(script, path=[HERE])


def test_files_from_the_host_are_read_by_the_board_and_the_other_way_round(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    files = {"deep/er/data.bin": data, "lib/there.py": b"answer = 42\n"}
    main = """
import os, there
with open("/deep/er/data.bin", "rb") as file:
    data = file.read()
os.mkdir("/made")
with open("/made/here.bin", "wb") as file:
    file.write(bytes(reversed(data)))
os.remove("/deep/er/data.bin")
print(len(data), there.answer)
"""
    with rig(tmp_path, main, files) as (board, port):
        assert port.read_until(PROMPT).startswith(b"10240 42\n")
        board.power_off()
        found = read_files(board.flash.read_bytes())
    assert found["made/here.bin"] == data[::-1]
    assert "deep/er/data.bin" not in found
    assert found["lib/there.py"] == b"answer = 42\n"


def test_a_board_sees_its_flash_and_nothing_of_this_machine(tmp_path: Path) -> None:
    with rig(tmp_path, "") as (_, port):
        port.read_until(PROMPT)
        assert port.run("import os, sys; sorted(os.listdir('/')), sys.path, os.getcwd()") == (
            b"(['lib', 'main.py'], ['', '.frozen', '/lib'], '/')\n"
        )
        assert b"ENOENT" in port.run("open('/etc/passwd')")


@pytest.mark.parametrize(("profile", "board_bytes"), [("rp2040", 228 * 1024), ("esp32", 110 * 1024)])
def test_a_heap_is_as_large_as_the_board_has(tmp_path: Path, profile: str, board_bytes: int) -> None:
    # Objects, which take twice the room on this machine: a list that grows until the heap is full.
    main = """
import gc
def fill():
    chain = None
    count = 0
    try:
        while True:
            chain = [chain]
            count += 1
    except MemoryError:
        return count
count = fill()
gc.collect()
print(gc.mem_free() + gc.mem_alloc(), count)
"""
    with rig(tmp_path, main, profile=profile) as (_, port):
        total, count = (int(word) for word in port.read_until(b"\n").split())
        assert port.read_until(PROMPT)  # out of memory is an error of the program, not its end
    # MicroPython spends 2 bits in 16 bytes (32-bit: 1/64 of the heap and more) on its tables.
    assert 0.95 * board_bytes < total / 2 <= board_bytes
    # A list of one takes its header block and 4 slots: 16 + 16 bytes on the board, 32 + 32 here.
    assert 0.85 * board_bytes / 32 < count <= board_bytes / 32


def test_files_that_do_not_fit_are_refused_with_both_sizes() -> None:
    with pytest.raises(BoardError, match="1 files of 2000000 bytes do not fit a flash of 1441792 bytes"):
        build_image({"big": bytes(2_000_000)}, 352)


def test_an_image_that_holds_no_file_system_is_one_clear_error() -> None:
    with pytest.raises(BoardError, match="the flash image cannot be read"):
        read_files(bytes(352 * 4096))
