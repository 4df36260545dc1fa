"""The two single-port banks and who may use them in a cycle."""

from dataclasses import dataclass

from pyrtl import MemBlock, Register, WireVector, select

from ascnode_gateware.rtl.cells import delayed

BANKS = 2
ADDRESS_BITS = 15  # bank above 14 bits of word


@dataclass(frozen=True)
class Port:
    """A user of the banks: it holds `request` and the rest until its grant."""

    request: WireVector  # 1
    address: WireVector  # 15
    write: WireVector | None = None  # 1; None never writes
    data: WireVector | None = None  # 32


@dataclass(frozen=True)
class Grants:
    """Who is served in this cycle. `fetch_free`, `pixel_free`: the register in front is not in its way; no loop."""

    fill: WireVector
    drain: WireVector
    fetch: WireVector
    pixel: WireVector
    fetch_free: WireVector
    pixel_free: WireVector
    word: WireVector  # 32: what fetch read in the cycle before, host and drain two cycles after their grant
    pixel_word: WireVector  # 32: what the pixel port read in the cycle before


@dataclass(frozen=True)
class _System:
    """The access of host, fill or drain, a cycle after its grant: it always has its bank."""

    taken: tuple[Register, Register]  # 1 each: it uses that bank
    reads: Register
    write: Register
    address: Register  # 15
    data: Register  # 32


def banks(
    host: Port,
    fill: Port,
    drain: Port,
    fetch: Port,
    pixel: Port,
    fetch_wants: WireVector,
    urgent: WireVector,
) -> Grants:
    """Two banks of 16K x 32 as SPRAM has them: one access a cycle, whole words, no contents after power-up.

    Host, fill and drain share a register in front of both banks, in this priority; the host never waits. What is in
    the register comes before fetch, and fetch before pixel; a pixel that is `urgent` (1) comes before fetch. All but
    the pixels share one path back, so fetch waits while the register reads. `fetch_wants` (1) is fetch's request when
    no pixel is urgent, and earlier in the cycle.
    """
    fill_ok = fill.request & ~host.request
    drain_ok = drain.request & ~host.request & ~fill.request
    system = _system(host, fill, drain)
    pixel_free = ~select(pixel.address[14], system.taken[1], system.taken[0])
    same = fetch.address[14] == pixel.address[14]
    first = pixel.request & urgent & pixel_free
    fetch_free = ~select(fetch.address[14], system.taken[1], system.taken[0]) & ~system.reads
    fetch_ok = fetch.request & fetch_free & ~(first & same)
    pixel_ok = pixel.request & pixel_free & (urgent | ~(fetch_wants & same))
    words = []
    for b in range(BANKS):
        low = select(pixel_ok & (pixel.address[14] == b), pixel.address[:14], fetch.address[:14])
        address = select(system.taken[b], system.address[:14], low)
        words.append(_spram(f"bank{b}", address, system.taken[b] & system.write, system.data))
    bank = delayed(select(system.reads, system.address[14], fetch.address[14]), "fetch_bank")
    pixel_bank = delayed(pixel.address[14], "pixel_bank")
    return Grants(
        fill_ok,
        drain_ok,
        fetch_ok,
        pixel_ok,
        fetch_free,
        pixel_free,
        select(bank, words[1], words[0]),
        select(pixel_bank, words[1], words[0]),
    )


def _system(host: Port, fill: Port, drain: Port) -> _System:
    def first(of_host: WireVector, of_fill: WireVector, of_drain: WireVector) -> WireVector:
        return select(host.request, of_host, select(fill.request, of_fill, of_drain))

    any_ = host.request | fill.request | drain.request
    address = first(host.address, fill.address, drain.address)
    write = first(_write(host), _write(fill), _write(drain))
    data = first(_data(host), _data(fill), _data(drain))
    return _System(
        (delayed(any_ & ~address[14], "system_taken_0"), delayed(any_ & address[14], "system_taken_1")),
        delayed(any_ & ~write, "system_reads"),
        delayed(write, "system_write"),
        delayed(address, "system_address"),
        delayed(data, "system_data"),
    )


def _spram(name: str, address: WireVector, write: WireVector, data: WireVector) -> Register:
    """This idiom, one address and an output that keeps its value in a write, becomes SB_SPRAM256KA and nothing else."""
    memory = MemBlock(32, 14, name, asynchronous=True)
    memory[address] <<= MemBlock.EnabledWrite(data, write)
    word = Register(32, f"{name}_q")
    word.next <<= select(write, word, memory[address])
    return word


def _write(port: Port) -> WireVector:
    assert port.write is not None
    return port.write


def _data(port: Port) -> WireVector:
    assert port.data is not None
    return port.data
