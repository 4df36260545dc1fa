"""The flash streamer's state machine: wait for the grant, three commands that prepare, then read until all is there."""

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_

from pyrtl import Register, WireVector, select

from ascnode_gateware.rtl.cells import delayed, keep, low
from ascnode_gateware.rtl.flash_shift import COMMANDS, READ

# CS stays high for 2^7 cycles: tRES1 is 3 us (W25Q32JV, AC characteristics), and they last that long up to 42 MHz.
GAP_BIT = 7


class State(IntEnum):
    """Bit 2: the flash's pins are ours."""

    IDLE = 0
    REQUEST = 1
    LOAD = 4
    COMMAND = 5
    GAP = 6
    DATA = 7


@dataclass(frozen=True)
class Ends:
    """What ends a state before its time. over: back to IDLE; left: over by a stop, or the grant was taken away;
    wrong: the block must be read again."""

    over: WireVector
    left: WireVector
    wrong: WireVector


class Phase:
    """Where the streamer is. `count` counts cycles since the state began, in DATA the nibbles of a block; `step` is
    the command under way, an index of COMMANDS."""

    def __init__(self, deadline_bits: int) -> None:
        self.state = Register(3, "flash_state")
        self.count = Register(deadline_bits, "flash_count")
        self.step = Register(2, "flash_step")
        self.active = self.state[2]
        # Codes 2 and 3, which nothing sets, count as IDLE and REQUEST.
        self.idle = ~self.active & ~self.state[0]
        self.request = ~self.active & self.state[0]
        self.load, self.command, self.gap, self.data = (
            self.state == state for state in State if state >= State.LOAD
        )

    def sends(self, opcode: int) -> WireVector:
        return self.step == COMMANDS.index(opcode)

    @property
    def pulses(self) -> WireVector:
        """39 at most: opcode, address and 7 dummies; the eighth brings the first nibble, so it belongs to DATA."""
        quiet = self.count[5] & (self.count[3] | (self.count[:3] == 7))
        return self.command & ~quiet

    @property
    def commanded(self) -> WireVector:
        """After 31 cycles, as the last of 24 bits read needs no pulse; before DATA after 49, with every sample in."""
        return select(self.sends(READ), self.count[4] & self.count[5], self.count[1:5] == 15)

    @property
    def rested(self) -> WireVector:
        return self.gap & self.count[GAP_BIT]

    @property
    def expired(self) -> WireVector:
        return self.request & self.count[len(self.count) - 1]

    @property
    def block_ends(self) -> WireVector:
        """The nibble under way is a block's last, its 520th."""
        return self.count[9] & (self.count[:3] == 7)

    def follow(self, begins: WireVector, granted: WireVector, ends: Ends, arrives: WireVector) -> None:
        """`begins` takes IDLE to REQUEST; `arrives`: a nibble of a block."""
        cases = self._moves(begins, granted, ends)
        following: WireVector = self.state
        for condition, value in reversed(cases):
            following = select(condition, value, following)
        self.state.next <<= following
        # Shorter than a comparison of both states: a count from 0 in IDLE does no harm.
        moves = reduce(or_, [condition for condition, _ in cases]) | (arrives & self.block_ends)
        keep(self.count, (moves, 0), (arrives | ~self.data, low(self.count + 1, len(self.count))))
        keep(self.step, (~self.active, 0), (self.rested & ~self.sends(READ), low(self.step + 1, 2)))

    def _moves(
        self, begins: WireVector, granted: WireVector, ends: Ends
    ) -> list[tuple[WireVector, WireVector | int]]:
        """(condition, state), the first that holds winning."""
        after_command = select(self.sends(READ), State.DATA, State.GAP)
        return [
            (ends.over, State.IDLE),
            (ends.left | begins, State.REQUEST),
            (ends.wrong, State.GAP),
            (self.request & granted, State.LOAD),
            (self.load & self.count[0], State.COMMAND),
            (self.command & self.commanded, after_command),
            (self.rested, State.LOAD),
        ]


def driven(phase: Phase) -> Register:
    """CS and SCK are ours, until a cycle after CS went high: a pull-up alone would take long."""
    return delayed(phase.active | delayed(phase.active, "flash_was_active"), "flash_drives")
