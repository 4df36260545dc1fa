"""`ascnode boards`: what is plugged in, who it is, and a bench file of it."""

import json
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ascnode.boards import bench, identity
from ascnode.boards.discovery import NOTHING, Found, find_boot_loaders, find_ports
from ascnode.boards.flashing import Target, choose_port
from ascnode.boards.identity import Chip
from ascnode.boards.kinds import KINDS
from ascnode.errors import AscnodeError, BoardError
from ascnode.session.opening import open_serial

app = typer.Typer(help="Find boards, ask who they are, keep a bench file.", no_args_is_help=True)

BENCH_FILE = Path("bench.toml")
_WIDE_COLUMNS = 160

Ports = Annotated[
    list[str] | None,
    typer.Option("--port", help="Look at this port as well: a virtual board's, an adapter's."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
BenchFile = Annotated[Path, typer.Option("--bench-file", help="The bench file.")]


@app.command("list")
def list_boards(port: Ports = None, as_json: Json = False) -> None:
    """Show boards that are plugged in, by their USB ids; nothing is asked."""
    found = [*find_ports(port or []), *find_boot_loaders()]
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    elif not found:
        print(NOTHING)
    else:
        _table(("port or drive", "what", "usb", "serial number"), [_row(one) for one in found])


@app.command("probe")
def probe(port: Ports = None, as_json: Json = False, bench_file: BenchFile = BENCH_FILE) -> None:
    """Ask each board for its chip id and firmware; a program that is not ours is interrupted and restarted."""
    found = find_ports(port or [])
    names = _names(bench_file)
    answers = [(one.path, _ask(one)) for one in found]
    if as_json:
        print(json.dumps([_json(path, answer, names) for path, answer in answers], indent=2))
    elif not found:
        print(NOTHING)
    else:
        _table(
            ("port", "name", "chip id", "chip", "firmware"),
            [_probed(path, answer, names) for path, answer in answers],
        )
    if found and all(isinstance(answer, AscnodeError) for _, answer in answers):
        raise BoardError("no board answered")


@app.command("map")
def map_boards(port: Ports = None, bench_file: BenchFile = BENCH_FILE) -> None:
    """Add the boards that are plugged in to the bench file; what is in it stays as it is."""
    found = find_ports(port or [])
    if not found:
        raise BoardError(NOTHING)
    chips = [answer for one in found if isinstance(answer := _told(one), Chip)]
    if not chips:
        raise BoardError("no board answered: nothing was written")
    fresh = [(chip.chip_id, _kind(chip)) for chip in chips]
    added = bench.save_merged(bench_file, fresh)
    for chip_id, entry in bench.load(bench_file).boards.items():
        if chip_id in {chip.chip_id for chip in chips}:
            print(f"{'added' if chip_id in added else 'kept '} {chip_id} {entry.name} ({entry.kind})")
    print(f"{bench_file}: {len(added)} added; name their power switches there")


@app.command("shell")
def shell(
    board: Annotated[str, typer.Argument(help="A port, or a name of the bench file.")],
    bench_file: BenchFile = BENCH_FILE,
) -> None:
    """Open a board's REPL with mpremote; our firmware is asked to leave first. Ctrl-] or Ctrl-X ends it."""
    if find_spec("mpremote") is None:
        raise BoardError("mpremote is missing: pip install ascnode[flash]")
    path = _path_of(board, bench_file)
    if not identity.to_repl(path):
        open_serial(path).close()  # a taken port is told better than mpremote does
    status = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", path, "resume", "repl"], check=False
    ).returncode
    if status:
        raise BoardError(f"mpremote ended with status {status}")


def _path_of(board: str, bench_file: Path) -> str:
    if "/" in board:
        return board
    chip_id, entry = bench.load(bench_file).named(board)
    return choose_port(Target(KINDS[entry.kind], chip_id=chip_id))


def _names(bench_file: Path) -> dict[str, str]:
    if not bench_file.exists():
        return {}
    return {chip_id: entry.name for chip_id, entry in bench.load(bench_file).boards.items()}


def _ask(found: Found) -> Chip | AscnodeError:
    with Console(stderr=True).status(f"asking {found.path}"):
        try:
            return identity.probe(found.path)
        except AscnodeError as error:
            return error


def _told(found: Found) -> Chip | AscnodeError:
    answer = _ask(found)
    if isinstance(answer, AscnodeError):
        print(f"passed over {found.path}: {identity.describe(answer, found.path)}", file=sys.stderr)
    return answer


def _kind(chip: Chip) -> str:
    # A firmware of before the hello named the chip leaves it open: the user settles it in the file.
    fitting = [kind.name for kind in KINDS.values() if chip.chip in (kind.chip, kind.platform)]
    if not fitting:
        raise BoardError(f"{chip.port} is a {chip.chip}: no kind of board that ascnode knows")
    return fitting[0]


def _row(found: Found) -> tuple[str, ...]:
    return found.path, found.what, found.usb, found.usb_serial


def _probed(path: str, answer: Chip | AscnodeError, names: dict[str, str]) -> tuple[str, ...]:
    if isinstance(answer, AscnodeError):
        return path, "", "", "", identity.describe(answer, path)
    note = "" if answer.dictionary is None or answer.commandable else " (another dictionary: flash it)"
    return path, names.get(answer.chip_id, ""), answer.chip_id, answer.chip, answer.firmware + note


def _json(path: str, answer: Chip | AscnodeError, names: dict[str, str]) -> dict[str, object]:
    if isinstance(answer, AscnodeError):
        return {"port": path, "error": identity.describe(answer, path)}
    return {**asdict(answer), "name": names.get(answer.chip_id), "commandable": answer.commandable}


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    console = Console()
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    (console if console.is_terminal else Console(width=_WIDE_COLUMNS)).print(table, highlight=False)
