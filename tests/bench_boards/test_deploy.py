"""The firmware onto a board at its REPL, through mpremote's transport: only what changed, proved, never half."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards import deploy, flashing, identity
from ascnode.boards.discovery import Found
from ascnode.boards.flash_image import read_files
from ascnode.boards.kinds import KINDS
from ascnode.boards.locks import BoardLock
from ascnode.boards.repl import Repl
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError, DictionaryMismatchError, WrongBoardError
from ascnode_fw.wire import dictionary as d
from bench_boards.desk import firmware_files
from boards.rig import PROMPT, rig

CHIP = "0123456789abcdef"
ID = {"board.id": bytes.fromhex(CHIP)}
VIRTUAL = KINDS["virtual"]


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def board(tmp_path: Path) -> Iterator[VirtualBoard]:
    """At the REPL, with some of an older firmware and a file of its user's."""
    old = {"lib/ascnode_fw/retired.py": b"1/0\n", "notes/mine.txt": b"keep me"}
    with rig(tmp_path, "", {**ID, **old}) as (board, port):
        port.read_until(PROMPT)
        port.serial.close()
        yield board


def target(board: VirtualBoard, kind: str = "virtual", chip_id: str | None = CHIP) -> flashing.Target:
    return flashing.Target(KINDS[kind], board.port, chip_id, look=lambda: [])


def flash_of(board: VirtualBoard) -> dict[str, bytes]:
    board.power_off()
    return read_files(board.flash.read_bytes())


def test_all_of_it_then_nothing_then_only_what_changed(board: VirtualBoard) -> None:
    said: list[str] = []
    files = firmware_files()
    chip = flashing.deploy_firmware(target(board), files, said.append)
    assert (chip.chip_id, chip.commandable) == (CHIP, True)
    # The rig's hal is source, as are what it imports and the __init__ files: all of them give way to the compiled ones.
    assert any(text.startswith(f"wrote {len(files)} files, removed 7") for text in said), said
    flashing.deploy_firmware(target(board), files, said.append)
    assert said[-1] == f"wrote 0 files, removed 0, kept {len(files)}"
    flashing.deploy_firmware(
        target(board), files, said.append, again={"plant.bin": files["plant.bin"], "extra.bin": b"new"}
    )
    assert said[-1].startswith("wrote 1 files, removed 0")
    expected = {**files, **ID, "notes/mine.txt": b"keep me", "extra.bin": b"new"}
    after = flash_of(board)
    assert {name: after[name] for name in expected} == expected
    assert not [name for name in after if "retired" in name or name.endswith(".new")]


def test_keys_and_parameters_of_a_board_are_not_replaced(board: VirtualBoard) -> None:
    first, second = firmware_files(0), firmware_files(1)
    assert first["keys.bin"] != second["keys.bin"]
    flashing.deploy_firmware(target(board), first, lambda text: None)
    flashing.deploy_firmware(target(board), second, lambda text: None)
    assert flash_of(board)["keys.bin"] == first["keys.bin"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(board: VirtualBoard) -> None:
    said: list[str] = []
    flashing.deploy_firmware(target(board), firmware_files(), said.append, dry_run=True)
    assert "  write  main.py" in said[-1]
    assert "  remove lib/ascnode_fw/retired.py" in said[-1]
    after = flash_of(board)
    assert "lib/ascnode_fw/retired.py" in after
    assert after["main.py"] == b""


@pytest.mark.parametrize(
    ("kind", "chip_id", "sentence"),
    [
        ("rp2040", CHIP, "is a virtual .*not a rp2040: nothing was written"),
        ("virtual", "fedcba9876543210", f"is board {CHIP}, not fedcba9876543210: nothing was written"),
    ],
)
@pytest.mark.parametrize("flown", [False, True], ids=["at the REPL", "in its firmware"])
def test_the_wrong_board_is_refused_untouched(
    board: VirtualBoard, kind: str, chip_id: str, sentence: str, flown: bool
) -> None:
    if flown:
        flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)
    boots = board.boots
    with pytest.raises(WrongBoardError, match=sentence):
        flashing.deploy_firmware(target(board, kind, chip_id), firmware_files(1), lambda text: None)
    if flown:
        assert board.boots == boots  # it was not even asked to leave its firmware
        assert identity.probe(board.port).commandable
    assert ("lib/ascnode_fw/retired.py" in flash_of(board)) is not flown


def test_a_board_that_flies_for_another_process_is_not_disturbed(board: VirtualBoard) -> None:
    flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)
    boots = board.boots
    with BoardLock(CHIP), pytest.raises(BoardError, match=f"board {CHIP} is in use"):
        flashing.deploy_firmware(target(board), firmware_files(1), lambda text: None)
    assert board.boots == boots


def test_a_board_with_another_dictionary_is_still_asked_to_leave_its_firmware_and_flashed(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    flashing.deploy_firmware(target(board), firmware_files(), said.append)
    monkeypatch.setattr(d, "digest", lambda: bytes.fromhex("123456789abcdef0"))
    probed = identity.probe(board.port)
    assert (probed.chip_id, probed.commandable) == (CHIP, False)
    with pytest.raises(DictionaryMismatchError, match="123456789abcdef0"):
        flashing.deploy_firmware(target(board), firmware_files(), said.append)
    assert said[-1].startswith("wrote 0 files")


def test_a_chip_of_the_same_family_is_another_chip() -> None:
    esp32, s3 = (
        identity.Chip("p", "a0b1c2d3e4f5", chip, "MicroPython 1.27.0") for chip in ("esp32", "esp32s3")
    )
    identity.require(esp32, KINDS["esp32"], None)
    identity.require(s3, KINDS["esp32s3"], None)
    for chip, kind in ((esp32, "esp32s3"), (s3, "esp32"), (esp32, "rp2040")):
        with pytest.raises(WrongBoardError, match=f"p is a {chip.chip} .*not a {kind}"):
            identity.require(chip, KINDS[kind], None)


class Unplugged(Repl):
    """Its port goes after so many files, in the middle of the next."""

    board: VirtualBoard
    files = 0

    def write_file(self, path: str, data: bytes, progress: object = None) -> None:
        self.files -= 1
        if self.files < 0:
            super().write_file(path, data[: len(data) // 2])
            self.board.cut()
            self.board.close()
        super().write_file(path, data)


@pytest.mark.parametrize("files", [0, 7, 51])
def test_a_board_unplugged_in_the_middle_is_one_sentence_and_the_next_flash_finishes(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    Unplugged.board = board
    monkeypatch.setattr(Unplugged, "files", files)
    monkeypatch.setattr(flashing, "Repl", Unplugged)
    with pytest.raises(BoardError, match=rf"^{board.port}: writing .*: the port went away") as caught:
        flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(flashing, "Repl", Repl)
    with VirtualBoard(board.flash) as again:
        again.power_on()
        # Not half a firmware: without main.py it waits at its REPL.
        assert identity.probe(again.port).firmware.startswith("MicroPython")
        assert flashing.deploy_firmware(target(again), firmware_files(), lambda text: None).commandable


def test_a_flown_board_unplugged_in_an_update_does_not_start_with_half_of_it(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)
    update = {f"lib/ascnode_fw/new{n}.mpy": bytes(3000) for n in range(3)}
    Unplugged.board = board
    monkeypatch.setattr(Unplugged, "files", 1)
    monkeypatch.setattr(flashing, "Repl", Unplugged)
    with pytest.raises(BoardError, match="the port went away"):
        flashing.deploy_firmware(target(board), firmware_files(), lambda text: None, again=update)
    with VirtualBoard(board.flash) as again:
        again.power_on()
        assert identity.probe(again.port).firmware.startswith("MicroPython")


def test_a_file_that_arrives_damaged_is_found_by_the_boards_own_hash(
    board: VirtualBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damages(Repl):
        def write_file(self, path: str, data: bytes, progress: object = None) -> None:
            super().write_file(
                path, data[:-1] + bytes((data[-1] ^ 1,)) if path.startswith("plant.bin") else data
            )

    monkeypatch.setattr(flashing, "Repl", Damages)
    with pytest.raises(
        BoardError, match=r"plant.bin on the board is not what was written \(1 files differ\)"
    ):
        flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)


def test_a_full_flash_is_named(tmp_path: Path) -> None:
    with rig(tmp_path, "", {**ID, "mine.bin": bytes(1_340_000)}) as (board, port):
        port.read_until(PROMPT)
        port.serial.close()
        refuse_full(board)


def refuse_full(board: VirtualBoard) -> None:
    with pytest.raises(BoardError, match=r"writing .*: the board said No space left on device"):
        flashing.deploy_firmware(target(board), firmware_files(), lambda text: None)


def test_a_dead_port_is_one_sentence() -> None:
    master, slave = os.openpty()
    with (
        pytest.raises(BoardError, match=r"no REPL, tried twice for 0\.2 s"),
        Repl(os.ttyname(slave), enter_s=0.2),
    ):
        pass
    os.close(master)
    os.close(slave)


def test_one_of_several_boards_is_never_guessed() -> None:
    ports = [Found(f"/dev/ttyACM{n}", "", "rp2", "2e8a:0005", f"{n:016x}") for n in range(2)]
    ports.append(Found("/dev/ttyUSB0", "", "esp32", "10c4:ea60", ""))
    look = lambda: ports  # noqa: E731
    rp2040 = KINDS["rp2040"]
    with pytest.raises(BoardError, match=r"2 boards could be meant .*ttyACM0.*ttyACM1.*--port or --bench"):
        flashing.choose_port(flashing.Target(rp2040, look=look))
    assert flashing.choose_port(flashing.Target(KINDS["esp32"], look=look)) == "/dev/ttyUSB0"
    assert flashing.choose_port(flashing.Target(rp2040, chip_id=f"{1:016x}", look=look)) == "/dev/ttyACM1"
    assert flashing.choose_port(flashing.Target(rp2040, port="/dev/x", look=look)) == "/dev/x"
    with pytest.raises(BoardError, match="no boards found: plug one in"):
        flashing.choose_port(flashing.Target(rp2040, look=lambda: []))


def test_the_plan_writes_main_last_and_removes_only_in_our_folder() -> None:
    names = ["main.py", "lib/ascnode_fw/node.mpy", "zebra.bin"]
    on_board = {"lib/ascnode_fw/node.py": "0" * 64, "lib/other.py": "1" * 64, "notes.txt": "2" * 64}
    todo = deploy.plan(dict.fromkeys(names, b"x"), {"keys.bin": b"k", "notes.txt": b"n"}, on_board)
    assert todo.write == ("keys.bin", "lib/ascnode_fw/node.mpy", "zebra.bin", "main.py")
    assert todo.remove == ("lib/ascnode_fw/node.py",)
    assert todo.keep == ("lib/other.py", "notes.txt")
