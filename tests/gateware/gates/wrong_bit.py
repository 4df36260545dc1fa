"""A placed design with one bit of one LUT wrong."""

import json
from pathlib import Path
from typing import Any


def with_a_wrong_bit(placed_json: Path, out: Path) -> Path:
    """`out`: the LUT whose output is bit 0 of a multiplier's A gives the opposite when all its inputs are low."""
    design = json.loads(placed_json.read_text())
    cells = design["modules"]["top"]["cells"]
    parameters = _driver(cells, _operand(cells))["parameters"]
    parameters["LUT_INIT"] = parameters["LUT_INIT"][:-1] + ("0" if parameters["LUT_INIT"][-1] == "1" else "1")
    out.write_text(json.dumps(design))
    return out


def _operand(cells: dict[str, Any]) -> int:
    first = min(name for name, cell in cells.items() if cell["type"] == "ICESTORM_DSP")
    net: int = cells[first]["connections"]["A_0"][0]
    return net


def _driver(cells: dict[str, Any], net: int) -> dict[str, Any]:
    [driver] = [
        cell for cell in cells.values() if cell["type"] == "ICESTORM_LC" and cell["connections"]["O"] == [net]
    ]
    found: dict[str, Any] = driver
    return found
