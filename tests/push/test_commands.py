"""`ascnode model push` and `ascnode firmware push`: what they say, what they refuse, and that they go on."""

from pathlib import Path

import pytest

from ascnode.models.project import project_model_file
from ascnode.push.models import package_of
from ascnode_gateware.compiler import compile_file
from ascnode_gateware.program.image import write_image
from loop.demo_process import run
from push.flights import payload

SCENARIO = """
name = "small"
duration_s = 900
[constellation]
name = "starlink-gen1-1"
boards = [0, 1]
compute = 2
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a scenario and a model that no node has."""
    (tmp_path / "small.toml").write_text(SCENARIO)
    (tmp_path / "new.tflite").write_bytes(project_model_file().read_bytes() + b"\0")
    return tmp_path


def push(folder: Path, *arguments: str) -> tuple[int, str, str]:
    return run(folder, *arguments, "--scenario", "small.toml", "--board", "twin")


def test_a_model_goes_to_all_and_is_found_there_by_the_next_push(desk: Path) -> None:
    status, out, error = push(
        desk, "model", "push", "new.tflite", "--to", "all", "--canary", "1", "--queries", "3"
    )
    assert (status, error) == (0, "")
    assert out.count("in use") == 2
    status, out, error = push(desk, "model", "push", "new.tflite", "--to", "all")
    assert (status, error, out.count("it had it")) == (0, "", 2)


def test_a_dry_run_says_what_would_go_up_and_sends_nothing(desk: Path) -> None:
    status, out, _ = push(desk, "firmware", "push", "--to", "sat-0-1", "--dry-run")
    assert status == 0
    assert "chunks, to sat-0-1" in out
    assert not (desk / "runs").exists()


def test_a_flight_that_is_too_short_fails_and_the_next_one_ends_the_work(desk: Path) -> None:
    (desk / "small.toml").write_text(SCENARIO.replace("900", "20"))
    status, out, error = push(desk, "firmware", "push", "--to", "sat-0-0")
    assert status == 1
    assert error.startswith("ascnode: 1 of 1 nodes have not got it; sat-0-0: unfinished")
    (desk / "small.toml").write_text(SCENARIO)
    status, again, error = push(desk, "firmware", "push", "--to", "sat-0-0")
    assert (status, error) == (0, "")
    assert 0 < sent(again) < chunks(again) <= sent(out) + sent(again)


def sent(out: str) -> int:
    """Of the table's only row."""
    return int(row(out)[5])


def chunks(out: str) -> int:
    return int(out.split(" chunks")[0].split()[-1])


def row(out: str) -> list[str]:
    (line,) = [line for line in out.splitlines() if line.startswith("│ sat")]
    return [cell.strip() for cell in line.split("│")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("model", "push", "none.tflite", "--to", "all"), "none.tflite: No such file or directory"),
        (("model", "push", "small.toml", "--to", "all"), "small.toml: "),
        (("model", "push", "bare.acc", "--to", "all"), "bare.acc has no CPU model or no self-test"),
        (("model", "push", "new.tflite", "--to", "sat-9"), "--to sat-9: the boards are sat-0-0, sat-0-1"),
        (("model", "push", "new.tflite", "--to", "all", "--canary", "3"), "--canary 3: there are 2 nodes"),
        (("firmware", "push", "--to", "nobody"), "--to nobody: the boards are sat-0-0, sat-0-1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    desk: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (desk / "bare.acc").write_bytes(write_image(compile_file(project_model_file())))
    status, _, error = push(desk, *arguments)
    assert status == 1
    assert error.startswith(f"ascnode: {sentence}")
    assert error.count("\n") == 1


def test_a_board_that_cannot_be_pushed_to_is_refused(desk: Path) -> None:
    status, _, error = run(desk, "firmware", "push", "--to", "all", "--board", "serial:/dev/ttyACM0")
    assert (status, error.count("\n")) == (1, 1)
    assert "virtual boards and twins" in error


def test_a_programs_file_goes_up_as_its_compiler_made_it(tmp_path: Path) -> None:
    status, _, error = run(tmp_path, "accel", "compile", str(project_model_file()), "-o", "digits.acc")
    assert (status, error) == (0, "")
    package = package_of(tmp_path / "digits.acc", payload(), False)
    assert package.data.startswith(payload().image)
    longer = package_of(tmp_path / "digits.acc", payload(), True)
    assert len(longer.data) > len(package.data)
    assert longer.model_id == package.model_id == payload().model.model_id
