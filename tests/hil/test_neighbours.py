"""The plugin loads in every pytest run of its environment: it is light, its names are its own, and others go on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hil.running import run_pytest

_HEAVY = {
    "numpy",
    "pydantic",
    "tflite",
    "serial",
    "typer",
    "rich",
    "asyncio",
    "sqlite3",
    "spacepackets",
    "ascnode_fw",
}
_OTHERS = (
    *(
        "labgrid",
        "pytest-embedded",
        "attrs",
        "exceptiongroup",
        "filelock",
        "grpcio",
        "grpcio-reflection",
        "jinja2",
    ),
    *("markupsafe", "pexpect", "protobuf", "ptyprocess", "pyudev", "pyusb", "pyyaml", "xmodem"),
)


def test_it_imports_nothing_heavy_in_a_run_without_our_tests(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n"
        "def test_of_somebody_else():\n"
        "    assert 'ascnode_hil.plugin' in sys.modules\n"
        f"    assert not {_HEAVY!r} & sys.modules.keys()\n"
    )
    others = ("xdist", "hypothesispytest", "anyio", "platformdirs")
    ran = run_pytest(tmp_path, *(word for name in others for word in ("-p", f"no:{name}")))
    assert ran.status == 0, ran.output


def _names(folder: Path, *arguments: str) -> dict[str, set[str]]:
    # What pytest itself lists: options and settings, fixtures, markers.
    told = {
        what: run_pytest(folder, f"--{what}", *arguments).output for what in ("help", "fixtures", "markers")
    }
    return {
        "options": set(re.findall(r"^\s+(--[a-z][a-z-]*)", told["help"], re.MULTILINE)),
        "settings": set(re.findall(r"^  ([a-z_]+) \(", told["help"], re.MULTILINE)),
        "fixtures": set(re.findall(r"^([a-z]\w*) ", told["fixtures"], re.MULTILINE)),
        "markers": set(re.findall(r"^@pytest\.mark\.(\w+)", told["markers"], re.MULTILINE)),
    }


def test_every_name_that_it_adds_is_its_own(tmp_path: Path) -> None:
    with_us, without = _names(tmp_path), _names(tmp_path, "-p", "no:ascnode")
    added = {kind: with_us[kind] - without[kind] for kind in with_us}
    assert added["options"] >= {f"--ascnode-{name}" for name in ("board", "plant", "seed", "report", "time")}
    assert added["fixtures"] >= {f"ascnode_{name}" for name in ("node", "bench", "sky", "faults", "measure")}
    assert added["settings"] == {"ascnode_requirements"}
    assert added["markers"] == {"ascnode_requirement"}
    assert all(name.startswith("--ascnode-") for name in added["options"])
    assert all(name.startswith("ascnode_") for name in added["fixtures"])


def test_a_run_without_our_tests_says_nothing_of_us(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_of_somebody_else(): ...\n")
    assert "ascnode" not in run_pytest(tmp_path).output


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both neighbours. Apart from our environment: labgrid brings a pyserial of its own."""
    folder = tmp_path_factory.mktemp("others")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "--no-deps"]
    installed = subprocess.run([*pip, *_OTHERS], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"labgrid and pytest-embedded cannot be installed: {installed.stderr[-200:]}")
    return folder


# Together they skip every test, with us or without: both have a fixture `target`.
@pytest.mark.deep
@pytest.mark.parametrize(
    ("absent", "options", "theirs"),
    [
        ("labgrid", (), "def test_theirs(dut, app):\n    dut.write('x')\n"),
        (
            "pytest_embedded",
            ("--lg-env", "lab.yaml"),
            "def test_theirs(target):\n    assert target.name == 'main'\n",
        ),
    ],
    ids=["pytest-embedded", "labgrid"],
)
def test_beside_a_neighbour_both_work(
    tmp_path: Path, others: Path, absent: str, options: tuple[str, ...], theirs: str
) -> None:
    (tmp_path / "lab.yaml").write_text("targets:\n  main:\n    resources: []\n")
    (tmp_path / "test_both.py").write_text(
        "def test_ours(ascnode_node):\n    ascnode_node.advance(5)\n" + theirs
    )
    ran = run_pytest(tmp_path, "--ascnode-board=twin", "-p", f"no:{absent}", *options, first_on_path=others)
    assert ran.status == 0, ran.output
    assert "2 passed" in ran.output
