"""The flash streamer's data path: nibbles to words, commands to bits, addresses from block numbers."""

from dataclasses import dataclass

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import delayed, keep
from ascnode_gateware.rtl.loaded_counter import loaded_counter

# W25Q32JV, section 8.1.2: release from power-down, JEDEC ID, read status register 2, fast read quad output
WAKE, READ_ID, READ_STATUS_2, READ = 0xAB, 0x9F, 0x35, 0x6B
COMMANDS = (WAKE, READ_ID, READ_STATUS_2, READ)


@dataclass(frozen=True)
class Strobes:
    """What the data path does in a cycle: `load` a command into `nibbles`, `take` these into `word`, `shift` the
    word out by a bit; `capture`: a nibble from the flash. Of `load`, `capture` the first wins."""

    load: WireVector
    take: WireVector
    shift: WireVector
    capture: WireVector


@dataclass(frozen=True)
class DataPath:
    """nibbles: the last 8 from the flash, the newest in bits 0..3; word: 32, bit 31 goes out next."""

    nibbles: Register
    word: Register

    @property
    def capacity_code(self) -> WireVector:
        """High nibble of the byte that came last, bit by bit, on IO1."""
        return concat(*(self.nibbles[4 * place + 1] for place in (7, 6, 5, 4)))

    @property
    def quad_enabled(self) -> WireVector:
        """Bit 1 of the byte that came last on IO1: QE, if it is status register 2 (section 7.1)."""
        return self.nibbles[4 + 1]


def data_path(strobes: Strobes, flash_i: WireVector, command: WireVector, address: WireVector) -> DataPath:
    """flash_i: 4; command: 2, an index of COMMANDS; address: 24. Both registers follow a cycle later."""
    nibbles, word = Register(32, "flash_nibbles"), Register(32, "flash_word")
    frame = concat(_opcode(command), address)
    keep(nibbles, (strobes.load, _byte_swapped(frame)), (strobes.capture, concat(nibbles[:28], flash_i)))
    moved = concat(word[:31], Const(0, 1))
    keep(word, (strobes.shift, moved), (strobes.take, _byte_swapped(nibbles)))
    return DataPath(nibbles, word)


def block_address(address: WireVector, load: WireVector, step: WireVector) -> WireVector:
    """The block's address (24): `load` sets it, `step` adds 260 within two cycles. Bits 0 and 1 pass."""
    words, pages = Register(6, "flash_words"), Register(16, "flash_pages")
    loaded_counter(words, load, address[2:8], step)
    carries = delayed(step & (words == 63), "flash_words_carry")
    loaded_counter(pages, load, address[8:], step | carries)
    return concat(pages, words, address[:2])


def sampled(pulse: WireVector, delay: WireVector) -> WireVector:
    """1 in the cycle at whose end the nibble of a clock pulse is taken: 1 + delay (2 bits, at most 2) cycles later."""
    stages = [delayed(pulse, "flash_sample_0")]
    for stage in (1, 2):
        stages.append(delayed(stages[-1], f"flash_sample_{stage}"))
    return select(delay[1], stages[2], select(delay[0], stages[1], stages[0]))


def _opcode(command: WireVector) -> WireVector:
    value: WireVector = Const(COMMANDS[-1], 8)
    for index, opcode in enumerate(COMMANDS[:-1]):
        value = select(command == index, Const(opcode, 8), value)
    return value


def _byte_swapped(word: WireVector) -> WireVector:
    return concat(word[:8], word[8:16], word[16:24], word[24:])
