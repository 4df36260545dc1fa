"""A small run whose boards talk: three twins, refusals among the answers, a reset, a power cap."""

from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from ascnode.cli.run import Flight
from ascnode.ground.air import AirPacket, in_order
from ascnode.record.reader import open_record
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import TM_BYTES, pack_tm
from scenario.flight import scenario

TEXT = """
name = "talk"
seed = 7
duration_s = 300
[constellation]
boards = [[0, 0], [3, 5], [5, 1]]
compute = "boards"
[[constellation.shells]]
altitude_km = 1200
planes = 8
per_plane = 8
phasing = 1
[users]
cities = 20
min_elevation_deg = 10
[gateways]
sites = 10
[downlink]
gso_deg = 0
[lasers]
max_range_km = 7000
[[workload]]
kind = "inference"
queries = 240
burst = 40
deadline_s = 20
[[cap]]
at_s = 100
for_s = 60
each_w = 100
[[fault]]
kind = "board"
node = "sat-5-1"
effect = "reset"
start_s = 112
"""


@cache
def record() -> Path:
    """Flown once a process."""
    folder = Path(mkdtemp(prefix="ascnode-test-"))
    path = folder / "talk.sqlite"
    Flight(scenario(folder, TEXT), path, None, Console(file=StringIO())).fly()
    return path


@cache
def packets() -> tuple[AirPacket, ...]:
    """All that crossed the radios of that run, in order of time."""
    with open_record(record()) as reader:
        return tuple(in_order({board.node: reader.frames(board.node) for board in reader.boards}))


def telemetry() -> list[bytes]:
    """What came down in that run."""
    return [packet.data for packet in packets() if not packet.up]


def made(kind: int, data: bytes, count: int = 0x1234, seconds: int = 0x00123456, ms: int = 250) -> bytes:
    """A telemetry packet of that kind."""
    out = bytearray(TM_BYTES + len(data))
    return bytes(out[: pack_tm(out, d.APID, count, seconds, ms, kind, data)])
