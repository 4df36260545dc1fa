"""`ascnode accel synth` and `verilog`: the chip's bitstream, and its Verilog for other people's designs."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ascnode.cli.accel_common import one_sentence, open_console
from ascnode.errors import AscnodeError

if TYPE_CHECKING:
    from ascnode_gateware.synth.boards import Board
    from ascnode_gateware.synth.flow import Chip


class Target(StrEnum):
    ICE40UP5K = "ice40up5k"
    ECP5_45K = "ecp5-45k"


class Wrap(StrEnum):
    NONE = "none"
    SPI = "spi"
    WISHBONE = "wishbone"


_DEFAULT_BOARDS = {Target.ICE40UP5K: "pico-ice", Target.ECP5_45K: "ecp5-45k"}
_FAMILIES = {Target.ICE40UP5K: "ice40", Target.ECP5_45K: "ecp5"}


def synth(
    target: Annotated[Target, typer.Option(help="FPGA to build for.")] = Target.ICE40UP5K,
    board: Annotated[str | None, typer.Option(help="pico-ice or icebreaker.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Placements to try.")] = 1,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for all that is made.")] = Path(
        "build/accelerator"
    ),
) -> None:
    """Synthesise, place and route the accelerator; needs the gateware extra."""
    console = open_console()
    with one_sentence():
        chosen = _board(target, board)
        with console.status(f"building for {chosen.name}"):
            chip = _synthesise(chosen, seeds, output)
    console.print(chip.report(), highlight=False)
    console.print(f"{chip.bitstream}", highlight=False)


def _board(target: Target, name: str | None) -> "Board":
    from ascnode_gateware.synth.boards import board_named

    chosen = board_named(name or _DEFAULT_BOARDS[target])
    if chosen.family != _FAMILIES[target]:
        raise AscnodeError(f"{chosen.name} has no {target}: its FPGA is {chosen.family} {chosen.device}")
    return chosen


def _synthesise(board: "Board", seeds: int, output: Path) -> "Chip":
    from ascnode_gateware.rtl.accelerator import core_verilog
    from ascnode_gateware.synth.chip import board_design
    from ascnode_gateware.synth.flow import synthesise

    return synthesise(board_design(core_verilog(), board), board, range(1, seeds + 1), output)


def verilog(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    wrap: Annotated[Wrap, typer.Option(help="A port in front of the accelerator's bus.")] = Wrap.NONE,
) -> None:
    """Write the accelerator's Verilog, for a simulator or another design; needs the gateware extra."""
    with one_sentence():
        paths = _write_verilog(output, wrap)
    for path in paths:
        print(path)


def _write_verilog(folder: Path, wrap: Wrap) -> list[Path]:
    from ascnode_gateware.rtl.accelerator import write_verilog
    from ascnode_gateware.synth.wrap import spi_accelerator_verilog, wishbone_accelerator_verilog

    folder.mkdir(parents=True, exist_ok=True)
    [accelerator] = write_verilog(folder)
    if wrap is Wrap.NONE:
        return [accelerator]
    joined = spi_accelerator_verilog if wrap is Wrap.SPI else wishbone_accelerator_verilog
    port = folder / f"{wrap.value}.v"
    port.write_text(joined(accelerator.read_text(encoding="utf-8")), encoding="utf-8")
    return [accelerator, port]
