"""The kinds of board that can be flashed, and what proves that a board is one of them."""

from __future__ import annotations

from dataclasses import dataclass

from ascnode.errors import BoardError

# UF2 family ids, from github.com/microsoft/uf2 utils/uf2families.json.
RP2040_FAMILY = 0xE48BFF56
RP2350_ARM_FAMILY = 0xE48BFF59
RP2350_RISCV_FAMILY = 0xE48BFF5A
ABSOLUTE_FAMILY = 0xE48BFF57


@dataclass(frozen=True)
class Kind:
    """`chip` is the last word of MicroPython's sys.implementation._machine, in small letters; `board_id` the
    Board-ID of its boot loader's INFO_UF2.TXT, for chips that have one; `image` is micropython.org's name of its
    image."""

    name: str
    chip: str
    platform: str
    families: tuple[int, ...] = ()
    board_id: str = ""
    image: str = ""

    @property
    def espressif(self) -> bool:
        """Whether esptool puts MicroPython on it."""
        return self.platform == "esp32"


_RP2350 = (RP2350_ARM_FAMILY, RP2350_RISCV_FAMILY)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("rp2040", "rp2040", "rp2", (RP2040_FAMILY,), "RPI-RP2", "RPI_PICO"),
        Kind("rp2350", "rp2350", "rp2", _RP2350, "RP2350", "RPI_PICO2"),
        Kind("pico-ice", "rp2040", "rp2", (RP2040_FAMILY,), "RPI-RP2", "RPI_PICO"),
        Kind("esp32", "esp32", "esp32", image="ESP32_GENERIC"),
        Kind("esp32s3", "esp32s3", "esp32", image="ESP32_GENERIC_S3"),
        Kind("esp32c3", "esp32c3", "esp32", image="ESP32_GENERIC_C3"),
        Kind("virtual", "virtual", "linux"),
    )
}


def kind_named(name: str) -> Kind:
    """BoardError that lists the kinds when there is none of that name."""
    try:
        return KINDS[name]
    except KeyError:
        raise BoardError(f"no kind of board {name!r}: there are {', '.join(KINDS)}") from None
