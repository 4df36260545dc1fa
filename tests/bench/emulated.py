"""`make bench`, the emulated Pico: what the firmware takes on an RP2040, in the chip's own time, beside its budget."""

from __future__ import annotations

import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.bench.pico import CHIP_ID, Progress, measured, run

from ascnode.boards.emulated import MARCH
from ascnode.boards.emulated_image import PicoImage, find_image
from ascnode.boards.firmware import BOARD_ID_FILE, board_files
from ascnode.errors import BoardError
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.payload import load_payload
from ascnode.scenario.provision import BENCH_KEY_INDEX, bench_key, node_files
from ascnode.scenario.scenario import Scenario
from ascnode.session import frames, messages
from ascnode.session.commanding import Commander
from ascnode_fw.wire import dictionary as d

HERE = Path(__file__).parent
HEAP_BYTES = 228_672  # free on an RP2040 as MicroPython 1.23 starts
PERIODS = 20
PERIOD_MS = 1000
_SEED = 1
_NONCE = 0x0105
_HELLO = b"\0" + bytes((4, d.LINK))  # how the frame of an identity begins, its length by COBS aside
_MAX_BODY = 1024


@dataclass(frozen=True)
class Row:
    """A figure beside its budget: the most it may be, or the least where `least`."""

    name: str
    value: float
    budget: float
    unit: str
    least: bool = False

    @property
    def share(self) -> float:
        return self.budget / self.value if self.least else self.value / self.budget


def session() -> bytes:
    """Frames behind their lengths: hello, begin, an idle period, PERIODS of them, then one with a query, and leave."""
    scenario = Scenario()
    payload = load_payload(scenario.payload, scenario.folder)
    commander = Commander(bench_key(_SEED, 0), BENCH_KEY_INDEX)
    arguments = (1, payload.model.model_id, 0, 3600)
    query = commander.packet("query", *arguments, data=payload.images[0].tobytes())
    light = messages.environment(0, 1024, 1024, 0, 0)
    bodies = [
        messages.begin(0, 0, 4, 0),
        *messages.exchange(_us(1), [light], 0, _MAX_BODY),
        *messages.exchange(_us(2), [], 0, _MAX_BODY),
        *messages.exchange(_us(2 + PERIODS), [], 0, _MAX_BODY),
        *messages.exchange(_us(3 + PERIODS), [messages.packet(_us(2 + PERIODS), query)], 0, _MAX_BODY),
    ]
    numbered = [messages.numbered(body, _NONCE, number) for number, body in enumerate(bodies, 1)]
    whole = [messages.hello(_NONCE), *numbered, bytes((d.LINK, 2)) + b"repl"]
    encoded = [frames.encode(body) for body in whole]
    return b"".join(struct.pack("<H", len(frame)) + frame for frame in encoded)


def _us(periods: int) -> int:
    return periods * PERIOD_MS * 1000


def rows(folder: Path, image: PicoImage, progress: Progress) -> list[Row]:
    """The table; each boot of the firmware takes some 40 s of CPU time."""
    scenario = Scenario()
    firmware = board_files(MARCH)
    files = node_files(scenario.node, compile_image(load_project_model()), _SEED, 0, PERIOD_MS)
    files = {**firmware, **files, BOARD_ID_FILE: CHIP_ID}
    _, hello_s = run(folder, image, files, lambda output: CHIP_ID in output, progress)
    files |= {"main.py": (HERE / "emulated_node.py").read_bytes(), "boot.py": b"", "session.bin": session()}
    output, _ = run(folder, image, files, lambda output: b"}\r\n" in output, progress)
    figures = measured(output)
    mpy = sum(len(data) for name, data in firmware.items() if name.endswith(".mpy"))
    return [Row("boot to hello, 1 s of grace in it", hello_s * 1000, 5000, "ms"), *_rows(figures, mpy)]


def _rows(figures: dict[str, Any], mpy: int) -> list[Row]:
    # times_us: hello at start, hello, begun, three exchanges of known lengths, one with a query.
    _, hello, _, _, one, many, query = figures["times_us"]
    period = (many - one) / (PERIODS - 1)
    return [
        Row("plant step", figures["plant_us"], 1000, "us"),
        Row("bytes allocated in a plant step", figures["plant_bytes"], 1, "B"),
        Row("control period, idle", period / 1000, 0.01 * PERIOD_MS, "ms"),
        Row("control period with an inference", query / 1000, 0.1 * PERIOD_MS, "ms"),
        Row("of it the inference, on the CPU", figures["inference_us"] / 1000, 0.08 * PERIOD_MS, "ms"),
        Row("frame in, answered: an exchange's", (one - period) / 1000, 50, "ms"),
        Row("frame in, answered: a hello's", hello / 1000, 100, "ms"),
        Row("firmware on the flash, .mpy", mpy / 1024, 128, "KiB"),
        Row("heap in use, most", figures["peak"], 0.6 * HEAP_BYTES, "B"),
        Row("heap free, waiting for frames", figures["free"], 0.4 * HEAP_BYTES, "B", least=True),
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    console = Console(width=110)
    try:
        image = find_image()
    except BoardError as error:
        console.print(f"the emulated Pico is not measured: {error}", highlight=False)
        return
    with (
        tempfile.TemporaryDirectory(prefix="ascnode-bench-") as folder,
        Console(file=sys.stderr).status("") as status,
    ):
        found = rows(Path(folder), image, lambda text: status.update(f"emulated Pico: {text}"))
    table = Table(
        title=f"firmware on an emulated RP2040, MicroPython {image.version}, in the chip's own time"
    )
    for name in ("", "measured", "budget", "of it"):
        table.add_column(name, justify="left" if not name else "right")
    for row in found:
        sign = ">=" if row.least else "<="
        share = f"{row.share:.0%}" if row.value else "0%"
        table.add_row(
            row.name,
            f"{_short(row.value)} {row.unit}",
            f"{sign} {_short(row.budget)} {row.unit}",
            share,
        )
    console.print(table)


if __name__ == "__main__":
    main()
