"""The accelerator with mutants, as one module that the simulator takes for the accelerator.

Two addresses, where the bus has nothing, are the bench's: a write to MUTANT_ADDRESS chooses the mutant, which a reset
leaves; one to LINK_ADDRESS has a port in front tell an error, of its CRC (bit 0) or its frame (bit 1).
"""

import io

from pyrtl import output_to_verilog, reset_working_block, set_debug_mode, working_block

from ascnode_gateware.rtl.accelerator import accelerator
from ascnode_gateware.rtl.mac_array import with_mac_array
from ascnode_gateware.synth.verilog import instance, module_ports, port_declarations
from gateware.mutation.mutants import Mutant, plant

MUTANT_ADDRESS, LINK_ADDRESS = 0xFFFF, 0xFFFE
# PyRTL's prefix of what lies between the units and belongs to none.
_NO_UNITS = frozenset({"host", "shared"})


def mutated_verilog(count: int, seed: int) -> tuple[str, list[Mutant]]:
    """(Verilog of module `accelerator`, its mutants)."""
    reset_working_block()
    set_debug_mode(True)  # so that wires know their source lines
    try:
        accelerator()
    finally:
        set_debug_mode(False)
    mutants = plant(working_block(), count, seed, lambda unit: unit not in _NO_UNITS)
    text = io.StringIO()
    output_to_verilog(text, add_reset=False, initialize_registers=False, module_name="accelerator")
    reset_working_block()
    inner = with_mac_array(text.getvalue(), "behavioural").replace("module accelerator(", "module mutated(")
    return inner + _wrapper(inner, count.bit_length()), mutants


def _wrapper(inner: str, bits: int) -> str:
    """Passes all ports on, but for the bus while it is idle: then it carries noise."""
    ports = module_ports(inner, "mutated")
    shown = [port for port in ports if port.name != "mutant"]
    return f"""module accelerator(
{port_declarations(shown)}
);
  reg [{bits - 1}:0] mutant;
  reg [31:0] noise;
  reg [1:0] link;
  wire writes = bus_valid & bus_write;
  always @(posedge clk) begin
    noise <= {{noise[30:0], ~(noise[31] ^ noise[21] ^ noise[1] ^ noise[0])}};
    if (writes & bus_addr == 16'd{MUTANT_ADDRESS}) mutant <= bus_wdata[{bits - 1}:0];
    link <= writes & bus_ready & bus_addr == 16'd{LINK_ADDRESS} ? bus_wdata[1:0] : 2'd0;
  end
{instance("mutated", "device", ports, _NETS)}
endmodule
"""


_NETS = {
    "bus_write": "bus_valid ? bus_write : noise[31]",
    "bus_addr": "bus_valid ? bus_addr : noise[15:0]",
    "bus_wdata": "bus_valid ? bus_wdata : noise",
    "crc_error": "link[0]",
    "frame_error": "link[1]",
}
