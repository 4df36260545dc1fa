"""Event counters in block RAM, taken in turn: registers and their selector would be a fifth of the register block."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyrtl import Const, MemBlock, Register, WireVector, mux, select

from ascnode_gateware.rtl.cells import block_ram, keep, low, read, unsigned

_PENDING_BITS = 3  # events of a counter between its turns; there are at most 7 counters


@dataclass(frozen=True)
class Counters:
    """value (`width`): the counter whose turn it is, exact in this cycle; turn (3): its number, which `next_turn` was
    in the cycle before; carries: 1 when counter 0 has its turn and its bit CARRY_BIT changes."""

    value: WireVector
    next_turn: Register
    carries: WireVector


CARRY_BIT = 8


def counters(events: Sequence[WireVector], width: int, clear: WireVector) -> Counters:
    """Counts cycles with each of at most 7 events (1 bit each), modulo 2^width; clear wins over an event.

    About 4 LC a counter, 1 a bit, and 2 block RAMs for 32 bits.
    """
    memory = block_ram("counters", width, 8)
    turn, next_turn = Register(3, "counters_turn"), Register(3, "counters_next_turn")
    last = len(events) - 1
    keep(next_turn, (clear | (next_turn == last), 0), (Const(1, 1), low(next_turn + 1, 3)))
    keep(turn, (clear, 0), (Const(1, 1), next_turn))
    clearing = Register(1, "counters_clearing")
    keep(clearing, (clear, 1), (turn == last, 0))
    pending = unsigned(_pending(events, turn, clear), width)
    stored = read(memory, next_turn.zero_extended(8), "counters_stored")
    value = select(clearing, pending, low(stored + pending, width))
    memory[turn.zero_extended(8)] <<= MemBlock.EnabledWrite(value, Const(1, 1))
    changes = stored[CARRY_BIT] ^ value[CARRY_BIT]
    return Counters(value, next_turn, changes & (turn == 0) & ~clearing)


def _pending(events: Sequence[WireVector], turn: Register, clear: WireVector) -> WireVector:
    """Of the counter whose turn it is: what it has not added yet."""
    registers = [Register(_PENDING_BITS, f"counters_pending_{number}") for number in range(len(events))]
    for number, (register, event) in enumerate(zip(registers, events, strict=True)):
        left = select(turn == number, 0, register)
        keep(register, (clear, 0), (Const(1, 1), low(left + event, _PENDING_BITS)))
    spare = [Const(0, _PENDING_BITS)] * ((1 << len(turn)) - len(registers))
    chosen: WireVector = mux(turn, *registers, *spare)
    return chosen
