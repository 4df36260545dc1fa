"""A small engine with the accelerator's ports: the flow is tested with it in seconds, whatever the accelerator is.

It streams words 0..511 of bank 0 past the array, each row's weights a word of bank 1 four cycles old or less, and
adds the row sums of words 256..511 to those of 0..255, in block RAM.
"""

import pyrtl
from pyrtl import Const, Input, MemBlock, Output, Register, concat, concat_list, select

RESULT = 0x8001
WORDS = 512


def build_stand_in() -> str:
    """Verilog of module `accelerator`: a write to 0x8000 starts a run; RESULT xors all row sums."""
    pyrtl.reset_working_block()
    reset, valid, write = Input(1, "reset"), Input(1, "bus_valid"), Input(1, "bus_write")
    address, data, sums = Input(16, "bus_addr"), Input(32, "bus_wdata"), Input(128, "mac_s")
    control = valid & address[15]
    start = control & write & (address[:4] == 0)
    clear = reset | start
    count = Register(9, "fetch_count")
    running = Register(1, "fetch_running")
    last = count == WORDS - 1
    running.next <<= select(clear, start & ~reset, running & ~last)
    count.next <<= select(clear, Const(0, 9), select(running, (count + 1)[:9], count))
    words = [
        bank(
            b,
            select(running, count.zero_extended(14), address[:14]),
            valid & write & host_at(address, b),
            data,
        )
        for b in range(2)
    ]
    stages = delays(running & ~reset, 4, "array_valid")
    weights = Register(128, "array_block")
    weights.next <<= select(clear, Const(0, 128), select(stages[0], concat(words[1], weights[32:]), weights))
    again = delays(count[8], 4, "array_again")[3]
    acc, enable = accumulate(sums, stages[3], again, "accumulator")
    result = Register(32, "drain_result")
    xor = acc[0] ^ acc[1] ^ acc[2] ^ acc[3]
    result.next <<= select(clear, Const(0, 32), select(enable, result ^ xor, result))
    outputs(reset, valid, address, words, weights, stages, result, running)
    return verilog()


def host_at(address, b):
    return (address[14] == b) & ~address[15]


def bank(b, address, write, data):
    memory = MemBlock(32, 14, f"bank{b}", asynchronous=True)
    memory[address] <<= MemBlock.EnabledWrite(data, write)
    word = Register(32, f"bank{b}_q")
    word.next <<= select(write, word, memory[address])
    return word


def delays(value, stages, name):
    found = []
    for i in range(stages):
        register = Register(len(value), f"{name}_{i}")
        register.next <<= value
        found.append(register)
        value = register
    return found


def accumulate(sums, enable, again, name):
    """32-bit accumulators of the 4 row sums, 256 pixels deep, in block RAM: read, add, write a cycle later."""
    rows = []
    pixel = Register(8, f"{name}_pixel")
    pixel.next <<= select(enable, (pixel + 1)[:8], Const(0, 8))
    late_enable, late_again = delays(enable, 1, f"{name}_on")[0], delays(again, 1, f"{name}_again")[0]
    for r in range(4):
        memory = MemBlock(32, 8, f"{name}_{r}", asynchronous=True)
        old = Register(32, f"{name}_old_{r}")
        old.next <<= memory[pixel]
        row = sums[32 * r : 32 * r + 16].sign_extended(32) + sums[32 * r + 16 : 32 * r + 32].sign_extended(32)
        late = Register(32, f"{name}_row_{r}")
        late.next <<= row[:32]
        total = (select(late_again, old, Const(0, 32)) + late)[:32]
        at = delays(pixel, 1, f"{name}_at_{r}")[0]
        memory[at] <<= MemBlock.EnabledWrite(total, late_enable)
        rows.append(total)
    return rows, late_enable


def outputs(reset, valid, address, words, weights, stages, result, running):
    value = Register(1, "bus_bank")
    value.next <<= address[14]
    from_registers = Register(1, "bus_registers")
    from_registers.next <<= address[15]
    late = select(value, words[1], words[0])
    grant, flash_in = Input(1, "flash_grant"), Input(4, "flash_i")
    refused = Register(1, "accelerator_refused")
    refused.next <<= Input(1, "crc_error") | Input(1, "frame_error")
    named = {
        "bus_ready": Const(1, 1),
        "bus_rdata": select(from_registers, result, late),
        "irq": stages[3] & ~running,
        "busy": running,
        "done": ~running,
        "layer": Const(0, 8),
        "flash_request": running,
        "flash_driven": running & grant & ~refused,
        "flash_cs_n": ~running,
        "flash_sck_en": running,
        "flash_o": flash_in,
        "flash_oe": Const(0, 4),
        "mac_a": concat_list([words[0]] * 4),
        "mac_b": weights,
        "mac_load": stages[1] | ~stages[0],
    }
    for name, wire in named.items():
        port = Output(len(wire), name)
        port <<= wire


def verilog():
    from io import StringIO

    text = StringIO()
    pyrtl.output_to_verilog(text, add_reset=False, module_name="accelerator", initialize_registers=False)
    return text.getvalue()


if __name__ == "__main__":
    print(build_stand_in())
