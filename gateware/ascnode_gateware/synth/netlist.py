"""The synthesised gates as Verilog for a simulator: what the tools made, not what was meant."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from ascnode_gateware.synth.cells import cell_models
from ascnode_gateware.synth.guards import CHECKS
from ascnode_gateware.synth.yosys import SYNTHESIS, Design, map_to_cells, yosys_version

# For build_executable: the models have warnings of their own, and the design is built for each change of it.
GATE_FLAGS = ("-Wno-fatal", "-MAKEFLAGS", "OPT_FAST=-O1")


def gate_level(design: Design, family: str, cache: Path) -> list[Path]:
    """Verilog files of a design's gates and of the models of these gates; module `design.top` has the same ports.

    They are kept in `cache`, by the sources' content. GatewareError as for synth.flow.synthesise.
    """

    def make(folder: Path) -> None:
        CHECKS[family](map_to_cells(design, family, folder))
        cell_models(family, folder)

    folder = made_once(cache, f"{design.top}-{family}-{design_key(design, family)}", make)
    return [folder / f"{design.top}_netlist.v", folder / f"{family}_cells.v"]


def made_once(cache: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` in `cache`, which `make` fills when it is not there; whole or not at all."""
    folder = cache.resolve() / name
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="gates-", dir=cache) as scratch:
            made = Path(scratch) / "made"
            make(made)
            _publish(made, folder)
    return folder


def _publish(made: Path, folder: Path) -> None:
    try:
        made.replace(folder)
    except OSError:  # another process was first; its files are the same
        if not folder.exists():
            raise


def design_key(design: Design, family: str) -> str:
    """Of the sources, and of what synthesises them."""
    digest = hashlib.sha256(f"{yosys_version()} {SYNTHESIS.get(family)} {design.top}".encode())
    for name, text in sorted(design.sources.items()):
        digest.update(f"\n{name} {len(text)}\n{text}".encode())
    return digest.hexdigest()[:16]
