"""A boot loader's drive: a folder that takes a UF2 file and vanishes, as a Pico in BOOTSEL does."""

import os
import shutil
import threading
from pathlib import Path

RP2040_INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n"
RP2350_INFO = "UF2 Bootloader v1.0\r\nModel: Raspberry Pi RP2350\r\nBoard-ID: RP2350\r\n"


def make_drive(folder: Path, info: str = RP2040_INFO) -> Path:
    folder.mkdir(parents=True)
    (folder / "INFO_UF2.TXT").write_bytes(info.encode())
    return folder


class VanishingDrive:
    """Takes `take` bytes (all that come, by default) and is gone; `received` is what it got.

    The file is a FIFO: when the drive goes in the middle, the writer sees an OSError, as on a drive that is pulled (a
    FIFO's fsync fails as well).
    """

    def __init__(self, folder: Path, info: str = RP2040_INFO, take: int = 1 << 30) -> None:
        self.path = make_drive(folder, info)
        self.received = b""
        self._take = take
        os.mkfifo(self.path / "ascnode.uf2")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        fd = os.open(self.path / "ascnode.uf2", os.O_RDONLY)
        while len(self.received) < self._take and (data := os.read(fd, 4096)):
            self.received += data
        shutil.rmtree(self.path)
        os.close(fd)

    def join(self) -> None:
        self._thread.join(10)


def vanish_after(folder: Path, size: int) -> threading.Thread:
    """A plain folder that goes once its file has `size` bytes: the copy itself never fails."""

    def watch() -> None:
        end = threading.Event()
        file = folder / "ascnode.uf2"
        while not file.exists() or file.stat().st_size < size:
            end.wait(0.01)
        shutil.rmtree(folder)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread
