"""The two clocks of the SPI port meet in one synchroniser and in a byte each way, and nowhere else."""

import re

import pytest

from ascnode_gateware.rtl.spi_port import spi_port_verilog
from gateware.spi.crossings import Domains, netlist

INPUTS = {"mosi": "sck", "cs_n": "cs_n", "reset": "clk", "ready": "clk", "rdata": "clk"}
SYNCHRONISED = {  # first flip-flop: source
    r"core\.spi_rx_sync_1": r"store\.rx_pushed",
}
# A byte received is stable for 8 bits from the toggle on, one to send from 3 cycles behind it until the next.
ENTRIES = {
    r"store\.rx_last\[\d\]": r"core\.spi_.*",
    r"core\.spi_tx_byte\[\d\]": r"bits\.(tx_shift\[\d\]|tx_bit)",
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
    assert min(domains.registers[clock] for clock in ("sck", "clk")) > 20
    assert illegal(domains) == set()
    for source in ("cs_n", *SYNCHRONISED.values(), *ENTRIES):
        assert any(named(source, crossing.source) for crossing in domains.crossings())


def test_first_flip_flop_of_a_synchroniser_feeds_the_second_only(port):
    domains = domains_of(port)
    (load,) = domains.loads("core.spi_rx_sync_1")
    assert "core.spi_rx_sync_2" in load


CORE_TOGGLE = ".rx_toggle(rx_toggle), .rx_entry(rx_entry), .tx"
STORE_PUSH = ".push(push), .data(data), .rx"
PLANTED = {
    "bit of SCK into core": ([(".reset(reset),", ".reset(reset | push),")], r"bits\..*", r"core\..*"),
    "bit of core into SCK": ([(".mosi(mosi),", ".mosi(mosi ^ valid),")], r"core\..*", r"bits\..*"),
    "gate before synchroniser": (
        [(CORE_TOGGLE, CORE_TOGGLE.replace("(rx_toggle)", "(rx_toggle ^ push)"))],
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
