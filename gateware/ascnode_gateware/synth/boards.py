"""The boards: which FPGA, which pins, which clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ascnode_gateware.synth.process import GatewareError

# An RP2040 at its usual 125 MHz divides by an even number: the fastest SCK below 1.3 times the core's clock.
HOST_SCK_MHZ = 31.25


@dataclass(frozen=True)
class Board:
    """`pins`: port of the top module to the package's pin. `pll`: SB_PLL40_PAD's dividers, or None when the clock
    pin has the core's clock already. `low`: pins that hold others in check by being driven low. `pulled_up`: inputs
    that mean "go" when nothing is connected."""

    name: str
    family: str
    device: str
    package: str
    core_mhz: float
    input_mhz: float
    pins: Mapping[str, str]
    pll: Mapping[str, int] | None = None
    low: tuple[str, ...] = ()
    pulled_up: tuple[str, ...] = ()


# Both boards have the configuration flash there.
_FLASH = {
    "flash_io0": "14",
    "flash_io1": "17",
    "flash_io2": "12",
    "flash_io3": "13",
    "flash_sck": "15",
    "flash_cs_n": "16",
}

_PMOD_PINS = ("irq", "reset_n", "request", "grant", "spi_miso", "spi_cs_n", "spi_mosi", "spi_sck")


def _pmod(*pins: int) -> dict[str, str]:
    """The host link on a PMOD, its pins 1, 2, 3, 4, 7, 8, 9, 10 in that order."""
    return {name: str(pin) for name, pin in zip(_PMOD_PINS, pins, strict=True)}


# With the RP2040, board revision 3. Host link: its GPIO 0..3 are irq, reset_n, request, grant; 4..7 are miso, cs_n,
# sck, mosi. Until its firmware drives them, its pull-downs hold reset_n and grant low. psram_select, high, would
# let the PSRAM drive the flash's pins.
PICO_ICE = Board(
    name="pico-ice",
    family="ice40",
    device="up5k",
    package="sg48",
    core_mhz=24.0,
    input_mhz=24.0,
    pins=MappingProxyType(
        {
            "clock": "35",
            "irq": "27",
            "reset_n": "25",
            "request": "21",
            "grant": "19",
            "spi_miso": "26",
            "spi_cs_n": "23",
            "spi_sck": "20",
            "spi_mosi": "18",
            "psram_select": "37",
            **_FLASH,
        }
    ),
    low=("psram_select",),
)

# Host on PMOD 1A. 12 MHz * (DIVF + 1) / 2^DIVQ = 24 MHz; the oscillator in between runs at 768 MHz.
ICEBREAKER = Board(
    name="icebreaker",
    family="ice40",
    device="up5k",
    package="sg48",
    core_mhz=24.0,
    input_mhz=12.0,
    pins=MappingProxyType({"clock": "35", **_pmod(4, 2, 47, 45, 3, 48, 46, 44), **_FLASH}),
    pll=MappingProxyType({"DIVR": 0, "DIVF": 63, "DIVQ": 5, "FILTER_RANGE": 1}),
    pulled_up=("reset_n", "grant"),  # nobody else drives the flash once the FPGA is configured
)

# No board: what an ECP5 makes of the design. Pins are nextpnr's choice.
ECP5_45K = Board(
    name="ecp5-45k",
    family="ecp5",
    device="45k",
    package="CABGA381",
    core_mhz=48.0,
    input_mhz=48.0,
    pins=MappingProxyType({}),
)

BOARDS: Mapping[str, Board] = MappingProxyType(
    {board.name: board for board in (PICO_ICE, ICEBREAKER, ECP5_45K)}
)


def board_named(name: str) -> Board:
    """The board of that name."""
    if name not in BOARDS:
        raise GatewareError(f"there is no board {name!r}; there are {', '.join(BOARDS)}")
    return BOARDS[name]


def pin_constraints(board: Board) -> str:
    """nextpnr's .pcf or .lpf: pins, and the clocks' frequencies in MHz. `port` is the SPI port's name in chip.py."""
    return _CONSTRAINTS[board.family](board)


def _pcf(board: Board) -> str:
    pull_up = dict.fromkeys(board.pulled_up, "-pullup yes ")
    pins = [f"set_io {pull_up.get(port, '')}{port} {pin}" for port, pin in board.pins.items()]
    clocks = [f"set_frequency clk {board.core_mhz:g}", f"set_frequency port.sck {HOST_SCK_MHZ:g}"]
    return "\n".join([*pins, *clocks]) + "\n"


def _lpf(board: Board) -> str:
    pins = [f'LOCATE COMP "{port}" SITE "{pin}";' for port, pin in board.pins.items()]
    clocks = [
        f'FREQUENCY PORT "clock" {board.core_mhz:g} MHZ;',
        f'FREQUENCY PORT "spi_sck" {HOST_SCK_MHZ:g} MHZ;',
    ]
    return "\n".join([*pins, *clocks]) + "\n"


_CONSTRAINTS: Mapping[str, Callable[[Board], str]] = MappingProxyType({"ice40": _pcf, "ecp5": _lpf})
