"""Placing, routing and packing with nextpnr, and its report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ascnode_gateware.synth.boards import Board, pin_constraints
from ascnode_gateware.synth.process import GatewareError, run_tool
from ascnode_gateware.synth.yosys import yowasp

PLACE_DEADLINE_S = 1800.0
PACK_DEADLINE_S = 300.0
PLACED_TOP = "top"  # nextpnr's name of every top module


@dataclass(frozen=True)
class Clock:
    """A clock after routing, MHz."""

    achieved_mhz: float
    wanted_mhz: float


@dataclass(frozen=True)
class Placed:
    """One seed's result: cells used by kind (nextpnr's names), clocks by net, and the files it left."""

    seed: int
    used: Mapping[str, int]
    clocks: Mapping[str, Clock]
    placed_json: Path
    routed: Path
    report_json: Path

    def slowest_path(self) -> list[str]:
        """A line for each net of the path that limits the clock with least slack: time of arrival in ns, net."""
        worst = min(self.clocks, key=lambda net: self._ratio(net), default="")
        paths = json.loads(self.report_json.read_text())["critical_paths"]
        mine = (path["path"] for path in paths if path["from"] == path["to"] == f"posedge {worst}")
        return _arrivals(next(mine, []))

    def _ratio(self, net: str) -> float:
        return self.clocks[net].achieved_mhz / self.clocks[net].wanted_mhz

    @property
    def slack(self) -> float:
        """Achieved over wanted frequency of the clock that has least; 1 or more is in time."""
        return min((self._ratio(net) for net in self.clocks), default=0.0)


def _arrivals(path: Sequence[Mapping[str, Any]]) -> list[str]:
    lines, time_ns = [], 0.0
    for step in path:
        time_ns += step["delay"]
        if "net" in step:
            lines.append(f"{time_ns:7.2f} {step['net']}")
    return lines


def place(board: Board, top: str, seed: int, folder: Path) -> Placed:
    """Places TOP.json of `folder` with one seed. Timing may fail: look at `slack`."""
    name = f"{top}_seed{seed}"
    (folder / f"{board.name}.pins").write_text(pin_constraints(board))
    words = _ICE40 if board.family == "ice40" else _ECP5
    places = {"device": board.device, "package": board.package, "board": board.name, "name": name}
    common = f"--json {top}.json --top {top} --report {name}.report.json --write {name}.placed.json"
    said = run_tool(
        [
            yowasp(f"nextpnr-{board.family}"),
            *(f"{words} {common}".format(**places)).split(),
            *f"--freq {board.core_mhz:g} --seed {seed} --timing-allow-fail".split(),
        ],
        what=f"nextpnr on {name}",
        log=folder / f"{name}.log",
        deadline_s=PLACE_DEADLINE_S,
        cwd=folder,
    )
    if "ignoring clock constraint" in said:
        raise GatewareError(
            f"a clock that {board.name}.pins names is not in the design: see {folder / name}.log"
        )
    routed = folder / f"{name}.{'asc' if board.family == 'ice40' else 'config'}"
    report = folder / f"{name}.report.json"
    used, clocks = read_report(report)
    return Placed(seed, used, clocks, folder / f"{name}.placed.json", routed, report)


_ICE40 = "--{device} --package {package} --pcf {board}.pins --asc {name}.asc"
_ECP5 = "--{device} --package {package} --lpf {board}.pins --lpf-allow-unconstrained --textcfg {name}.config"


def read_report(path: Path) -> tuple[dict[str, int], dict[str, Clock]]:
    """(cells used by kind, clocks by net) of nextpnr's report."""
    report = json.loads(path.read_text())
    used = {kind: entry["used"] for kind, entry in report["utilization"].items() if entry["used"]}
    clocks = {net: Clock(entry["achieved"], entry["constraint"]) for net, entry in report["fmax"].items()}
    return used, clocks


def pack(board: Board, placed: Placed) -> Path:
    """The bitstream of a placed design, beside it."""
    folder, target = placed.routed.parent, placed.routed.with_suffix(".bin")
    tool = "icepack" if board.family == "ice40" else "ecppack"
    run_tool(
        [yowasp(tool), *_PACK_OPTIONS[board.family], placed.routed.name, target.name],
        what=f"{tool} on {placed.routed.name}",
        log=folder / f"{placed.routed.stem}.pack.log",
        deadline_s=PACK_DEADLINE_S,
        cwd=folder,
    )
    return target


# -s: the flash is not put to sleep after configuration.
_PACK_OPTIONS = {"ice40": ("-s",), "ecp5": ()}
