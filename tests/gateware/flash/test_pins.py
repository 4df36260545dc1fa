"""The streamer at the flash's pins; the benches are cocotb modules beside this file."""

from gateware.flash.bench_build import run_bench


def test_streamer_keeps_to_the_flash_s_data_sheet():
    run_bench("gateware.flash.bench_pins")
