"""`make bench`: measures, and prints each figure beside its bound or peer. Nothing here is asserted."""

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import serial
from rich.console import Console
from rich.table import Table
from tests.bench import fleet as fleet_bench
from tests.bench.mesh import mesh
from tests.bench.record import records
from tests.bench.run import runs
from tests.bench.sky import sky

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.interpreter import Interpreter, find_interpreter
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.record.database import Record
from ascnode.scenario.board import board_satellite
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.ledger import Account
from ascnode.scenario.payload import Payload, load_payload
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.run import gather
from ascnode.scenario.satellite import Satellite
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.scenario.tables.work import Inference
from ascnode.scenario.traffic import queries
from ascnode.session import messages
from ascnode.sky.cities import load_cities

HERE = Path(__file__).parent
ROUND_S = 600
REACH = {1: 20_000, 100: 600}  # times real time at 1 s steps
PEER = "a model-only peer (cubesat-testbed 1.1): 102 nodes at 27x"


@dataclass(frozen=True)
class Flight:
    """A timed run, start-up of the boards apart."""

    boards: int
    boot_s: float
    fly_s: float
    steps: int
    answered: int
    mismatches: int

    @property
    def times_real_time(self) -> float:
        return self.steps / self.boards / self.fly_s


async def fly(boards: int, orbits: float, queries: int, interpreter: Interpreter, folder: Path) -> Flight:
    """Boards alone, without the network around them: what is measured is the steps."""
    scenario = fleet(boards, orbits, queries)
    payload = load_payload(scenario.payload, scenario.folder)
    start = time.perf_counter()
    with Record(folder / f"{boards}-{queries}.sqlite") as record:
        async with Hangar(scenario, payload, interpreter, record) as hangar:
            satellites = [board_satellite(scenario, i, flyer, ()) for i, flyer in enumerate(hangar.flyers)]
            accounts = asked(scenario, payload, satellites)
            booted = time.perf_counter()
            for flyer in hangar.flyers:
                await flyer.begin(0)
            for round_s in [*range(ROUND_S, scenario.length_s, ROUND_S), scenario.length_s]:
                said = await gather([one.advance(round_s * 1_000_000) for one in satellites])
                for satellite, packets in zip(satellites, said, strict=True):
                    results = (satellite.result_of(one.packet) for one in packets)
                    accounts -= {account for account in results if account}
            record.commit()
            flown = time.perf_counter()
            steps = sum(flyer.steps for flyer in hangar.flyers)
            mismatches = sum(flyer.mismatches for flyer in hangar.flyers)
    return Flight(boards, booted - start, flown - booted, steps, queries - len(accounts), mismatches)


def asked(scenario: Scenario, payload: Payload, satellites: list[Satellite]) -> set[Account]:
    """The scenario's queries, each to the next board at the time it is sent; all radios have lock."""
    for satellite in satellites:
        satellite.taken = lambda sent_us: sent_us + 3_000
        satellite.add(0, messages.radio_lock(0, True))
    (work,) = scenario.workload
    sent = queries(work, load_cities(), scenario.epoch, scenario.length_s, len(payload.images), 0.3, (1,))
    accounts = {Account(query, payload.label(query.image)) for query in sent}
    for account in accounts:
        query = account.query
        satellite = satellites[query.job % len(satellites)]
        satellite.ask(query.sent_us, account, payload.model.model_id, payload.images[query.image].tobytes())
    return accounts


def fleet(boards: int, orbits: float, queries: int) -> Scenario:
    """Boards spread over the demo's shell."""
    places = tuple(((i * 7) % 72, (i * 5) % 22) for i in range(boards))
    return Scenario(
        orbits=orbits,
        constellation=ConstellationTable(name="starlink-gen1-1", boards=places, compute="boards"),
        workload=(Inference(queries=queries, burst=10),),
    )


def flights(console: Console, interpreter: Interpreter, folder: Path) -> None:
    table = Table(title="boards of real firmware with twins and record, 1 s steps", title_justify="left")
    for name in ("boards", "queries answered", "board-steps/s", "x real time", "reach", "of it", "boot s"):
        table.add_column(name, justify="right")
    for boards, orbits, work in (
        (1, 10.0, 0),
        (1, 3.0, 300),
        (8, 3.0, 0),
        (100, 1.0, 0),
        (100, 0.5, 2000),
    ):
        one = asyncio.run(fly(boards, orbits, work, interpreter, folder))
        reach = REACH.get(boards)
        table.add_row(
            str(boards),
            str(one.answered),
            f"{one.steps / one.fly_s:,.0f}",
            f"{one.times_real_time:,.0f}",
            f"{reach:,}" if reach else "",
            f"{one.times_real_time / reach:.2f}" if reach else "",
            f"{one.boot_s:.1f}",
        )
    console.print(table)
    console.print(f"beside it: {PEER}")


def step_times(console: Console, interpreter: Interpreter, folder: Path) -> None:
    table = Table(title="one step of 1 s", title_justify="left")
    for name in ("", "MicroPython us", "CPython us", "MicroPython / CPython"):
        table.add_column(name, justify="right")
    script = str(HERE / "step_times.py")
    for name, content in node_files(Scenario().node, compile_image(load_project_model()), 1, 0, 1000).items():
        (folder / name).write_bytes(content)
    for name, content in board_files(architecture(interpreter)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    board = _figures([*interpreter.command, script, str(folder)], MICROPYPATH=str(folder / "lib"))
    twin = _figures(
        [sys.executable, script, str(folder)], PYTHONPATH=str(HERE.parent.parent / "firmware" / "lib")
    )
    for name in board:
        table.add_row(name, f"{board[name]:.2f}", f"{twin[name]:.2f}", f"{board[name] / twin[name]:.2f}")
    console.print(table)


def _figures(command: list[str], **environment: str) -> dict[str, float]:
    out = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env=environment
    ).stdout
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in out.splitlines())}


def heaps(console: Console, interpreter: Interpreter, folder: Path) -> None:
    """A board of each profile that boots the node, runs an inference and says what its heap holds."""
    table = Table(
        title="heap of a booted node after an inference (64-bit port: objects take twice an RP2040's)"
    )
    for name in ("profile", "heap B", "used B", "free B", "used"):
        table.add_column(name, justify="right")
    scenario = Scenario()
    for profile in PROFILES.values():
        files = node_files(scenario.node, compile_image(load_project_model()), 1, 0, 1000)
        main = {"main.py": (HERE / "heap.py").read_bytes(), BOARD_ID_FILE: unique_id(1, 0)}
        flash = folder / f"{profile.name}.flash"
        content = {**board_files(architecture(interpreter)), **files, **main}
        flash.write_bytes(build_image(content, profile.flash_blocks))
        used, free = _heap(VirtualBoard(flash, profile.name, interpreter))
        table.add_row(
            profile.name, f"{used + free:,}", f"{used:,}", f"{free:,}", f"{used / (used + free):.0%}"
        )
    console.print(table)


def _heap(board: VirtualBoard) -> tuple[int, int]:
    with board, serial.Serial(board.port, timeout=10) as port:
        board.power_on()
        line = port.read_until(b"heap end")
    used, free = line.split(b"heap ")[1].split()[:2]
    return int(used), int(free)


def main() -> None:
    console = Console(width=120)
    sky(console)
    mesh(console)
    fleet_bench.main(console)
    interpreter = find_interpreter()
    if interpreter is None:
        sys.exit("bench: no MicroPython interpreter on this machine")
    console.print(f"MicroPython {interpreter.version}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        step_times(console, interpreter, folder)
        heaps(console, interpreter, folder)
        flights(console, interpreter, folder)
        runs(console, folder)
        records(console, folder)


if __name__ == "__main__":
    main()
