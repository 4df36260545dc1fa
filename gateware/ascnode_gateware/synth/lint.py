"""Verilator's lint over generated Verilog, with a waiver for each habit of the generator."""

from dataclasses import dataclass
from pathlib import Path

from ascnode_gateware.sim.verilator import lint
from ascnode_gateware.synth.yosys import Design


@dataclass(frozen=True)
class Waiver:
    """Warnings of `rule` whose text matches `match` (wildcards) are none, for the `reason`."""

    rule: str
    match: str
    reason: str

    def line(self) -> str:
        """As Verilator's configuration files have it."""
        return f'// {self.reason}\nlint_off -rule {self.rule} -file "*" -match "{self.match}"'


WAIVERS = (
    Waiver(
        "WIDTHEXPAND",
        "*Operator COND expects*",
        "PyRTL leaves it to Verilog to widen what a selector chooses from",
    ),
    Waiver(
        "WIDTHEXPAND",
        "*Operator AND expects*",
        "PyRTL writes the operands of a sum in place, and a sum is a bit wider than they",
    ),
    Waiver("PROCASSINIT", "*", "registers start at their reset value, as an FPGA's do"),
    Waiver(
        "UNUSEDSIGNAL",
        "*of signal are not used: 'tmp*",
        "PyRTL's sums are wider than what the design takes of them",
    ),
    Waiver("DECLFILENAME", "*does not match MODULE name*", "the core shares a file with its multipliers"),
)


def lint_design(design: Design, folder: Path) -> None:
    """GatewareError when Verilator has a warning about `design` that no waiver covers. Leaves lint.log in `folder`."""
    sources = design.write(folder)
    waivers = folder / "waivers.vlt"
    waivers.write_text("\n".join(["`verilator_config", *(waiver.line() for waiver in WAIVERS)]) + "\n")
    lint(sources, design.top, waivers=[waivers], log=folder / "lint.log")
