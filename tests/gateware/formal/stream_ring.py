"""What must hold of the stream ring: a word is readable once written and committed, until it was read."""

from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyrtl import Const, Input, Register, WireVector, concat, select, working_block

from ascnode_gateware.rtl.cells import keep, low, unsigned
from ascnode_gateware.rtl.ring import Fill, Ring, ring
from ascnode_gateware.synth.formal import after_reset, assumed, before, claim, constant

_WORDS = 64  # of a block


@dataclass(frozen=True)
class _Place:
    base: WireVector
    blocks: WireVector


def stream_ring(first_block: int, blocks: int) -> None:
    """A ring inside a bank, from an address of 64 * first_block; filled by flash or by a host, to their contracts."""
    in_reset, started = after_reset(2)
    place = _Place(concat(Const(first_block, 9), Const(0, 6)), Const(blocks, 9))
    from_host = constant(1, "from_host")
    fill = _fill(from_host)
    restart = Input(1, "restart") | in_reset
    filled, taken = WireVector(1, "filled"), WireVector(1, "taken")
    unit = ring(place.base, place.blocks, fill, filled, taken, restart)
    filled <<= fill.valid & unit.room & Input(1, "granted")
    ready = unit.ready & ~before(restart)  # after a start, headers come first
    taken <<= ready & Input(1, "engine_reads")
    held, filling = _held(fill, taken, restart), _filling(fill, filled, restart)
    allowed = _flash_keeps_to_it(fill, filled, filling) & _host_keeps_to_it(fill, unit)
    claims = [
        ~ready | (held.blocks != 0),
        held.blocks <= place.blocks,
        ~ready | _inside(unit.read_address, place),
        ~filled | _inside(unit.fill_address, place),
        *(_inside(_settled(at, place), place) for at in (unit.read_address, unit.fill_address)),
        unit.read_address[:6] == held.word,
        unit.fill_address[:6] == filling[:6],
        ~filled | (held.blocks < place.blocks),  # a block is overwritten once its last word was read
        *_tied(unit, place, fill, held.blocks, filling, from_host),
    ]
    claim(~started | ~assumed(allowed, started) | reduce(and_, claims))


def _fill(from_host: WireVector) -> Fill:
    flash = {name: Input(1, name) & ~from_host for name in ("valid", "commit", "restart_block")}
    return Fill(
        valid=flash["valid"],
        data=Input(32, "data"),
        commit=flash["commit"],
        restart=flash["restart_block"],
        host_commit=Input(1, "host_commit") & from_host,
        host_blocks=Input(8, "host_blocks"),
    )


@dataclass(frozen=True)
class _Held:
    """Blocks (9) that were committed and whose last word was not read; the next word to read (6) of the first."""

    blocks: Register
    word: Register


def _held(fill: Fill, taken: WireVector, restart: WireVector) -> _Held:
    held = _Held(Register(9), Register(6))
    added = select(fill.host_commit, fill.host_blocks, unsigned(fill.commit, 8))
    keep(held.word, (restart, 0), (taken, low(held.word + 1, 6)))
    over = taken & (held.word == _WORDS - 1)
    keep(held.blocks, (restart, 0), (restart == 0, low(held.blocks + added - over, 9)))
    return held


def _filling(fill: Fill, filled: WireVector, restart: WireVector) -> Register:
    """Words that flash has written since the last commit."""
    filling = Register(7)
    keep(filling, (restart | fill.restart | fill.commit, 0), (filled, low(filling + 1, 7)))
    return filling


def _flash_keeps_to_it(fill: Fill, filled: WireVector, filling: WireVector) -> WireVector:
    """docs/accelerator-flash.md: a commit comes after 64 words, alone, and 8 cycles before the next word."""
    alone = ~fill.commit | ~(fill.valid | fill.restart)
    return (
        alone
        & (~fill.commit | (filling == _WORDS))
        & ~(fill.valid & before(fill.commit))
        & ~(filled & filling[6])
    )


def _host_keeps_to_it(fill: Fill, unit: Ring) -> WireVector:
    """It commits what it wrote: one block or more, and no more than RING_FREE said."""
    return ~fill.host_commit | ((fill.host_blocks != 0) & (unsigned(fill.host_blocks, 9) <= unit.free_blocks))


def _inside(address: WireVector, place: _Place) -> WireVector:
    """In the ring's bank, from its base to its end."""
    block = unsigned(address[6:14], 10)
    first = unsigned(place.base[6:14], 10)
    return (address[14] == place.base[14]) & (block >= first) & (block < low(first + place.blocks, 10))


def _passed(address: WireVector, place: _Place) -> WireVector:
    """Its block is the one behind the ring's last: for a cycle, then it is the first."""
    passed: WireVector = address[6:] == low(place.base[6:] + place.blocks, 9)
    return passed


def _settled(address: WireVector, place: _Place) -> WireVector:
    return concat(select(_passed(address, place), place.base[6:], address[6:]), address[:6])


def _tied(
    unit: Ring,
    place: _Place,
    fill: Fill,
    held: WireVector,
    filling: WireVector,
    from_host: WireVector,
) -> list[WireVector]:
    """What makes the claims inductive: free blocks and pointers follow from what is held."""
    due = working_block().get_wirevector_by_name(
        "ring_release_due"
    )  # a release that RING_FREE does not show yet
    read_block, fill_block = (
        unsigned(_settled(pointer, place)[6:14], 10) for pointer in (unit.read_address, unit.fill_address)
    )
    end = low(unsigned(place.base[6:14], 10) + place.blocks, 10)
    ahead = low(read_block + held, 10)
    return [
        ~_passed(unit.read_address, place) | due,
        ~_passed(unit.fill_address, place) | before(fill.commit),
        unit.free_blocks == low(place.blocks - held - due, 9),
        unit.free_blocks <= place.blocks,
        from_host | (filling == 0) | (held < place.blocks),
        from_host | (fill_block == select(ahead >= end, low(ahead - place.blocks, 10), ahead)),
        from_host | (unit.room == before(unit.free_blocks != 0)),
    ]


# The smallest, one that ends with its bank, a whole bank, one in the middle.
RINGS = {
    "one_block": (0x000, 1),
    "at_the_end": (0x1FD, 3),
    "a_bank": (0x100, 256),
    "in_the_middle": (0x041, 17),
}
