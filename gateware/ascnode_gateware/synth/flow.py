"""From Verilog to a bitstream, with the figures that decide whether it is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ascnode_gateware.synth.area import cells_by_unit, declared_registers
from ascnode_gateware.synth.boards import Board
from ascnode_gateware.synth.guards import CHECKS
from ascnode_gateware.synth.place import PLACED_TOP, Placed, pack, place
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.yosys import Design, map_to_cells, read_netlist


@dataclass(frozen=True)
class Chip:
    """A built chip: every seed's result, the best of them, its logic cells by unit (iCE40 only), and its bitstream,
    None when no seed is in time."""

    board: Board
    seeds: Sequence[Placed]
    best: Placed
    units: Mapping[str, float]
    bitstream: Path | None

    def report(self) -> str:
        """A table for people: cells, clocks of each seed (MHz, achieved / wanted), the best seed's slowest path and
        its logic cells by unit."""
        used = ", ".join(f"{kind} {count}" for kind, count in sorted(self.best.used.items()))
        seeds = [f"seed {p.seed}: {_clock_text(p)}" for p in self.seeds]
        units = [f"{unit:<16}{cells:8.1f}" for unit, cells in sorted(self.units.items(), key=lambda u: -u[1])]
        late = [] if self.bitstream else ["NO SEED IS IN TIME: there is no bitstream"]
        path = ["", f"slowest path of seed {self.best.seed}, ns from its start:", *self.best.slowest_path()]
        cells = ["", "logic cells by unit:", *units] if units else []
        return "\n".join([f"{self.board.name}: {used}", *seeds, *late, *path, *cells])


def synthesise(design: Design, board: Board, seeds: Sequence[int], out_dir: Path) -> Chip:
    """Builds `design` for `board` with each seed, in `out_dir`; the fastest becomes the bitstream, if it is in time.

    GatewareError when a tool fails, or a hard block is missing or changed.
    """
    if not seeds:
        raise GatewareError("placing needs at least one seed")
    out_dir = out_dir.resolve()
    CHECKS[board.family](map_to_cells(design, board.family, out_dir))
    placed = [place(board, design.top, seed, out_dir) for seed in seeds]
    best = max(placed, key=lambda result: result.slack)
    units = _units(design, best, out_dir) if board.family == "ice40" else {}
    return Chip(board, placed, best, units, pack(board, best) if best.slack >= 1 else None)


def _units(design: Design, placed: Placed, out_dir: Path) -> Mapping[str, float]:
    written = read_netlist(out_dir / f"{design.top}_written.json", design.top)
    return cells_by_unit(read_netlist(placed.placed_json, PLACED_TOP), written, declared_registers(design))


def _clock_text(placed: Placed) -> str:
    clocks = sorted(placed.clocks.items())
    return ", ".join(f"{net} {clock.achieved_mhz:.1f} / {clock.wanted_mhz:g} MHz" for net, clock in clocks)
