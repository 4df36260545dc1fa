"""A small design with every cell that a placed chip may have, on two clocks, and a top module for a simulator.

Module `probe`: what i0..i3 select is on o0..o15; i4 resets, i5 enables, i6..i9 are data; t0 and t1 are tristate pins,
driven while i5 is high.
"""

from collections.abc import Sequence
from dataclasses import replace

from ascnode_gateware.rtl.mac_array import MAC16_PARAMETERS
from ascnode_gateware.synth.boards import PICO_ICE, Board
from ascnode_gateware.synth.yosys import Design

INPUTS, OUTPUTS = 10, 16
FLIP_FLOPS = [
    f"SB_DFF{edge}{kind}"
    for edge in ("", "N")
    for kind in ("", "E", "SR", "SS", "R", "S", "ESR", "ESS", "ER", "ES")
]
# The product of 16 by 16 bits, each of its registers used, summed up: what the chip's array does not do.
SUMMED = dict.fromkeys(("A_REG", "B_REG", "C_REG", "D_REG", "A_SIGNED", "B_SIGNED"), 1) | {
    "TOP_8x8_MULT_REG": 1,
    "BOT_8x8_MULT_REG": 1,
    "PIPELINE_16x16_MULT_REG1": 1,
    "PIPELINE_16x16_MULT_REG2": 1,
    "TOPOUTPUT_SELECT": 1,
    "TOPADDSUB_LOWERINPUT": 2,
    "TOPADDSUB_CARRYSELECT": 2,
    "BOTOUTPUT_SELECT": 1,
    "BOTADDSUB_LOWERINPUT": 2,
}
# What i0..i3 select: the bits of it that cells drive.
OBSERVED = {
    0: 0xFFFF,
    1: 0xFFFF,
    2: 0x000F,
    3: 0xFFFF,
    4: 0xFFFF,
    5: 0xFFFF,
    6: 0xFFFF,
    7: 0xFFFF,
    8: 0x00FF,
    9: 0xFFFF,
    10: 0xFFFF,
    11: 0x0003,
}
# Of the package, but for the clocks' and those of the LED driver.
_PINS = [
    *map(str, (2, 3, 4, 6, *range(9, 20), 21, 23, *range(25, 29), 31, 32, 34, 36, 37, 38, *range(42, 49)))
]


def every_cell() -> Design:
    """Its clocks have the names of the chip's, so that the chip's constraints fit."""
    cells = "\n".join(
        [*map(_flip_flop, range(len(FLIP_FLOPS))), _mac("paired", _PAIR), _mac("summed", SUMMED)]
    )
    return Design("probe", {"probe.v": _PROBE.replace("$cells", cells).replace("$ports", _ports())})


def probe_board() -> Board:
    """pico-ice with the clocks where they are and the other pins anywhere."""
    names = [*_scalars("i", INPUTS), *_scalars("o", OUTPUTS), "t0", "t1"]
    clocks = {name: PICO_ICE.pins[name] for name in ("clock", "spi_sck")}
    return replace(PICO_ICE, pins={**clocks, **dict(zip(names, _PINS, strict=False))}, low=())


def top(placed: Sequence[str]) -> str:
    """Module `top` around `probe` and modules that were placed of it: all get the same, each has outputs of its own."""
    outputs = [f"output [15:0] o_{name}, output [1:0] t_{name}" for name in ("probe", *placed)]
    return f"""module top(input clock, input sck, input [9:0] i, input [1:0] ti, {", ".join(outputs)});
  wire clk = clock, spi_sck = sck;
  assign t_probe[0] = i[5] ? 1'bz : ti[0];
  assign t_probe[1] = i[5] ? 1'bz : ti[1];
{_instance("probe", "", "", ".t0(t_probe[0]), .t1(t_probe[1])")}
{"".join(map(_placed_instance, placed))}endmodule
"""


def _placed_instance(name: str) -> str:
    pins = ", ".join(
        f".t{n}_in(t_{name}[{n}]), .t{n}_out(to_{name}[{n}]), .t{n}_enable(te_{name}[{n}])" for n in range(2)
    )
    return f"""  wire [1:0] to_{name}, te_{name};
  assign t_{name} = (te_{name} & to_{name}) | (~te_{name} & ti);
{_instance(name, "_in", "_out", pins)}
"""


def _instance(name: str, read: str, driven: str, pads: str) -> str:
    inputs = [f".i{n}{read}(i[{n}])" for n in range(INPUTS)]
    outputs = [f".o{n}{driven}(o_{name}[{n}])" for n in range(OUTPUTS)]
    clocks = [f".clock{read}(clk)", f".spi_sck{read}(spi_sck)"]
    return f"  {name} {name}({', '.join([*clocks, *inputs, *outputs, pads])});"


def _scalars(letter: str, count: int) -> list[str]:
    return [f"{letter}{n}" for n in range(count)]


def _ports() -> str:
    """The clocks are inout, as SB_GB_IO's pin is in its model."""
    ways = {
        "inout": ["clock", "spi_sck", "t0", "t1"],
        "input": _scalars("i", INPUTS),
        "output": _scalars("o", OUTPUTS),
    }
    return ", ".join(f"{way} {name}" for way, names in ways.items() for name in names)


def _flip_flop(n: int) -> str:
    kind = FLIP_FLOPS[n].removeprefix("SB_DFF").removeprefix("N")
    enable = ".E(i5), " if kind.startswith("E") else ""
    reset = f".{kind[-1]}(i4), " if kind.endswith(("R", "S")) else ""
    return f"  {FLIP_FLOPS[n]} dff{n}({enable}{reset}.C(clk), .D(sum[{n % 16}] ^ i6), .Q(dff[{n}]));"


_PAIR = {name: value for name, (_, value) in MAC16_PARAMETERS.items()}
_MAC_LOW = (
    *("AHOLD", "CHOLD", "DHOLD", "IRSTTOP", "IRSTBOT", "ORSTBOT", "OLOADTOP", "OLOADBOT", "OHOLDBOT"),
    *("ADDSUBTOP", "ADDSUBBOT", "CI", "ACCUMCI", "SIGNEXTIN"),
)


def _mac(name: str, values: dict[str, int]) -> str:
    sized = (f".{key}({width}'d{values.get(key, 0)})" for key, (width, _) in MAC16_PARAMETERS.items())
    low = ", ".join(f".{port}(1'b0)" for port in _MAC_LOW)
    return f"""  SB_MAC16 #({", ".join(sized)})
  {name}_mac(
    .CLK(clk), .CE(1'b1), .A(sum), .B({{sum[6:0], sum[15:7]}}), .C({name}[15:0]), .D(sum), .BHOLD(~i5), {low},
    .OHOLDTOP(i6), .ORSTTOP(i4), .O({name}), .CO(), .ACCUMCO(), .SIGNEXTOUT()
  );"""


_PROBE = """module probe_port(input sck, input i6, output reg [15:0] shifted);
  initial shifted = 0;
  always @(posedge sck) shifted[14:0] <= {shifted[13:0], i6 ^ shifted[14] ^ shifted[13]};
  always @(negedge sck) shifted[15] <= shifted[0];
endmodule

module probe($ports);
  wire clk, sck;
  SB_GB_IO #(.PIN_TYPE(6'b0000_01)) clock_pin(.PACKAGE_PIN(clock), .GLOBAL_BUFFER_OUTPUT(clk));
  SB_GB_IO #(.PIN_TYPE(6'b0000_01)) spi_sck_pin(.PACKAGE_PIN(spi_sck), .GLOBAL_BUFFER_OUTPUT(sck));
  reg [15:0] sum = 0;
  always @(posedge clk) sum <= i5 ? sum + {9'd0, i9, 2'd0, i8, i7, i6, 1'b1} : i9 ? sum - 16'h1357 : sum << 1;
  wire [19:0] dff;
  wire [31:0] paired, summed;
  wire [15:0] wide, narrow, single, shifted;
$cells
  SB_RAM40_4K #(.READ_MODE(0), .WRITE_MODE(0), .INIT_0(256'h0123456789abcdef13579bdf02468ace)) wide_ram(
    .RDATA(wide), .RCLK(clk), .RCLKE(i5), .RE(1'b1), .RADDR({8'd0, sum[3:1]}),
    .WCLK(clk), .WCLKE(1'b1), .WE(i6), .WADDR({8'd0, sum[2:0]}), .MASK({12'd0, i9, i8, i7, i6}), .WDATA(sum)
  );
  SB_RAM40_4K #(.READ_MODE(1), .WRITE_MODE(1)) narrow_ram(
    .RDATA(narrow), .RCLK(clk), .RCLKE(1'b1), .RE(i7), .RADDR({2'd0, sum[0], 5'd0, sum[3:1]}),
    .WCLK(clk), .WCLKE(i5), .WE(1'b1), .WADDR({2'd0, sum[2], 5'd0, sum[3], sum[1:0]}), .MASK(16'd0), .WDATA(sum)
  );
  SB_SPRAM256KA single_ram(
    .ADDRESS({sum[1], 10'd0, sum[4:2]}), .DATAIN(sum), .MASKWREN({i9, i8, i7, 1'b1}), .WREN(i6), .CHIPSELECT(i5),
    .CLOCK(clk), .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(single)
  );
  reg single_read = 0;
  always @(posedge clk) if (i5) single_read <= ~i6;
  probe_port port(.sck(sck), .i6(i6), .shifted(shifted));
  wire t0_in, t1_in;
  SB_IO #(.PIN_TYPE(6'b1000_00)) t0_pin(
    .PACKAGE_PIN(t0), .CLOCK_ENABLE(1'b1), .OUTPUT_ENABLE(i5), .OUTPUT_CLK(clk), .D_OUT_0(sum[0]), .D_OUT_1(sum[1]),
    .INPUT_CLK(clk), .D_IN_0(t0_in)
  );
  SB_IO #(.PIN_TYPE(6'b1010_01)) t1_pin(
    .PACKAGE_PIN(t1), .CLOCK_ENABLE(1'b1), .OUTPUT_ENABLE(i5), .D_OUT_0(sum[2]), .D_IN_0(t1_in)
  );
  reg [15:0] chosen;
  always @*
    case ({i3, i2, i1, i0})
      0: chosen = sum;
      1: chosen = dff[15:0];
      2: chosen = {12'd0, dff[19:16]};
      3: chosen = paired[15:0];
      4: chosen = paired[31:16];
      5: chosen = summed[15:0];
      6: chosen = summed[31:16];
      7: chosen = wide;
      8: chosen = {8'd0, narrow[14], narrow[12], narrow[10], narrow[8], narrow[6], narrow[4], narrow[2], narrow[0]};
      9: chosen = single_read ? single : 0;  // undefined after a write
      10: chosen = shifted;
      11: chosen = {14'd0, t1_in, t0_in};
      default: chosen = {16{i9 ^ i8}};
    endcase
  assign {o15, o14, o13, o12, o11, o10, o9, o8, o7, o6, o5, o4, o3, o2, o1, o0} = chosen;
endmodule
"""
