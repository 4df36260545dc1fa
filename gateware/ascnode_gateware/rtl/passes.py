"""The loops around a pass: kx, ky, input group, output group; where the next pass's first word lies."""

from dataclasses import dataclass

from pyrtl import Const, MemBlock, Register, WireVector, concat, select

from ascnode_gateware.program.job import FIELDS
from ascnode_gateware.rtl.cells import block_ram, delayed, keep, low, mod_counter, read
from ascnode_gateware.rtl.config import Header, JobConfig


@dataclass(frozen=True)
class Pass:
    """The next pass: its first word's address, column and row, and its place among an output group's passes."""

    address: Register  # 15
    ix: Register  # 10
    iy: Register  # 10
    first: Register  # 1: of its output group
    last: WireVector  # 1: of its output group
    job_last: WireVector  # 1: of its job
    group: Register  # 9: output group


def passes(config: JobConfig, header: Header, begin: WireVector, take: WireVector) -> Pass:
    """`begin` (1) starts a job whose header is in `config`; `take` (1) goes on to the pass after this one."""
    kx_last, ky_last, icg_last, ocg_last = (WireVector(1) for _ in range(4))
    group_last = kx_last & ky_last & icg_last
    kx = mod_counter("passes_kx", 8, step=take, last=kx_last, clear=begin)
    ky = mod_counter("passes_ky", 8, step=take & kx_last, last=ky_last, clear=begin)
    icg = mod_counter("passes_icg", 9, step=take & kx_last & ky_last, last=icg_last, clear=begin)
    ocg = mod_counter("passes_ocg", 9, step=take & group_last, last=ocg_last, clear=begin)
    kx_last <<= kx == config["n_kx_less_1"]
    ky_last <<= ky == config["n_ky_less_1"]
    icg_last <<= icg == config["n_icg_less_1"]
    ocg_last <<= ocg == config["n_ocg_less_1"]
    address = Register(15, "passes_address")
    step = _step(header, kx_last, kx_last & ky_last, group_last)
    moved = concat(address[14], low(address[:14] + step, 14))
    keep(address, (header.arrives("input"), header.value("input")), (delayed(take, "passes_taken"), moved))
    ix = _coordinate("ix", config["ix0"], config["kx_inc"], begin | (take & kx_last), take)
    iy = _coordinate(
        "iy", config["iy0"], config["ky_inc"], begin | (take & kx_last & ky_last), take & kx_last
    )
    first = Register(1, "passes_first")
    keep(first, (begin, 1), (take, group_last))
    return Pass(address, ix, iy, first, group_last, group_last & ocg_last, ocg)


def _step(header: Header, ky: WireVector, icg: WireVector, ocg: WireVector) -> WireVector:
    """The step (14) after a pass, a cycle late: the header's words stay in block RAM, two steps in each."""
    words = block_ram("passes_header", 32, 4)
    words[header.index] <<= MemBlock.EnabledWrite(header.word, header.valid)
    pair = read(words, select(icg, Const(FIELDS["d_icg"].word, 4), Const(FIELDS["d_kx"].word, 4)), "passes_steps")
    odd = delayed(select(icg, ocg, ky), "passes_odd_step")
    return select(odd, pair[16:30], pair[:14])


def _coordinate(
    name: str, start: WireVector, step: WireVector, restart: WireVector, move: WireVector
) -> Register:
    register = Register(10, f"passes_{name}")
    keep(register, (restart, start), (move, low(register + step, 10)))
    return register
