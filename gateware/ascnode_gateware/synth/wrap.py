"""The accelerator and a port in front of its bus as one module, for other designs: pins and clocks are theirs."""

from collections.abc import Sequence
from string import Template

from ascnode_gateware.rtl.spi_port import reset_release_verilog, spi_port_verilog
from ascnode_gateware.rtl.wishbone import wishbone_verilog
from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.verilog import (
    ModulePort,
    instance,
    module_ports,
    port_declarations,
    wire_declarations,
)

_OPEN = frozenset(["busy", "layer", "moved"])  # outputs for a simulator only


def spi_accelerator_verilog(accelerator: str) -> str:
    """Module `spi_accelerator` and those inside it but for `accelerator`, whose Verilog is given.

    Ports: clk; rst (asynchronous, its end is made synchronous); sck, cs_n, mosi, miso as `spi_port` has them; irq
    and flash_* as the accelerator has them.
    """
    ports = spi_port_verilog() + reset_release_verilog()
    return ports + _joined("spi_accelerator", _SPI_PORTS, accelerator, _SPI)


def wishbone_accelerator_verilog(accelerator: str) -> str:
    """Module `wishbone_accelerator` and those inside it but for `accelerator`, whose Verilog is given.

    Ports: clk; reset (synchronous); wb_* as `wishbone` has them; irq and flash_* as the accelerator has them.
    """
    wishbone = wishbone_verilog()
    buses = [port for port in module_ports(wishbone, "wishbone") if port.name.startswith("wb_")]
    ports = [ModulePort("input", "clk", 1), ModulePort("input", "reset", 1), *buses]
    links = ", ".join(f".{port.name}({port.name})" for port in buses)
    return wishbone + _joined("wishbone_accelerator", ports, accelerator, _WISHBONE, links=links)


def _joined(name: str, front: Sequence[ModulePort], accelerator: str, body: Template, **texts: str) -> str:
    """Module `name`: ports `front`, and those of the accelerator that `body` does not connect to the port in front."""
    ports = module_ports(accelerator, "accelerator")
    _check(ports)
    names = {port.name for port in front}
    inner = [port for port in ports if port.name.startswith("bus_") or port.name in _ERRORS]
    outer = [port for port in ports if port not in inner and port.name not in _OPEN | names | {"reset"}]
    return _MODULE.substitute(
        name=name,
        ports=port_declarations([*front, *outer]),
        wires=wire_declarations(inner),
        body=body.substitute(texts).rstrip(),
        accelerator=instance("accelerator", "core", ports, dict.fromkeys(_OPEN, "")),
    )


def _check(ports: Sequence[ModulePort]) -> None:
    missing = {*_BUS, *_ERRORS} - {port.name for port in ports}
    if missing:
        raise GatewareError(f"the accelerator lacks the ports {sorted(missing)}")


_ERRORS = ("crc_error", "frame_error")
_BUS = ("bus_valid", "bus_write", "bus_addr", "bus_wdata", "bus_ready", "bus_rdata")
_SPI_PORTS = (
    *(ModulePort("input", name, 1) for name in ("clk", "rst", "sck", "cs_n", "mosi")),
    ModulePort("output", "miso", 1),
)

_MODULE = Template("""`default_nettype none
module $name(
$ports
);
$wires
$body
$accelerator
endmodule
`default_nettype wire
""")

_SPI = Template("""  wire reset;
  reset_release release_reset(.clk(clk), .rst(rst), .reset(reset));
  spi_port port(
    .clk(clk), .reset(reset), .sck(sck), .cs_n(cs_n), .mosi(mosi), .miso(miso),
    .valid(bus_valid), .write(bus_write), .address(bus_addr), .wdata(bus_wdata),
    .ready(bus_ready), .rdata(bus_rdata), .crc_error(crc_error), .frame_error(frame_error)
  );
""")

_WISHBONE = Template("""  assign crc_error = 1'b0;
  assign frame_error = 1'b0;
  wishbone port(
    .clk(clk), .reset(reset), $links,
    .valid(bus_valid), .write(bus_write), .address(bus_addr), .wdata(bus_wdata),
    .ready(bus_ready), .rdata(bus_rdata)
  );
""")
