"""A real board, as far as a host can tell: a port with a chip id behind it, whose flash holds the scenario's node."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import find_interpreter
from ascnode.boards.locks import BoardLock
from ascnode.boards.serial import SerialBoard
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.provision import node_files
from ascnode.scenario.scenario import Scenario
from ascnode_fw.wire import dictionary as d
from ascnode_hil.devices import SerialDevice
from ascnode_hil.errors import BlockedError
from ascnode_hil.loop import LoopThread
from ascnode_hil.node import PARAMETERS, HilNode
from ascnode_hil.rig import Setup
from hil.running import SUITES, run_pytest

pytestmark = pytest.mark.skipif(
    find_interpreter() is None, reason="no MicroPython interpreter on this machine"
)

_CHIP = bytes.fromhex("e6614c311b5f7e2a")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualBoard]:
    """A board with the built-in scenario's node."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # locks of this test alone
    interpreter = find_interpreter()
    assert interpreter is not None
    scenario = Scenario()
    files = node_files(scenario.node, compile_image(load_project_model()), 1, 0, scenario.step_ms)
    content = {**board_files(architecture(interpreter)), **files, BOARD_ID_FILE: _CHIP}
    flash = tmp_path / "flash"
    flash.write_bytes(build_image(content, PROFILES["rp2040"].flash_blocks))
    with VirtualBoard(flash, interpreter=interpreter) as board:
        board.power_on()
        yield board


@pytest.fixture
def port(board: VirtualBoard) -> str:
    """Where it answers."""
    return board.port


def test_power_tests_are_blocked_without_a_switch_and_the_rest_is_tested(tmp_path: Path, port: str) -> None:
    suites = ("--pyargs", f"{SUITES}.test_recovery", f"{SUITES}.test_commands")
    for first in (True, False):  # the second run finds the flash as the first left it
        ran = run_pytest(tmp_path, *suites, "--ascnode-board", f"serial:{port}")
        assert ran.status == 0, ran.output
        assert "fail" not in ran.told, ran.output
        assert ran.told["pass"] == 20, (first, ran.output)
        assert ran.told["blocked"] == 11
        assert "no power switch" in ran.output


def test_a_run_in_which_everything_is_blocked_has_failed(tmp_path: Path, port: str) -> None:
    only = ("--pyargs", f"{SUITES}.test_recovery", "--ascnode-requirement", "RCV-01")
    ran = run_pytest(tmp_path, *only, "--ascnode-board", f"serial:{port}")
    assert ran.told == {"blocked": 1}, ran.output
    assert ran.status == 1
    assert "every test was skipped or blocked" in ran.output


def test_a_board_that_another_program_holds_blocks(tmp_path: Path, port: str) -> None:
    only = ("--pyargs", f"{SUITES}.test_commands", "--ascnode-requirement", "CMD-02")
    with BoardLock(_CHIP.hex()):
        ran = run_pytest(tmp_path, *only, "--ascnode-board", f"serial:{port}")
    assert ran.told == {"blocked": 1}, ran.output
    assert "is in use by process" in ran.output


def test_a_board_with_another_nodes_plant_is_blocked(tmp_path: Path, port: str) -> None:
    scenario = tmp_path / "other.toml"
    scenario.write_text("[node]\nbattery_wh = 299.0\n")
    only = ("--pyargs", f"{SUITES}.test_commands", "--ascnode-requirement", "CMD-02")
    ran = run_pytest(
        tmp_path, *only, "--ascnode-board", f"serial:{port}", "--ascnode-scenario", str(scenario)
    )
    assert ran.told == {"blocked": 1}, ran.output
    assert "the plant on the board is not that of scenario" in ran.output


@pytest.mark.parametrize("named", ["serial:/dev/no-such-port", "bench:nadir"])
def test_a_board_that_is_not_there_blocks_and_the_run_fails(tmp_path: Path, named: str) -> None:
    only = ("--pyargs", f"{SUITES}.test_commands", "--ascnode-requirement", "CMD-02")
    ran = run_pytest(tmp_path, *only, "--ascnode-board", named)
    assert ran.told == {"blocked": 1}, ran.output
    assert ran.status == 1


class _Switch:
    """A bench's power switch, which works on the virtual board."""

    capabilities = frozenset({"power"})

    def __init__(self, board: VirtualBoard) -> None:
        self.off = board.cut
        self.on = board.power_on


@pytest.fixture
def node(tmp_path: Path, board: VirtualBoard) -> Iterator[HilNode]:
    """The board as a test has it, with a power switch."""
    port = board.port
    found = SerialBoard(_CHIP.hex(), lambda: [port], power=_Switch(board))
    device = SerialDevice(Setup(Scenario(), 1, "board", tmp_path), 0, "nadir", lambda: found)
    loop = LoopThread()
    loop.run(device.open())
    loop.run(device.begin())
    yield HilNode(device, loop, 1)
    loop.run(device.close())
    loop.close()


def test_with_a_switch_power_can_be_cut_and_the_plant_goes_on(node: HilNode) -> None:
    node.environment(0.3)
    node.contact()
    node.advance(200)
    assert node.command("set_param", PARAMETERS["custody_timeout"], 33) == "ok"
    before = node.charge
    node.cut_power()
    assert node.parameter("custody_timeout") == 33
    assert node.charge == pytest.approx(before)
    node.contact()
    node.step(2)
    assert [event.value for event in node.events("boot")][-1] == d.RESET_CAUSES.index("power cut")
    assert node.command("ping") == "ok"


def test_what_the_bench_lacks_blocks(node: HilNode) -> None:
    with pytest.raises(BlockedError, match="no reset line"):
        node.reset()
    with pytest.raises(BlockedError, match="no power cut at a write"):
        node.cut_power_at_write(1, 1)
