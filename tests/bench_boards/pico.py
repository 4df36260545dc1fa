"""A virtual board that says it is a Pico, with a pico-ice's flash and a boot loader's drive around it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ascnode.boards import bootsel, flashing, identity
from ascnode.boards.discovery import Found
from ascnode.boards.kinds import KINDS
from ascnode.boards.virtual import VirtualBoard
from bench_boards.fake_drive import make_drive, vanish_after
from boards.rig import PROMPT, eventually, rig

CHIP = "0123456789abcdef"
MACHINE = Path(__file__).with_name("fake_machine.py")


@contextmanager
def pico(
    folder: Path, monkeypatch: pytest.MonkeyPatch, machine: str = "Raspberry Pi Pico with RP2040"
) -> Iterator[VirtualBoard]:
    """At its REPL. What it says of its port and chip is put into its mouth; the rest is asked as of any board."""
    question = identity._ASK.replace("sys.platform", "'rp2'").replace(
        'getattr(i, "_machine", "")', repr(machine)
    )
    monkeypatch.setattr(identity, "_ASK", question)
    files = {"lib/machine.py": MACHINE.read_bytes(), "board.id": bytes.fromhex(CHIP)}
    with rig(folder, "", files) as (board, port):
        port.read_until(PROMPT)
        port.serial.close()
        yield board


def target(
    board: VirtualBoard, kind: str = "rp2040", drive: Path | None = None, **changes: object
) -> flashing.Target:
    """Found as a Pico is, by its USB serial number; `drive` is where its boot loader shows itself."""

    def look() -> list[Found]:
        return [Found(board.port, "Pico", "rp2", "2e8a:0005", CHIP)]

    def drives() -> list[bootsel.Drive]:
        return bootsel.drives_at([drive] if drive else [])

    arguments = {"port": None, "chip_id": CHIP, "drive": None, "look": look, "drives": drives, **changes}
    return flashing.Target(KINDS[kind], **arguments)  # type: ignore[arg-type]


def boot_loader(board: VirtualBoard, drive: Path, size: int, info: str) -> threading.Thread:
    """When machine.bootloader() was called, its drive appears, and goes once it has `size` bytes."""

    def called() -> bool:
        return any(event.kind == "exit" and event.details["code"] == 7 for event in board.events)

    def serve() -> None:
        eventually(called, "call of the boot loader", 30)
        watcher_path = drive.with_name("making")
        make_drive(watcher_path, info).rename(drive)
        vanish_after(drive, size)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread
