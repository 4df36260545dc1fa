"""One process per emulated board: keeps its serial port, runs the chip, shows what a board would.

    python -c "... main()" --flash FILE --image FILE --id HEX [--free] [--link PATH] [--accelerator FD]

The pseudo-terminal outlives resets, so a program stays attached. The chip runs in pieces of a few milliseconds, between
which bytes and commands are looked at; a host that takes no bytes stops the chip's time.

stdin: lines `power on`, `power off`, `cut`, `reset`, `quit`; `cut at write N HALVES` is an order for the flash,
`cut after N` (instructions) for the chip that runs. End of file is `quit`: a board dies with its host.
stdout: one JSON object a line, with "event" as
    port   path             the host's end, from the start to the end
    boot   boot, pid, time_ms   the chip has been found on USB; `boot` counts from 1, time is the chip's
    fault  reason           the emulator failed and the board is off
    error  reason           an unknown command came
    off    time_ms          the board has no power; also when it met what a cut was ordered for
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ascnode.boards import uf2
from ascnode.boards.child import Queue, read_available
from ascnode.boards.emulator_accelerator import SpiAccelerator
from ascnode.boards.emulator_flash import FlashFile
from ascnode.boards.emulator_machine import Machine
from ascnode.boards.kinds import RP2040_FAMILY

_STDIN, _STDOUT = 0, 1
# The chip's time is ahead of the host's by no more than this.
_QUANTUM_S = 0.001

Boot = Callable[[Callable[[bytes | bytearray], None], Callable[[], None]], Machine]


class Pace:
    """How far the chip's time is ahead of the host's. What it falls behind is forgiven: it never hurries to catch up,
    so its time-outs come no sooner than on a desk."""

    def __init__(self, machine: Machine, now_s: Callable[[], float] = time.monotonic) -> None:
        self._machine = machine
        self._now_s = now_s
        self._zero_s = now_s()

    def ahead_s(self) -> float:
        """Seconds; never negative."""
        ahead_s = self._machine.time_s - (self._now_s() - self._zero_s)
        if ahead_s < 0:
            self._zero_s -= ahead_s
            return 0.0
        return ahead_s


class Emulator:
    """The board: at most one chip with power, one port, and what is on its way between them."""

    def __init__(self, boot: Boot, flash: FlashFile, free: bool) -> None:
        self._boot_chip = boot
        self._flash = flash
        self._free = free
        # The slave stays open here: data and terminal settings outlive a program that closes the port.
        self._host, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        for fd in (self._host, _STDIN, _STDOUT):
            os.set_blocking(fd, False)
        self._to_host = Queue(self._host)
        self._reports = Queue(_STDOUT)
        self._machine: Machine | None = None
        self._pace: Pace | None = None
        self._boots = 0
        self._line = b""
        self._quit = False

    def run(self) -> None:
        """Serves until `quit` or end of file on stdin."""
        self._report("port", path=self.port)
        try:
            while not self._quit:
                self._serve(self._wait_s())
                self._run_chip()
        except BrokenPipeError:
            return  # nobody hears the reports any more

    # --- the chip

    def _run_chip(self) -> None:
        machine = self._machine
        if machine is None or self._to_host.full() or self._ahead_s() > 0:
            return
        try:
            machine.run(_QUANTUM_S)
        except Exception as error:  # of a peripheral's model, within an instruction
            self._machine = None
            self._report("fault", reason=f"the emulator failed: {type(error).__name__}: {error}")
            return
        if machine.dead:
            self._obey("cut")

    def _ahead_s(self) -> float:
        return 0.0 if self._free or self._pace is None else self._pace.ahead_s()

    def _wait_s(self) -> float | None:
        # How long nothing but bytes and commands can happen.
        if self._machine is None or self._to_host.full():
            return None
        return self._ahead_s()

    def _power_on(self) -> None:
        self._machine = self._boot_chip(self._to_host.send, self._connected)
        self._pace = Pace(self._machine)

    def _connected(self) -> None:
        assert self._machine is not None
        self._boots += 1
        self._report("boot", boot=self._boots, pid=os.getpid(), time_ms=round(self._machine.time_s * 1000))

    def _power_off(self) -> None:
        time_ms = round(self._machine.time_s * 1000) if self._machine else 0
        self._machine = self._pace = None
        self._report("off", time_ms=time_ms)

    # --- bytes and commands

    def _serve(self, wait_s: float | None) -> None:
        writes = {queue.fd: queue for queue in (self._to_host, self._reports) if queue.data}
        reads = [_STDIN, *([self._host] if self._machine is None or self._machine.usb.room else [])]
        readable, writable, _ = select.select(reads, writes, [], wait_s)
        for fd in writable:
            writes[fd].flush()
        if _STDIN in readable:  # first: an order holds for bytes that came after it
            self._take_commands()
        if self._host in readable:
            self._take_from_host()

    def _take_from_host(self) -> None:
        machine = self._machine
        room = machine.usb.room if machine else 65536
        try:
            data = os.read(self._host, room) if room else b""
        except BlockingIOError:
            return
        if machine is not None:
            machine.usb.send(data)
        # without power nobody listens

    def _take_commands(self) -> None:
        data = read_available(_STDIN)
        if data is None:
            return
        self._quit = not data
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._obey(line.decode(errors="replace").strip())

    def _obey(self, line: str) -> None:
        match line.split():
            case ["power", "on"]:
                if self._machine is None:
                    self._power_on()
            case ["power", "off"]:
                self._power_off()
            case ["cut"]:
                self._to_host.data.clear()
                self._power_off()
            case ["reset"]:
                self._power_on()
            case ["quit"]:
                self._quit = True
            case ["cut", "at", "write", number, halves] if (number + halves).isdecimal():
                self._flash.order_cut(int(number), int(halves))
            case ["cut", "after", number] if number.isdecimal() and self._machine is not None:
                self._machine.die_after(int(number))
            case _:
                self._report("error", reason=f"unknown command {line!r}")

    def _report(self, event: str, **details: str | int) -> None:
        # A host that takes no reports loses the newest ones.
        if not self._reports.full():
            self._reports.send(json.dumps({"event": event, **details}).encode() + b"\n")


@contextmanager
def _published(port: str, link: Path | None) -> Iterator[None]:
    # What an emulator that was killed left behind is replaced; a real file is not.
    if link is None:
        yield
        return
    if link.is_symlink():
        link.unlink()
    link.symlink_to(port)
    try:
        yield
    finally:
        if link.is_symlink() and str(link.readlink()) == port:  # another board may have taken the name since
            link.unlink()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--flash", type=Path, required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--id", type=bytes.fromhex, required=True)
    parser.add_argument("--free", action="store_true")
    parser.add_argument("--link", type=Path)
    parser.add_argument("--accelerator", type=int)
    return parser.parse_args()


def main() -> None:
    """Serves one board until its host lets go of stdin."""
    options = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        blocks = uf2.check(options.image.read_bytes(), (RP2040_FAMILY,))
        flash = FlashFile(options.flash)
        accelerator = None if options.accelerator is None else SpiAccelerator(options.accelerator)
        emulator = Emulator(
            lambda output, connected: Machine(blocks, flash, options.id, accelerator, output, connected),
            flash,
            options.free,
        )
        with _published(emulator.port, options.link):
            emulator.run()
    except OSError as error:
        print(json.dumps({"event": "fault", "reason": f"the board cannot be made: {error}"}), flush=True)
