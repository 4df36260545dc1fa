"""`.ci/setup`, which every make target begins with: what a machine lacks is one sentence, what is there is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat", "cksum", "rm", "pwd")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with a space in its path, and a bin/ that is all of PATH."""
    folder = tmp_path / "a checkout"
    (folder / ".ci").mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(ROOT / ".ci" / "setup", folder / ".ci")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for tool in TOOLS:
        (folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def setup(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(folder / "bin"), "HOME": str(folder)}
    return subprocess.run(
        ["/bin/sh", ".ci/setup", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def sentence(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("ascnode: ")
    return result.stderr


def test_no_python_is_one_sentence(checkout: Path) -> None:
    assert "needs Python 3.11 or newer" in sentence(setup(checkout))


def test_an_old_python_is_one_sentence(checkout: Path) -> None:
    program(checkout, "python3", "exit 1")  # as the version check of an old one ends
    assert "needs Python 3.11 or newer" in sentence(setup(checkout))


def test_a_python_without_venv_is_one_sentence(checkout: Path) -> None:
    program(checkout, "python3", 'case "$*" in *venv*) exit 1;; esac')
    assert "python3 has no venv module" in sentence(setup(checkout))


def test_no_compiler_is_one_sentence(checkout: Path) -> None:
    program(checkout, "python3", f'exec "{sys.executable}" "$@"')
    assert "needs a C++ compiler" in sentence(setup(checkout))


def with_environment(folder: Path, pip_status: int) -> None:
    # An environment whose pip notes each call and ends as told.
    program(folder, "python3", f'exec "{sys.executable}" "$@"')
    program(folder, "g++", "exit 0")
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        path = folder / ".venv" / "bin" / name
        path.write_text(f'#!/bin/sh\ncase "$*" in *install*) echo "$*" >>called; exit {pip_status};; esac\n')
        path.chmod(0o755)


def test_what_cannot_be_installed_is_one_sentence_and_tried_again(checkout: Path) -> None:
    with_environment(checkout, 1)
    assert "could not install what pyproject.toml names" in sentence(setup(checkout, "test"))
    setup(checkout, "test")
    assert (checkout / "called").read_text().count("install") == 2


def test_it_installs_once_and_then_needs_no_network(checkout: Path) -> None:
    with_environment(checkout, 0)
    assert setup(checkout, "test,lint").returncode == 0
    assert (checkout / "called").read_text().endswith("-e .[test,lint]\n")
    assert setup(checkout, "test,lint").returncode == 0
    assert (checkout / "called").read_text().count("install") == 1
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("# another dependency\n")
    assert setup(checkout, "test,lint").returncode == 0
    assert (checkout / "called").read_text().count("install") == 2


def test_an_environment_of_a_moved_checkout_is_made_anew(checkout: Path) -> None:
    with_environment(checkout, 0)
    pip = checkout / ".venv" / "bin" / "pip"
    pip.write_text("#!/no/such/python\n")
    program(checkout, "python3", 'case "$*" in *"-m venv"*) exit 1;; esac; exit 0')
    result = setup(checkout)
    assert "could not make .venv here" in result.stderr
    assert not os.path.lexists(pip)
