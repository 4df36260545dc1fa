"""A Wishbone B4 slave (classic cycles) in front of the accelerator's bus."""

from dataclasses import dataclass

from pyrtl import Input, WireVector

from ascnode_gateware.rtl.cells import delayed
from ascnode_gateware.rtl.spi_port import module_verilog, output


@dataclass(frozen=True)
class Master:
    """What the Wishbone master drives: cyc, stb, we (1), adr (16, words), sel (4), dat (32)."""

    cyc: WireVector
    stb: WireVector
    we: WireVector
    adr: WireVector
    sel: WireVector
    dat: WireVector


@dataclass(frozen=True)
class Slave:
    """To the master: ack, err (1), dat (32), valid with ack. To the bus: valid, write (1), address (16), wdata (32)."""

    ack: WireVector
    err: WireVector
    dat: WireVector
    valid: WireVector
    write: WireVector
    address: WireVector
    wdata: WireVector


def wishbone(master: Master, ready: WireVector, rdata: WireVector, reset: WireVector) -> Slave:
    """ready: 1, takes the access of this cycle; rdata: 32, a cycle after a read; reset: 1, synchronous.

    An access takes 2 cycles, more while the bus is not ready; a master that withdraws it before has not made
    it. A write of less than a whole word ends in `err` and does nothing; a read returns the whole word.
    """
    acked, refused = WireVector(1, "acked"), WireVector(1, "refused")
    request = master.cyc & master.stb & ~acked & ~refused & ~reset
    partial = master.we & (master.sel != 0b1111)
    valid = request & ~partial
    acked <<= delayed(valid & ready, "wishbone_ack")
    refused <<= delayed(request & partial, "wishbone_err")
    return Slave(acked, refused, rdata, valid, master.we, master.adr, master.dat)


def wishbone_verilog() -> str:
    """Module `wishbone`: ports wb_* as Wishbone names them, and those of the bus as `spi_port` has them."""
    return module_verilog("wishbone", _module)


def _module() -> None:
    one = {name: Input(1, f"wb_{name}_i") for name in ("cyc", "stb", "we")}
    master = Master(**one, adr=Input(16, "wb_adr_i"), sel=Input(4, "wb_sel_i"), dat=Input(32, "wb_dat_i"))
    slave = wishbone(master, Input(1, "ready"), Input(32, "rdata"), Input(1, "reset"))
    for name in ("ack", "err", "dat"):
        output(f"wb_{name}_o", getattr(slave, name))
    for name in ("valid", "write", "address", "wdata"):
        output(name, getattr(slave, name))
