"""What --ascnode-board may name."""

from pathlib import Path

import pytest

from ascnode_hil.errors import HilUsageError
from ascnode_hil.target import Target, parse_target
from hil.running import run_pytest


@pytest.mark.parametrize(
    ("text", "target", "hardware"),
    [
        ("virtual", Target("virtual"), False),
        ("twin", Target("twin"), False),
        ("serial:/dev/ttyACM0", Target("serial", ("/dev/ttyACM0",)), True),
        ("bench:nadir,zenith", Target("bench", ("nadir", "zenith")), True),
    ],
)
def test_boards_by_name(text: str, target: Target, hardware: bool) -> None:
    assert parse_target(text) == target
    assert parse_target(text).hardware == hardware


def test_workers_begin_with_different_boards() -> None:
    target = parse_target("bench:a,b,c")
    assert [target.turned(worker).names[0] for worker in range(4)] == ["a", "b", "c", "a"]
    assert parse_target("virtual").turned(3) == Target("virtual")


@pytest.mark.parametrize("text", ["", "pico", "serial", "serial:", "bench:a,a", "twin:1", "virtual:2"])
def test_what_names_no_board_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(HilUsageError, match="names no board"):
        parse_target(text)


def test_emulated_boards_are_refused_without_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASCNODE_UF2", raising=False)
    (tmp_path / "test_mine.py").write_text("def test_it(ascnode_node): pass\n")
    run = run_pytest(tmp_path, "--ascnode-board=emulated")
    assert run.status == 4
    assert "an emulated board runs an official MicroPython image" in run.output
    assert "micropython.org/download/RPI_PICO" in run.output
