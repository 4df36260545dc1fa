"""The accelerator with mutants, and a flash beside it, as one module that the simulator takes for the accelerator.

The bus reaches two things more: a write to MUTANT_ADDRESS chooses the mutant, and words written to FLASH_WORDS
are the flash's contents.
"""

import io

from pyrtl import output_to_verilog, reset_working_block, working_block

from ascnode_gateware.rtl.accelerator import accelerator
from ascnode_gateware.rtl.mac_array import with_mac_array
from gateware.mutation.mutants import Mutant, plant

MUTANT_ADDRESS = 0xFFFF
FLASH_WORDS = 0xC000
FLASH_WORDS_END = 0xF000
# Of PyRTL's names: what these feed is in front of or behind the units, and belongs to none.
_NO_UNITS = frozenset({"host", "shared"})


def mutated_verilog(count: int, seed: int) -> tuple[str, list[Mutant]]:
    """(Verilog of module `accelerator`, its mutants)."""
    reset_working_block()
    accelerator()
    mutants = plant(working_block(), count, seed, lambda unit: unit not in _NO_UNITS)
    text = io.StringIO()
    output_to_verilog(text, add_reset=False, initialize_registers=False, module_name="accelerator")
    reset_working_block()
    inner = with_mac_array(text.getvalue(), "behavioural").replace("module accelerator(", "module mutated(")
    return "\n".join([inner, _FLASH, _WRAPPER.replace("WIDTH", str(count.bit_length()))]), mutants


# As rtl/accelerator.py wants it with SAMPLE_DELAY = 1: what the flash sends after SCK's fall arrives two edges
# later. W25Q32JV's commands: wake, JEDEC ID, status register 2, fast read quad output.
_FLASH = f"""module flash_model(
  input clk, input cs_n, input sck_en, input [3:0] o, output reg [3:0] i,
  input write, input [15:0] address, input [31:0] data
);
  reg [31:0] words [0:{FLASH_WORDS_END - FLASH_WORDS - 1}];
  reg [7:0] opcode, bits;
  reg [31:0] shift;
  reg [24:0] nibble;
  reg [3:0] sent;
  wire [31:0] received = {{shift[30:0], o[0]}};
  wire [31:0] word = words[nibble[24:3] % {FLASH_WORDS_END - FLASH_WORDS}];
  wire [7:0] since = bits - 8'd7;
  always @(posedge clk) begin
    if (write) words[address - 16'd{FLASH_WORDS}] <= data;
    i <= sent;
    if (cs_n) begin
      bits <= 0;
      opcode <= 0;
    end else if (sck_en) begin
      shift <= received;
      if (bits != 255) bits <= bits + 1;
      if (bits == 7) opcode <= received[7:0];
      if (bits == 31) nibble <= {{received[23:0], 1'b0}};
      sent <= 0;
      if (bits >= 7) case (bits == 7 ? received[7:0] : opcode)
        8'h9f: sent[1] <= since < 24 && ((24'hef4016 >> (23 - since)) & 1);
        8'h35: sent[1] <= ((8'h02 >> (7 - since % 8)) & 1);
        8'h6b: if (bits >= 39) begin
          sent <= word >> {{nibble[2:1], ~nibble[0], 2'b00}};
          nibble <= nibble + 1;
        end
      endcase
    end
  end
endmodule
"""

_WRAPPER = f"""module accelerator(
  input clk, input reset,
  input bus_valid, input bus_write, input [15:0] bus_addr, input [31:0] bus_wdata,
  output bus_ready, output [31:0] bus_rdata,
  output irq, output busy, output [7:0] layer,
  input flash_grant, input [3:0] flash_i
);
  reg [WIDTH-1:0] mutant;
  wire flash_cs_n, flash_sck_en, flash_request;
  wire [3:0] flash_o, from_flash;
  wire to_bench = bus_addr >= {FLASH_WORDS};
  wire flash_write = bus_valid & bus_write & to_bench & bus_addr < {FLASH_WORDS_END};
  reg granted;
  always @(posedge clk) begin
    granted <= flash_request;
    if (bus_valid & bus_write & bus_addr == {MUTANT_ADDRESS}) mutant <= bus_wdata[WIDTH-1:0];
  end
  flash_model flash(
    .clk(clk), .cs_n(flash_cs_n), .sck_en(flash_sck_en), .o(flash_o), .i(from_flash),
    .write(flash_write), .address(bus_addr), .data(bus_wdata)
  );
  mutated device(
    .clk(clk), .reset(reset), .mutant(mutant),
    .bus_valid(bus_valid & ~to_bench), .bus_write(bus_write), .bus_addr(bus_addr), .bus_wdata(bus_wdata),
    .bus_ready(bus_ready), .bus_rdata(bus_rdata), .crc_error(1'b0), .frame_error(1'b0),
    .flash_grant(granted), .flash_i(from_flash), .flash_request(flash_request), .flash_driven(),
    .flash_cs_n(flash_cs_n), .flash_sck_en(flash_sck_en), .flash_o(flash_o), .flash_oe(),
    .irq(irq), .busy(busy), .layer(layer), .moved()
  );
endmodule
"""
