"""Boards that are plugged in, by their USB ids; nothing is asked and nothing disturbed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from serial.tools import list_ports

from ascnode.boards.bootsel import find_drives

# USB vendor and product ids, from the vendors' documentation and the usb-ids list. A product of None is any.
_USB = (
    (0x2E8A, 0x0005, "RP2040 or RP2350 with MicroPython", "rp2"),
    (0x2E8A, None, "Raspberry Pi chip", "rp2"),
    (0x1209, 0xB1C0, "pico-ice with its own firmware", "rp2"),
    (0x303A, None, "ESP32 with USB", "esp32"),
    (0x10C4, None, "CP210x: perhaps an ESP32", "esp32"),
    (0x1A86, None, "CH340: perhaps an ESP32", "esp32"),
)

NOTHING = (
    "no boards found: plug one in (with a data cable), hold BOOTSEL while you do so if it is a new Pico, or name a "
    "port with --port"
)


@dataclass(frozen=True)
class Found:
    """A board's port, or its boot loader's drive; `usb_serial` is the chip id on RP2 boards with MicroPython."""

    path: str
    what: str
    family: str
    usb: str
    usb_serial: str


def find_ports(named: Iterable[str] = ()) -> list[Found]:
    """Serial ports of boards in the order of their names, then those that the user named."""
    found = [_known(port) for port in sorted(list_ports.comports(), key=lambda port: str(port.device))]
    known = [one for one in found if one is not None]
    paths = {one.path for one in known}
    return known + [Found(path, "named by you", "", "", "") for path in named if path not in paths]


def may_be(found: Found, chip_id: str) -> bool:
    """Whether the board with that chip id could be there: ports of other chips, and of other known boards, are left
    in peace. An ESP32's id is a MAC address of 6 bytes; MicroPython on RP2 gives its id as the USB serial number."""
    family = "esp32" if len(chip_id) == 12 else "rp2"
    if found.family == "rp2" and found.usb_serial:
        return found.usb_serial == chip_id
    return found.family in ("", family)


def find_boot_loaders() -> list[Found]:
    """Mounted BOOTSEL drives."""
    return [Found(str(drive.path), drive.model, drive.board_id, "", "") for drive in find_drives()]


def _known(port: object) -> Found | None:
    vid, pid = getattr(port, "vid", None), getattr(port, "pid", None)
    for vendor, product, what, family in _USB:
        if vid == vendor and product in (None, pid):
            serial_number = str(getattr(port, "serial_number", None) or "")
            return Found(
                str(getattr(port, "device", "")), what, family, f"{vid:04x}:{pid:04x}", serial_number.lower()
            )
    return None
