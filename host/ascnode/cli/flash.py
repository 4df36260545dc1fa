"""`ascnode flash`: MicroPython, the node's firmware, or an FPGA's bitstream onto a real board."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ascnode.boards import bench, deploy, flashing, images
from ascnode.boards.identity import Chip
from ascnode.boards.images import Image
from ascnode.boards.kinds import Kind, kind_named
from ascnode.cli.boards import BENCH_FILE, BenchFile
from ascnode.errors import AscnodeError, StoppedError, WrongBoardError
from ascnode.models.acc import acc_file
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.provision import node_files
from ascnode.scenario.scenario import Scenario, load
from ascnode_gateware.compiler.compile import compile_model


def flash(
    board: Annotated[str, typer.Option(help="rp2040, rp2350, esp32, pico-ice, ... or virtual.")],
    port: Annotated[
        str | None, typer.Option(help="Serial port; needed when several boards could be meant.")
    ] = None,
    bench_name: Annotated[
        str | None, typer.Option("--bench", help="Name or chip id in the bench file.")
    ] = None,
    bench_file: BenchFile = BENCH_FILE,
    drive: Annotated[Path | None, typer.Option(help="Mounted BOOTSEL drive.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="MicroPython image to put on first (.uf2 or .bin).")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="MicroPython release to download and put on first.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 that the image must have.")] = None,
    bitstream: Annotated[
        Path | None, typer.Option(help="FPGA bitstream for a pico-ice; nothing else is written.")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="Scenario whose node this board is; writes plant, keys, model.")
    ] = None,
    node: Annotated[
        int, typer.Option(min=0, help="Which of the scenario's nodes: its keys follow from it.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; writes nothing.")
    ] = False,
) -> None:
    """Flash a board: prove which it is, put MicroPython on if asked, deploy what changed, wait for its hello."""
    try:
        kind = kind_named(board)
        target = _target(kind, port, bench_name, bench_file, drive)
        if bitstream is not None:
            _bitstream(target, bitstream, dry_run, image, version)
            return
        chosen = _image(kind, image, version, sha256)
        files = _node_files(scenario, node, _has_fpga(bench_name, bench_file))
        chip = _firmware(target, chosen, files, scenario is not None, dry_run)
    except KeyboardInterrupt:
        raise StoppedError("stopped by Ctrl-C; run the same command again to finish") from None
    if chip is not None and not dry_run:
        _say(f"hello from {chip.chip_id} on {chip.port}: {chip.firmware}")


def _target(
    kind: Kind, port: str | None, name: str | None, file: Path, drive: Path | None
) -> flashing.Target:
    if name is None:
        return flashing.Target(kind, port, None, drive)
    chip_id, entry = bench.load(file).named(name)
    if entry.kind != kind.name:
        raise WrongBoardError(f"{name} is a {entry.kind} in {file}, not a {kind.name}: nothing was written")
    return flashing.Target(kind, port, chip_id, drive)


def _image(kind: Kind, file: Path | None, version: str | None, sha256: str | None) -> Image | None:
    if file is not None and version is not None:
        raise AscnodeError("--image and --version exclude each other")
    if file is None and version is None:
        if sha256 is not None:
            raise AscnodeError("--sha256 is of an image: give --image or --version too")
        return None
    chosen = images.from_file(file, sha256) if file else images.from_version(kind, str(version), sha256)
    _say(f"{chosen.name}: SHA-256 {chosen.sha256} ({chosen.known or 'nobody vouches for it'})")
    return chosen


def _has_fpga(name: str | None, file: Path) -> bool:
    return name is not None and bench.load(file).named(name)[1].accelerator != "software"


def _node_files(scenario: Path | None, node: int, fpga: bool) -> dict[str, bytes]:
    # With a program for the accelerator where the scenario, or the bench file, says that the board has one.
    flown = load(scenario) if scenario else Scenario()
    if scenario and node >= len(flown.space.boards):
        raise AscnodeError(f"{scenario} has {len(flown.space.boards)} boards: there is no node {node}")
    model = load_project_model()
    accelerated = fpga or flown.accelerator != "none"
    program = acc_file(compile_model(model), model).data if accelerated else None
    return node_files(flown.node, compile_image(model), flown.seed, node, flown.step_ms, program)


def _firmware(
    target: flashing.Target, image: Image | None, files: dict[str, bytes], renew: bool, dry_run: bool
) -> Chip | None:
    if image is not None:
        with _bar("copying MicroPython", target.kind.platform == "rp2") as update:
            target = flashing.install_micropython(
                target,
                image,
                _say,
                dry_run,
                lambda done, total: update("", done, total),
                verbose=Console().is_terminal,
            )
        if dry_run:
            _say("would then deploy the firmware and wait for its hello")
            return None
    with _bar("deploying") as update:
        return flashing.deploy_firmware(
            target, {} if renew else files, _say, update, dry_run, again=files if renew else None
        )


def _bitstream(
    target: flashing.Target, file: Path, dry_run: bool, image: Path | None, version: str | None
) -> None:
    if image is not None or version is not None:
        raise AscnodeError("--bitstream goes alone: put MicroPython on first, then the bitstream")
    content = images.from_file(file).content
    with _bar("writing the FPGA's flash") as update:
        flashing.install_bitstream(
            target, content, _say, lambda done, total: update("", done, total), dry_run
        )


def _say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def _bar(what: str, wanted: bool = True) -> Iterator[deploy.Progress]:
    # On a terminal only: a log gets sentences.
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(
        *columns, console=console, transient=True, disable=not (wanted and console.is_terminal)
    ) as progress:
        task = progress.add_task(what, total=None)

        def update(name: str, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, description=f"{what} {name}".strip())

        yield update
