"""The sixteen 8x8 multipliers as Verilog text, because PyRTL has no black boxes.

Module `mac_array`, the same ports in each variant:

    clk
    a[128], b[128]  operands, signed bytes: row r (0..3), lane l (0..3) in bits 8*(4r+l) and up
    load            1: this edge takes `b` into the weight registers
    s[128]          sum i = 2r+h of row r in bits 16*i and up:
                    a[r][2h]*w[r][2h] + a[r][2h+1]*w[r][2h+1], modulo 2^16

Latency: with weights taken before cycle t, `a` in cycle t gives `s` in cycle t+2. No stall, no reset.
Two products of -128 * -128 add up to 0x8000, which reads as -32768: the compiler refuses such weight pairs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ascnode_gateware.synth.process import GatewareError
from ascnode_gateware.synth.verilog import instance, module_ports, port_declarations

PAIRS = 8

# SB_MAC16 as two signed 8x8 multipliers whose products the top adder sums. Every parameter is spelt out, so
# that a guard can compare the synthesised netlist with this table. Names and meanings: Lattice FPGA-TN-02007
# (DSP function usage guide for iCE40), and SB_MAC16 in Yosys's share/ice40/cells_sim.v.
MAC16_PARAMETERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {  # name: (width in bits, value)
        "NEG_TRIGGER": (1, 0),
        "C_REG": (1, 0),  # C is the bottom product, which is registered already
        "A_REG": (1, 0),
        "B_REG": (1, 1),  # the weights; BHOLD keeps them
        "D_REG": (1, 0),
        "TOP_8x8_MULT_REG": (1, 1),
        "BOT_8x8_MULT_REG": (1, 1),
        "PIPELINE_16x16_MULT_REG1": (1, 0),
        "PIPELINE_16x16_MULT_REG2": (1, 0),
        "TOPOUTPUT_SELECT": (2, 1),  # O[31:16]: the top adder's register
        "TOPADDSUB_LOWERINPUT": (2, 1),  # adds the top product ...
        "TOPADDSUB_UPPERINPUT": (1, 1),  # ... and C
        "TOPADDSUB_CARRYSELECT": (2, 0),
        "BOTOUTPUT_SELECT": (2, 2),  # O[15:0]: the bottom product's register
        "BOTADDSUB_LOWERINPUT": (2, 0),
        "BOTADDSUB_UPPERINPUT": (1, 0),
        "BOTADDSUB_CARRYSELECT": (2, 0),
        "MODE_8x8": (1, 1),
        "A_SIGNED": (1, 1),
        "B_SIGNED": (1, 1),
    }
)

_HEADER = """module mac_array(
  input clk,
  input [127:0] a,
  input [127:0] b,
  input load,
  output [127:0] s
);
"""

_LOW_INPUTS = (
    "AHOLD",
    "CHOLD",
    "DHOLD",
    "IRSTTOP",
    "IRSTBOT",
    "ORSTTOP",
    "ORSTBOT",
    "OLOADTOP",
    "OLOADBOT",
    "ADDSUBTOP",
    "ADDSUBBOT",
    "OHOLDTOP",
    "OHOLDBOT",
    "CI",
    "ACCUMCI",
    "SIGNEXTIN",
)


def mac_array_verilog(variant: str) -> str:
    """Verilog of module `mac_array`: variant "behavioural" (simulation), "ice40" (8 SB_MAC16) or "ecp5"."""
    if variant not in _VARIANTS:
        raise GatewareError(f"mac_array has no variant {variant!r}; it has {', '.join(_VARIANTS)}")
    return _HEADER + _VARIANTS[variant]() + "endmodule\n"


def with_mac_array(core: str, variant: str) -> str:
    """Verilog of module `accelerator` as others see it: the PyRTL module of that name in `core`, and its multipliers.

    The PyRTL module has the ports mac_a, mac_b, mac_load and mac_s; it becomes `accelerator_core`.
    """
    ports = module_ports(core, "accelerator")
    missing = {"clk", "mac_a", "mac_b", "mac_load", "mac_s"} - {port.name for port in ports}
    if missing:
        raise GatewareError(f"the accelerator's Verilog lacks the port {', '.join(sorted(missing))}")
    outer = [port for port in ports if not port.name.startswith("mac_")]
    return f"""{core.replace("module accelerator", "module accelerator_core", 1)}
{mac_array_verilog(variant)}
module accelerator(
{port_declarations(outer)}
);
  wire [127:0] mac_a, mac_b, mac_s;
  wire mac_load;
{instance("accelerator_core", "core", ports)}
  mac_array macs(.clk(clk), .a(mac_a), .b(mac_b), .load(mac_load), .s(mac_s));
endmodule
"""


def _inferred() -> str:
    return "".join(_inferred_pair(i) for i in range(PAIRS))


def _inferred_pair(i: int) -> str:
    return f"""  reg signed [7:0] wl{i}, wh{i};
  reg signed [15:0] pl{i}, ph{i}, sum{i};
  always @(posedge clk) begin
    if (load) begin
      wl{i} <= b[{16 * i + 7}:{16 * i}];
      wh{i} <= b[{16 * i + 15}:{16 * i + 8}];
    end
    pl{i} <= $signed(a[{16 * i + 7}:{16 * i}]) * wl{i};
    ph{i} <= $signed(a[{16 * i + 15}:{16 * i + 8}]) * wh{i};
    sum{i} <= pl{i} + ph{i};
  end
  assign s[{16 * i + 15}:{16 * i}] = sum{i};
"""


def _ice40() -> str:
    return "".join(_mac16(i) for i in range(PAIRS))


def _mac16(i: int) -> str:
    """One SB_MAC16: the bottom product leaves through O[15:0] and comes back, over fabric wires, as C."""
    parameters = ", ".join(f".{name}({width}'d{value})" for name, (width, value) in MAC16_PARAMETERS.items())
    operand = f"[{16 * i + 15}:{16 * i}]"
    low = ", ".join(f".{name}(1'b0)" for name in _LOW_INPUTS)
    return f"""  wire [15:0] bottom{i};
  SB_MAC16 #({parameters})
  mac{i}(
    .CLK(clk), .CE(1'b1), .A(a{operand}), .B(b{operand}), .C(bottom{i}), .D(16'd0), .BHOLD(~load),
    {low},
    .O({{s{operand}, bottom{i}}}), .CO(), .ACCUMCO(), .SIGNEXTOUT()
  );
"""


_VARIANTS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"behavioural": _inferred, "ice40": _ice40, "ecp5": _inferred}
)
