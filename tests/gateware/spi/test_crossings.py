"""The two clocks of the SPI port meet in the Gray pointers' synchronisers and in FIFO entries, and nowhere else."""

import re

import pytest

from ascnode_gateware.rtl.spi_port import spi_port_verilog
from gateware.spi.crossings import Domains, netlist

INPUTS = {"mosi": "sck", "cs_n": "cs_n", "reset": "clk", "ready": "clk", "rdata": "clk"}
SYNCHRONISED = {  # first flip-flop: source
    r"core\.spi_rx_sync_1\[\d\]": r"store\.rx_write\[\d\]",
    r"bits\.tx_sync_1\[\d\]": r"core\.spi_tx_write\[\d\]",
}
# An entry is stable while the pointer, seen through two flip-flops, says that it may be read.
ENTRIES = {
    r"store\.rx_entry_\d\[\d\]": r"core\.spi_.*",
    r"core\.spi_tx_entry_\d\[\d\]": r"bits\.(tx_shift\[\d\]|tx_bit)",
}
CLEARED_BY_CS = r"(bits\..*|miso)"


def illegal(domains):
    """Crossings that no rule above allows."""
    return {crossing for crossing in domains.crossings() if not _allowed(crossing)}


def _allowed(crossing):
    if "cs_n" in crossing.source:
        return crossing.pin == "R" and crossing.direct and named(CLEARED_BY_CS, crossing.target)
    if crossing.pin == "D" and crossing.direct and _matches(SYNCHRONISED, crossing.target, crossing.source):
        return True
    return _matches(ENTRIES, crossing.source, crossing.target)


def _matches(rules, key, value):
    return any(named(a, key) and named(b, value) for a, b in rules.items())


def named(pattern, names):
    return any(re.fullmatch(pattern, name) for name in names)


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    return spi_port_verilog(), tmp_path_factory.mktemp("crossings")


def domains_of(port, *replaced):
    text, folder = port
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return Domains(netlist(text, "spi_port", folder), ("clk", "sck"), INPUTS)


def test_only_synchronisers_and_entries_cross(port):
    domains = domains_of(port)
    assert min(domains.registers[clock] for clock in ("sck", "clk")) > 60
    assert illegal(domains) == set()
    for source in ("cs_n", *SYNCHRONISED.values(), *ENTRIES):
        assert any(named(source, crossing.source) for crossing in domains.crossings())


def test_first_flip_flop_of_a_synchroniser_feeds_the_second_only(port):
    domains = domains_of(port)
    for index in range(3):
        for side in ("core.spi_rx", "bits.tx"):
            (load,) = domains.loads(f"{side}_sync_1[{index}]")
            assert f"{side}_sync_2[{index}]" in load


CORE_POINTER = ".rx_pointer(rx_pointer), .rx_0(rx_0), .rx_1(rx_1), .rx_2(rx_2), .rx_3(rx_3),\n        .tx"
STORE_PUSH = ".push(push), .data(data),\n        .rx"
PLANTED = {
    "bit of SCK into core": ([(".reset(reset),", ".reset(reset | push),")], r"bits\..*", r"core\..*"),
    "bit of core into SCK": ([(".mosi(mosi),", ".mosi(mosi ^ valid),")], r"core\..*", r"bits\..*"),
    "gate before synchroniser": (
        [(CORE_POINTER, CORE_POINTER.replace("(rx_pointer)", "(rx_pointer ^ {2'b0, push})"))],
        r"bits\..*",
        r"core\.spi_rx_sync_1.*",
    ),
    "core stops FIFO": (
        [(STORE_PUSH, STORE_PUSH.replace("(push)", "(push & ~crc_error)"))],
        r"core\..*",
        r"store\..*",
    ),
    "core clears MISO": (
        [
            ("wire push,", "wire both = cs_n | reset; wire push,"),
            ("posedge cs_n", "posedge both"),
            ("if (cs_n)", "if (both)"),
        ],
        "reset",
        "miso",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_crossing_is_found(port, name):
    replaced, source, target = PLANTED[name]
    found = illegal(domains_of(port, *replaced))
    assert any(named(source, c.source) and named(target, c.target) for c in found)
