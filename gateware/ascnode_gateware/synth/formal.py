"""Proofs by temporal induction, of PyRTL blocks, with the SAT solver inside Yosys.

A block says with its output `ok` (1) what must hold in every cycle. It is proved for every input and from every state
that registers can wake up in, but for `formal_started`, which is 0 at first (`after_reset` makes it).
"""

import io
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path

from pyrtl import (
    Block,
    Const,
    Input,
    LogicNet,
    Output,
    Register,
    WireVector,
    concat,
    output_to_verilog,
    reset_working_block,
    working_block,
)

from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import run_yosys

MAX_STEPS = 5
_STARTED = "formal_started"
_OK = "ok"


class Verdict(Enum):
    """PROVED for ever; REFUTED by a run from the start; UNDECIDED when induction did not close in so many steps."""

    PROVED = "Induction step proven: SUCCESS!"
    REFUTED = "model found for base case: FAIL!"
    UNDECIDED = "maximum number of time steps"


def after_reset(cycles: int = 1) -> tuple[WireVector, WireVector]:
    """(1 in the first so many cycles, 1 in all that follow): a block that is cleared in those must hold in these."""
    started = Register(cycles, _STARTED)
    started.next <<= Const(1, 1) if cycles == 1 else concat(started[:-1], Const(1, 1))
    return ~started[-1], started[-1]


def constant(width: int, name: str) -> Register:
    """Any value, the same in all cycles."""
    register = Register(width, f"formal_{name}")
    register.next <<= register
    return register


def assumed(condition: WireVector, started: WireVector) -> WireVector:
    """1 as long as `condition` has held in every cycle since `started`, this one included."""
    held = Register(1)
    held.next <<= ~started | (held & condition)
    return condition & (held | ~started)


def before(value: WireVector, cycles: int = 1) -> WireVector:
    """What a wire was so many cycles ago."""
    for _ in range(cycles):
        register = Register(len(value))
        register.next <<= value
        value = register
    return value


def claim(holds: WireVector) -> None:
    """Makes `ok`."""
    ok = Output(1, _OK)
    ok <<= holds


def block_verilog(name: str, build: Callable[[], None], fault: Callable[[Block], None] | None = None) -> str:
    """Module `name`: what `build` makes in the working block, memories read as anything, with a `fault`."""
    reset_working_block()
    build()
    if fault is not None:
        fault(working_block())
    _free_memories(working_block())
    text = io.StringIO()
    output_to_verilog(text, add_reset=False, initialize_registers=False, module_name=name)
    reset_working_block()
    return text.getvalue()


def _free_memories(block: Block) -> None:
    """What a memory reads becomes an input: no claim depends on what is stored."""
    for number, net in enumerate(sorted(block.logic_subset("m"), key=lambda net: str(net.dests[0].name))):
        block.logic.remove(net)
        word = Input(len(net.dests[0]), f"formal_read_{number}", block)
        block.add_net(LogicNet("w", None, (word,), net.dests))
    for net in block.logic_subset("@"):
        block.logic.remove(net)


def prove(modules: Mapping[str, str], folder: Path, max_steps: int = MAX_STEPS) -> dict[str, Verdict]:
    """Verdicts on modules (Verilog by name, each with `ok`); files are left in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, verilog in modules.items():
        (folder / f"{name}.v").write_text(verilog)
    commands = [
        *(f"read_verilog {name}.v" for name in modules),
        "proc; opt_expr; opt_merge; clean",  # no opt_dff: it makes a constant of formal_started
        *(line for name in modules for line in _proof(name, max_steps)),
    ]
    run_yosys(commands, folder, "formal")
    return {name: _verdict(name, (folder / "formal.log").read_text()) for name in modules}


def _proof(name: str, max_steps: int) -> list[str]:
    start = f"-set-init {_STARTED} 0"
    return [
        f"log {_heading(name)}",
        f"sat -tempinduct -prove {_OK} 1 {start} -seq 1 -maxsteps {max_steps} {name}",
    ]


def _heading(name: str) -> str:
    return f"=====proof {name}====="


def _verdict(name: str, log: str) -> Verdict:
    said = log.split(_heading(name))[-1].split("=====proof ")[0]
    found = [verdict for verdict in Verdict if verdict.value in said]
    if len(found) != 1:
        raise GatewareError(f"Yosys gave no verdict on {name}: {said[-300:]}")
    return found[0]
