"""`ascnode flash`, step by step: prove the board, put MicroPython on, deploy the firmware, wait for its hello."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from ascnode.boards import bootsel, deploy, flash_esp32, flash_ice, identity, uf2
from ascnode.boards.discovery import NOTHING, Found, find_ports, may_be
from ascnode.boards.firmware import architecture_of, board_files
from ascnode.boards.identity import Chip
from ascnode.boards.images import Image
from ascnode.boards.interpreter import MINIMUM_VERSION
from ascnode.boards.kinds import Kind
from ascnode.boards.locks import BoardLock
from ascnode.boards.repl import Repl
from ascnode.boards.serial import find
from ascnode.errors import BoardError, BoardTimeoutError, WrongBoardError
from ascnode.session.opening import close_serial, open_serial

BOOT_S = 90.0  # an emulated Pico takes more than half a minute
_POLL_S = 0.2

Say = Callable[[str], None]
Look = Callable[[], list[Found]]


@dataclass(frozen=True)
class Target:
    """Which board: a port, a chip id of the bench file, or neither when one of that kind is plugged in."""

    kind: Kind
    port: str | None = None
    chip_id: str | None = None
    drive: Path | None = None
    look: Look = find_ports
    drives: Callable[[], list[bootsel.Drive]] = field(default=bootsel.find_drives)


def choose_port(target: Target) -> str:
    """The port that was named, that of the chip id, or the only one of that kind; BoardError when it must not be
    guessed."""
    if target.port is not None:
        return target.port
    fitting = [found for found in target.look() if found.family in ("", target.kind.platform)]
    if target.chip_id is not None:
        return _port_of(target.chip_id, fitting)
    if not fitting:
        raise BoardError(f"{NOTHING} (looked for a {target.kind.name})")
    if len(fitting) > 1:
        ports = ", ".join(found.path for found in fitting)
        raise BoardError(f"{len(fitting)} boards could be meant ({ports}): name one with --port or --bench")
    return fitting[0].path


def _port_of(chip_id: str, fitting: list[Found]) -> str:
    for found in fitting:
        if found.usb_serial == chip_id:
            return found.path
    seen = []
    for found in (one for one in fitting if may_be(one, chip_id)):
        try:
            chip = identity.probe(found.path)
        except BoardError as error:
            seen.append(str(error))
            continue
        if chip.chip_id == chip_id:
            return found.path
        seen.append(f"{found.path}: board {chip.chip_id}")
    raise BoardError(f"board {chip_id} is not plugged in ({'; '.join(seen) or 'no port of any board'})")


def install_micropython(
    target: Target,
    image: Image,
    say: Say,
    dry_run: bool,
    progress: bootsel.Progress | None = None,
    verbose: bool = False,
) -> Target:
    """Puts an image on; the target with the port where the board came back, and the chip id it was proved to have.

    `verbose`: esptool shows its own progress.
    """
    if target.kind.espressif:
        return _install_esp32(target, image, say, dry_run, verbose)
    if target.kind.platform != "rp2":
        raise BoardError(f"a {target.kind.name} board takes no image")
    return _install_rp2(target, image, say, dry_run, progress)


def _install_esp32(target: Target, image: Image, say: Say, dry_run: bool, verbose: bool) -> Target:
    port = choose_port(target)
    flash_esp32.check(image.content)
    if dry_run:
        chip_id = flash_esp32.detect(port, target.kind, target.chip_id)
        say(f"would write {image.name} to {target.kind.name} {chip_id} on {port}")
    else:
        say(f"writing {image.name} to {port} (minutes at 115,200 baud)")
        chip_id = flash_esp32.install(port, target.kind, image.content, target.chip_id, verbose)
        say(f"written and verified: {target.kind.name} {chip_id}")
    return replace(target, port=port, chip_id=chip_id)


def _install_rp2(
    target: Target, image: Image, say: Say, dry_run: bool, progress: bootsel.Progress | None
) -> Target:
    uf2.check(image.content, target.kind.families)
    before = {found.path for found in target.look()}
    drive = _waiting_drive(target)
    if drive is None:
        return _through_boot_loader(target, image, say, dry_run, progress)
    say(f"{'would write' if dry_run else 'writing'} {image.name} to {drive.path} ({drive.model})")
    if dry_run:
        return target
    bootsel.write(drive, image.content, target.kind, progress)
    port = _wait_port(target, before)
    say(f"MicroPython is on; the board is {port}")
    return replace(target, port=port, drive=None)


def _waiting_drive(target: Target) -> bootsel.Drive | None:
    if target.drive is not None:
        drive = bootsel.drive_at(target.drive)
        bootsel.require_kind(drive, target.kind)
        return drive
    return None if target.port is not None else bootsel.only_drive(target.drives(), target.kind)


def _through_boot_loader(
    target: Target, image: Image, say: Say, dry_run: bool, progress: bootsel.Progress | None
) -> Target:
    port = choose_port(target)
    identity.leave_firmware(port, target.kind, target.chip_id)
    with ExitStack() as stack:
        with Repl(port) as repl:
            chip = identity.ask(repl)
            identity.require(chip, target.kind, target.chip_id)
            proved = replace(target, port=port, chip_id=chip.chip_id, drive=None)
            if dry_run:
                say(f"would restart board {chip.chip_id} in its boot loader and write {image.name}")
                return proved
            stack.enter_context(BoardLock(chip.chip_id))
            before = [drive.path for drive in target.drives()]
            repl.send("import machine\nmachine.bootloader()", "starting the boot loader")
        say(f"board {chip.chip_id} restarts in its boot loader")
        drive = bootsel.wait_drive(target.kind, before, target.drives)
        bootsel.write(drive, image.content, target.kind, progress)
        port = _wait_port(proved, set())
    say(f"MicroPython is on; the board is {port}")
    return replace(proved, port=port)


def _wait_port(target: Target, before: set[str]) -> str:
    # The port of that chip id, or without one the port that was not there before; and open to us, which takes udev a
    # moment.
    end = time.monotonic() + BOOT_S
    why = "none appeared"
    while time.monotonic() < end:
        for found in target.look():
            if _is_back(found, target, before):
                try:
                    close_serial(open_serial(found.path))
                    return found.path
                except BoardError as error:
                    why = str(error)
        time.sleep(_POLL_S)
    raise BoardTimeoutError(
        f"no port of the board came back within {BOOT_S:g} s after MicroPython was put on ({why})"
    )


def _is_back(found: Found, target: Target, before: set[str]) -> bool:
    if target.chip_id is None:
        return found.family == target.kind.platform and found.path not in before
    return found.usb_serial == target.chip_id or (not found.usb_serial and found.path == target.port)


def deploy_firmware(
    target: Target,
    once: Mapping[str, bytes],
    say: Say,
    progress: deploy.Progress | None = None,
    dry_run: bool = False,
    again: Mapping[str, bytes] | None = None,
) -> Chip:
    """Deploys what changed of the firmware, and of `again`, and waits for the hello; the board as it then is.

    `once`: files for a board that lacks them. WrongBoardError before anything is written to another board.
    """
    port = choose_port(target)
    say(f"asking the board on {port} who it is")
    identity.leave_firmware(port, target.kind, target.chip_id)
    with Repl(port) as repl:
        chip = identity.ask(repl)
        identity.require(chip, target.kind, target.chip_id)
        _require_version(chip)
        with BoardLock(chip.chip_id):
            say(f"{target.kind.name} {chip.chip_id}, {chip.firmware}")
            files = {**board_files(architecture_of(chip.mpy)), **(again or {})}
            done = deploy.deploy(repl, files, once, progress, dry_run)
    say(_summary(done, dry_run))
    return chip if dry_run else wait_hello(chip, target.look)


def _summary(done: deploy.Plan, dry_run: bool) -> str:
    verb = "would write" if dry_run else "wrote"
    counts = f"{verb} {len(done.write)} files, remove{'' if dry_run else 'd'} {len(done.remove)}, kept {len(done.keep)}"
    if not dry_run or done.empty:
        return counts
    return "\n".join(
        [counts, *(f"  write  {name}" for name in done.write), *(f"  remove {name}" for name in done.remove)]
    )


def wait_hello(chip: Chip, look: Look = find_ports, wait_s: float = BOOT_S) -> Chip:
    """Until the board says hello in this host's dictionary; DictionaryMismatchError or BoardTimeoutError otherwise."""

    def ports() -> list[str]:
        return [chip.port, *(found.path for found in look() if may_be(found, chip.chip_id))]

    async def wait() -> Chip:
        session = await find(chip.chip_id, ports, wait_s)
        try:
            assert session.identity is not None
            return identity.from_identity(session.port.path, session.identity)
        finally:
            session.close()

    return asyncio.run(wait())


def install_bitstream(
    target: Target, bitstream: bytes, say: Say, progress: flash_ice.Progress | None, dry_run: bool
) -> None:
    """Writes what changed of a bitstream into the FPGA's flash and starts the FPGA; the firmware runs again after."""
    if target.kind.name != "pico-ice":
        raise WrongBoardError(
            f"a {target.kind.name} board has no FPGA that takes a bitstream: --board pico-ice"
        )
    flash_ice.check(bitstream)
    port = choose_port(target)
    identity.leave_firmware(port, target.kind, target.chip_id)
    with Repl(port) as repl:
        chip = identity.ask(repl)
        identity.require(chip, target.kind, target.chip_id)
        with BoardLock(chip.chip_id):
            written, sectors = flash_ice.install(repl, bitstream, progress, dry_run)
    verb = "would write" if dry_run else "wrote"
    say(f"{verb} {written} of {sectors} sectors of the FPGA's flash; the FPGA runs")


def _require_version(chip: Chip) -> None:
    name, _, version = chip.firmware.partition(" ")
    try:
        numbers = tuple(int(part) for part in version.split(".")[:2])
    except ValueError:
        numbers = ()
    if name != "MicroPython" or numbers < MINIMUM_VERSION:
        needed = ".".join(map(str, MINIMUM_VERSION))
        raise BoardError(
            f"{chip.port} runs {chip.firmware}; the firmware needs MicroPython {needed}: give --image too"
        )
