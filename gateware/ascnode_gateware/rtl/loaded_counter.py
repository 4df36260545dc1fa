"""A counter that can be loaded, a LUT a bit."""

from pyrtl import Const, Register, WireVector, concat

from ascnode_gateware.rtl.cells import keep


def loaded_counter(counter: Register, load: WireVector, value: WireVector, step: WireVector) -> WireVector:
    """Loads, or counts up; 1 while it is all ones, and not loaded. The chain's second operand is `load` itself, so that
    a bit is one LUT of 4 inputs; to count down would take two, so what counts down is kept inverted."""
    width = len(counter)
    total = concat(counter, Const(1, 1)) + concat(load.sign_extended(width), Const(1, 1))
    keep(counter, (load, value), (step, total[1 : width + 1]))
    return total[width + 1] & ~load


def counted_address(name: str, load: WireVector, value: WireVector, step: WireVector) -> WireVector:
    """An address (15) that is loaded, or goes to the next word of its bank."""
    bank, word = Register(1, f"{name}_bank"), Register(14, name)
    keep(bank, (load, value[14]))
    loaded_counter(word, load, value[:14], step)
    return concat(bank, word)
