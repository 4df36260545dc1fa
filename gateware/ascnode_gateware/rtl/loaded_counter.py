"""A counter that can be loaded, a LUT a bit."""

from pyrtl import Const, Register, WireVector, concat

from ascnode_gateware.rtl.cells import keep


def loaded_counter(counter: Register, load: WireVector, value: WireVector, step: WireVector) -> None:
    """Loads, or counts up. The chain's second operand is `load` itself, so that a bit is one LUT of 4 inputs; to count
    down would take two, so what counts down is kept inverted."""
    total = concat(counter, Const(1, 1)) + concat(load.sign_extended(len(counter)), Const(1, 1))
    keep(counter, (load, value), (step, total[1 : len(counter) + 1]))
