"""The Wishbone slave, simulated; its bench is the cocotb module beside this file."""

from gateware.spi.build import run_bench


def test_slave_follows_wishbone_b4():
    run_bench("gateware.wishbone.bench_wishbone")
