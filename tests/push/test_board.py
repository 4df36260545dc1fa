"""Pushes to virtual boards with their twins beside them: real flash, real resets, real crashes."""

import random
import sqlite3
from pathlib import Path

import pytest

from ascnode.boards.firmware import architecture, board_files
from ascnode.boards.flash_image import read_files
from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.models.project import project_model_file
from ascnode.push.models import package_of
from ascnode.push.package import Package, firmware_package
from ascnode.push.pusher import IN_USE, ROLLED_BACK
from push.flights import fly, model, only, payload, scenario
from push.ground import image, other_image

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

_WRITES = {"model": 30, "firmware": 600}  # of the flash in a push; the last few may not be met
_MET = 0.9
_CUTS = [(number, halves) for number in range(1, _WRITES["firmware"]) for halves in (0, 1, 2)]
_SAMPLE = random.Random(7).sample(_CUTS, 6)


def interpreter() -> Interpreter:
    found = find_interpreter()
    assert found is not None  # pytestmark
    return found


def firmware(change: dict[str, bytes] | None = None) -> Package:
    """The firmware as it is, with some files replaced."""
    vm = interpreter()
    return firmware_package({**board_files(architecture(vm)), **(change or {})}, vm.mpy, "0.0.1")


def flash(folder: Path) -> dict[str, bytes]:
    (file,) = (folder / "flash").glob("*.flash")
    return read_files(file.read_bytes())


def test_a_model_goes_up_and_answers(tmp_path: Path) -> None:
    outcome = only(fly(tmp_path, scenario(), model(payload()), interpreter(), canary=1, queries=5))
    assert (outcome.state, outcome.self_test, outcome.resent) == (IN_USE, "passed", 0)
    assert flash(tmp_path)["model_b.bin"] == other_image()


def test_a_model_that_fails_its_self_test_leaves_the_old_one(tmp_path: Path) -> None:
    outcome = only(fly(tmp_path, scenario(), model(payload(), right=False), interpreter()))
    assert (outcome.state, outcome.why) == (ROLLED_BACK, "self-test failed")
    assert outcome.new == outcome.old
    assert flash(tmp_path)["model.bin"] == image()
    assert "model_b.bin" not in flash(tmp_path)


def test_a_firmware_goes_up_starts_and_is_confirmed(tmp_path: Path) -> None:
    outcome = only(fly(tmp_path, scenario(), firmware(), interpreter()))
    assert (outcome.state, outcome.old, outcome.new) == (IN_USE, "slot 0", "slot 1")
    again = only(fly(tmp_path, scenario(), firmware(), interpreter()))
    assert (again.state, again.old, again.new) == (IN_USE, "slot 1", "slot 2")


@pytest.mark.parametrize(
    "main",
    [
        b"def main(loader):\n    raise ValueError('broken')\n",
        b"def main(:\n",
        b"import no_such_module\n",
        b"def main():\n    pass\n",
    ],
    ids=["raises", "syntax", "import", "other interface"],
)
def test_a_firmware_that_crashes_is_rolled_back_and_the_board_says_so(tmp_path: Path, main: bytes) -> None:
    files = dict(board_files(architecture(interpreter())))
    del files["lib/ascnode_fw/main.mpy"]
    package = firmware_package({**files, "lib/ascnode_fw/main.py": main}, interpreter().mpy, "0.0.2")
    outcome = only(fly(tmp_path, scenario(), package, interpreter()))
    assert (outcome.state, outcome.why) == (ROLLED_BACK, "it crashed")
    assert outcome.new == outcome.old == "slot 0"
    assert only(fly(tmp_path, scenario(), model(payload()), interpreter())).state == IN_USE


def test_a_firmware_that_hangs_is_rolled_back(tmp_path: Path) -> None:
    files = dict(board_files(architecture(interpreter())))
    del files["lib/ascnode_fw/main.mpy"]
    hang = b"def main(loader):\n    while True:\n        pass\n"
    package = firmware_package({**files, "lib/ascnode_fw/main.py": hang}, interpreter().mpy, "0.0.3")
    outcome = only(fly(tmp_path, scenario(), package, interpreter(), boots=1))
    assert (outcome.state, outcome.why) == (ROLLED_BACK, "not confirmed in time")


def test_a_node_with_an_accelerator_takes_a_model_for_both_and_a_firmware(tmp_path: Path) -> None:
    flown = scenario(accelerator="golden")
    package = package_of(project_model_file(), payload(), True)
    assert only(fly(tmp_path, flown, package, interpreter())).why == "it had it"
    changed = tmp_path / "changed.tflite"
    changed.write_bytes(project_model_file().read_bytes() + b"\0")  # another id
    package = package_of(changed, payload(), True)
    outcome = only(fly(tmp_path, flown, package, interpreter(), canary=1, queries=3))
    assert (outcome.state, outcome.self_test) == (IN_USE, "passed")
    assert {"model_b.acc", "model_b.bin"} <= set(flash(tmp_path))
    assert only(fly(tmp_path, flown, firmware(), interpreter())).state == IN_USE


def test_a_firmware_for_another_machine_is_refused(tmp_path: Path) -> None:
    package = firmware_package(board_files(""), interpreter().mpy ^ 0x400, "0.0.1")
    outcome = only(fly(tmp_path, scenario(), package, interpreter()))
    assert (outcome.state, outcome.why) == ("refused", "image makes no sense here")


def small_firmware() -> Package:
    """The firmware without what is not needed to fly, so that a push is short."""
    left_out = ("kernel_portable", "driver", "registers", "port", "esp32", "rp2", "stdio")
    files = board_files(architecture(interpreter()))
    kept = {name: data for name, data in files.items() if Path(name).stem not in left_out}
    return firmware_package(kept, interpreter().mpy, "0.0.1")


def _cut(folder: Path, what: str, number: int, halves: int) -> None:
    fault = {"kind": "board", "effect": "power_cut", "write": number, "halves": halves, "off_s": 20}
    package = model(payload()) if what == "model" else small_firmware()
    outcome = only(fly(folder, scenario(fault), package, interpreter()))
    assert outcome.state == IN_USE, outcome
    with sqlite3.connect(folder / "push0.sqlite") as record:
        (returns,) = record.execute("select count(*) from faults where target = 'boot'").fetchone()
    assert returns == 1 or number > _MET * _WRITES[what]


@pytest.mark.parametrize("number", range(1, _WRITES["model"] + 1))
def test_a_power_cut_at_any_write_of_a_models_push_is_gone_past(tmp_path: Path, number: int) -> None:
    _cut(tmp_path, "model", number, number % 3)


@pytest.mark.deep
@pytest.mark.parametrize("halves", [0, 1, 2])
@pytest.mark.parametrize("number", range(1, _WRITES["model"] + 1))
def test_whatever_of_that_write_is_stored(tmp_path: Path, number: int, halves: int) -> None:
    _cut(tmp_path, "model", number, halves)


@pytest.mark.parametrize(("number", "halves"), _SAMPLE)
def test_a_power_cut_at_a_write_of_a_firmwares_push_is_gone_past(
    tmp_path: Path, number: int, halves: int
) -> None:
    _cut(tmp_path, "firmware", number, halves)


@pytest.mark.deep
@pytest.mark.parametrize(("number", "halves"), _CUTS)
def test_a_power_cut_at_any_write_of_a_firmwares_push_is_gone_past(
    tmp_path: Path, number: int, halves: int
) -> None:
    _cut(tmp_path, "firmware", number, halves)
