"""The SPI port, simulated at both clocks; the benches are cocotb modules beside this file."""

import pytest

from gateware.spi.build import run_bench


@pytest.mark.parametrize("bench", ["bench_transfers", "bench_faults"])
def test_port_behaves_as_its_page_says(bench):
    run_bench(f"gateware.spi.{bench}")
