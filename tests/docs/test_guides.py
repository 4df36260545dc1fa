"""Each guide is followed from top to bottom, and what it promises is there at the end."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.models.digits import load_digits
from ascnode.scenario.scenario import load
from docs.additions import copy_of_the_sources
from docs.reading import DOCS, GUIDES, blocks
from docs.sandbox import Sandbox
from models.golden import DIGITS, Golden
from models.random_layers import random_images
from models.tflite_builder import OpSpec, TensorSpec, build


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def follow(sandbox: Sandbox, guide: str) -> None:
    for block in blocks(DOCS / guide):
        sandbox.follow(block)


def test_the_first_run_loses_queries_to_the_power_cut(sandbox: Sandbox) -> None:
    follow(sandbox, "first-run.md")
    with sqlite3.connect(sandbox.folder / "small.sqlite") as whole:
        assert whole.execute("SELECT count(*) FROM queries").fetchone() == (100,)
    with sqlite3.connect(next((sandbox.folder / "runs").glob("small-*.sqlite"))) as broken:
        assert broken.execute("SELECT count(*) FROM faults WHERE kind = 'board'").fetchone()[0] >= 1


def test_the_wrong_board_of_the_first_run_is_named(tmp_path: Path) -> None:
    text = next(
        block.text for block in blocks(DOCS / "first-run.md") if block.text.startswith("# small.toml\n")
    )
    path = tmp_path / "small.toml"
    path.write_text(text.replace("[[0, 0], [18, 5]]", "[[99, 0]]"))
    with pytest.raises(ScenarioError, match=r"constellation\.boards"):
        _ = load(path).space


def test_the_first_board_follows(sandbox: Sandbox) -> None:
    follow(sandbox, "first-board.md")


def test_every_guide_is_in_the_navigation() -> None:
    site = (DOCS.parent / "mkdocs.yml").read_text()
    assert [guide for guide in GUIDES if guide not in site] == []


def test_the_hil_tests_pass_on_a_virtual_board(sandbox: Sandbox) -> None:
    follow(sandbox, "write-a-hil-test.md")
    said = sandbox.run("pytest -q test_charge.py test_answer.py test_bad_radio.py")
    assert "4 pass" in said, said
    assert "PAY-01" in (sandbox.folder / "payload.html").read_text()


@pytest.fixture
def changed(tmp_path: Path) -> Sandbox:
    """With a copy of the sources, which the guide changes."""
    (tmp_path / "work").mkdir()
    return Sandbox(tmp_path / "work", copy_of_the_sources(tmp_path / "tree"))


def test_a_policy_is_added_as_the_guide_says(changed: Sandbox) -> None:
    follow(changed, "add-a-policy.md")
    figures = json.loads((changed.folder / "cool.json").read_text())
    assert figures["policy"] == "coolest"
    assert "coolest" in json.loads((changed.folder / "compare.json").read_text())


def test_a_sensor_is_added_as_the_guide_says(changed: Sandbox) -> None:
    follow(changed, "add-a-sensor.md")


def test_an_op_is_added_as_the_guide_says(changed: Sandbox) -> None:
    model, images = _relu(), random_images((1, 5, 6, 3), 20, 1)
    (changed.folder / "relu.tflite").write_bytes(model)
    np.save(changed.folder / "inputs.npy", images)
    follow(changed, "add-an-op.md")
    golden = Golden(model)
    wanted = [golden.run(image[np.newaxis])[0] for image in images]
    np.testing.assert_array_equal(np.load(changed.folder / "outputs.npy"), wanted)
    changed.run(f"python {Path(__file__).with_name('run_compiled.py')}")


def _relu() -> bytes:
    tensor = TensorSpec((1, 5, 6, 3), scales=[0.1], zero_points=[-7])
    return build([tensor, tensor], [OpSpec("RELU", [0], [1])], [0], [1])


def test_a_board_is_added_as_the_guide_says(changed: Sandbox) -> None:
    follow(changed, "add-a-board.md")
    known = "from ascnode.boards.bench import load; print(load(Path('bench.toml')).named('feather')[1].kind)"
    assert changed.run(f'python -c "from pathlib import Path; {known}"') == "feather-rp2040\n"


def test_a_model_of_ones_own_answers_from_orbit(sandbox: Sandbox) -> None:
    digits, model = load_digits(), DIGITS.read_bytes()
    (sandbox.folder / "mine.tflite").write_bytes(model)
    np.save(sandbox.folder / "inputs.npy", digits.test_images[:40])
    np.save(sandbox.folder / "labels.npy", digits.test_labels[:40])
    follow(sandbox, "own-model.md")
    said = np.load(sandbox.folder / "outputs.npy")
    golden = Golden(model)
    wanted = [golden.run(image[np.newaxis])[0] for image in digits.test_images[:40]]
    np.testing.assert_array_equal(said, wanted)
    figures = json.loads((sandbox.folder / "mine.json").read_text())
    assert figures["answered"] > 30 and figures["correct"] > 0.9 * figures["answered"]


def test_the_bitstreams_verilog_is_written(sandbox: Sandbox) -> None:
    pytest.importorskip("pyrtl", reason="the gateware extra is not installed")
    follow(sandbox, "bitstream.md")
    assert "module spi_accelerator" in (sandbox.folder / "rtl" / "spi.v").read_text()
