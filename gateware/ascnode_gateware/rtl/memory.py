"""The two single-port banks and who may use them in a cycle."""

from dataclasses import dataclass

from pyrtl import MemBlock, Register, WireVector, select

from ascnode_gateware.rtl.cells import delayed

BANKS = 2
ADDRESS_BITS = 15  # bank above 14 bits of word


@dataclass(frozen=True)
class Port:
    """A user of the banks: it holds `request` and the rest until its grant; a read's word is there a cycle later."""

    request: WireVector  # 1
    address: WireVector  # 15
    write: WireVector | None = None  # 1; None never writes
    data: WireVector | None = None  # 32

    def at(self, bank: int) -> WireVector:
        return self.request & (self.address[14] == bank)


@dataclass(frozen=True)
class Grants:
    """Who is served in this cycle. `first_pixel` does not depend on the fetcher's request: no loop through it."""

    host: WireVector
    fill: WireVector
    drain: WireVector
    fetch: WireVector
    pixel: WireVector
    first_pixel: WireVector
    words: tuple[Register, ...]  # a bank's last word read, 32 each


def banks(host: Port, fill: Port, drain: Port, fetch: Port, pixel: Port, urgent: WireVector) -> Grants:
    """Two banks of 16K x 32 as SPRAM has them: one access a cycle, whole words, no contents after power-up.

    Priority host, fill, drain, fetch, pixel; a pixel that is `urgent` (1) comes before fetch. The host never
    waits. Writers share one data bus, so that one of them writes in a cycle, whatever the banks. Host and drain
    share the path back too.
    """
    writes = host.request & _write(host)
    fill_may = ~writes
    drain_may = ~(host.request | (_write(drain) & fill.request))
    taken = [host.at(b) | (fill.at(b) & fill_may) | (drain.at(b) & drain_may) for b in range(BANKS)]
    fill_ok = fill.request & fill_may & ~_any(host, fill)
    drain_ok = drain.request & drain_may & ~(_any(fill, drain) & fill_may)
    first = pixel.request & urgent & ~_of(pixel, taken)
    fetch_ok = fetch.request & ~_of(fetch, taken) & ~(first & (fetch.address[14] == pixel.address[14]))
    pixel_ok = first | (pixel.request & ~_of(pixel, taken) & ~_any(fetch, pixel))
    data = select(writes, _data(host), select(fill.request, _data(fill), _data(drain)))
    words = []
    for b in range(BANKS):
        address = select(
            host.at(b),
            host.address,
            select(
                fill.at(b) & fill_may,
                fill.address,
                select(
                    drain.at(b) & drain_may,
                    drain.address,
                    select(pixel_ok & (pixel.address[14] == b), pixel.address, fetch.address),
                ),
            ),
        )
        write = (
            (host.at(b) & _write(host)) | (fill.at(b) & fill_ok) | (drain.at(b) & drain_ok & _write(drain))
        )
        words.append(_spram(f"bank{b}", address[:14], write, data))
    return Grants(host.request, fill_ok, drain_ok, fetch_ok, pixel_ok, first, tuple(words))


def shared_read(grants: Grants, host: Port, drain: Port) -> WireVector:
    """What the host, else the drain, read in the cycle before: never both."""
    bank = delayed(select(host.request, host.address[14], drain.address[14]), "shared_bank")
    return select(bank, grants.words[1], grants.words[0])


def word_read(grants: Grants, port: Port, name: str) -> WireVector:
    """What a port read in the cycle before."""
    bank = delayed(port.address[14], name)
    return select(bank, grants.words[1], grants.words[0])


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


def _of(port: Port, flags: list[WireVector]) -> WireVector:
    return select(port.address[14], flags[1], flags[0])


def _any(other: Port, port: Port) -> WireVector:
    """`other` wants the bank that `port` wants."""
    return other.request & (other.address[14] == port.address[14])
