"""Changes that no run here can tell from the design, each with its reason; by source text, so that an edit voids it."""

from collections.abc import Mapping
from types import MappingProxyType

from gateware.mutation.mutants import Mutant

Key = tuple[str, str, str]


def key_of(mutant: Mutant) -> Key:
    """(source line, operation, change)."""
    return mutant.source, mutant.place.split(" ")[0], mutant.change


_ROUNDING = (
    "one bit of a rounding or a saturation that no program here meets; tests/gateware/rtl/test_requantise.py has "
    "the cell alone, with a million vectors of every shift and its ties"
)

EQUIVALENT: Mapping[Key, str] = MappingProxyType(
    {
        (
            "requantise.py `sticky = sticky | (shift & _any(bits[:step]))`",
            "slice",
            "two bits swapped",
        ): "whether any of some bits is 1 does not depend on their order",
        (
            "fetch.py `bad = first_word & (word[:2] == 3)`",
            "slice",
            "two bits swapped",
        ): "3 is the same from both ends",
        (
            "engine.py `total = phase + throttle`",
            "plus",
            "is minus",
        ): "a difference borrows as often as a sum carries, and as evenly",
        (
            "engine.py `keep(phase, (clear, 0), (Const(1, 1), total[:8]))`",
            "select",
            "argument 2 plus 1",
        ): "where in its period a throttle begins is left open",
        (
            "memory.py `word.next <<= select(write, word, memory[address])`",
            "select",
            "always the second",
        ): "nobody looks at what a write leaves on a memory's output",
        (
            'accelerator.py `watchdog = _watchdog(run, block.config["watchdog"], block.tick, reset | start)`',
            "or",
            "is and",
        ): "a run's first header word, which is progress, comes long before its first tick",
        (
            'engine.py `ends_layer=config["layer_end"] & delayed(job_end, "order_job_end", ended),`',
            "select",
            "always the first",
        ): "an order waits only while the fetcher stays where it was when the output group ended",
        (
            "flash_stream.py `return ~count[2] & ~(count[1] & count[0])`",
            "slice",
            "a bit higher",
        ): "in the accelerator a word waits for longer than a cycle only as a block's first; tests/gateware/flash has "
        "the streamer alone wait at any",
        (
            "ring.py `one = concat((down & ~fill.commit).sign_extended(8), down ^ fill.commit)`",
            "xor",
            "is or",
        ): "it takes a release in the very cycle of a commit by flash; tests/gateware/formal has no proof then",
        (
            "decoder.py `self._word(r) & (offset == r.offset).sign_extended(32) "
            "for r in table.REGISTERS if not _counts(r)`",
            "equal",
            "argument 1 plus 1",
        ): "RING_COMMIT reads 0 everywhere; of any other register `registers` finds it",
        (
            "decoder.py `self._word(r) & (offset == r.offset).sign_extended(32) "
            "for r in table.REGISTERS if not _counts(r)`",
            "equal",
            "negated",
        ): "RING_COMMIT reads 0 everywhere; of any other register `registers` finds it",
        (
            'passes.py `y_again = delayed(begins | loops.ky, "passes_y_again", at[1])`',
            "register",
            "negated",
        ): "it is read two cycles later only, when it has been negated twice",
        (
            "counters.py `chosen: WireVector = mux(turn, *registers, *spare)`",
            "slice",
            "a bit higher",
        ): "among the turns that never come",
        (
            "counters.py `memory[turn.zero_extended(8)] <<= MemBlock.EnabledWrite(value, Const(1, 1))`",
            "write",
            "always",
        ): "it always is",
        (
            "array.py `exact = [concat(pair[15] & (pair[8:15] != 0), pair) for pair in pairs]`",
            "slice",
            "two bits swapped",
        ): "whether any of some bits is 1 does not depend on their order",
        (
            "engine.py `keep(phase, (clear, 0), (Const(1, 1), total[:8]))`",
            "select",
            "argument 2 less 1",
        ): "where in its period a throttle begins is left open",
        (
            "requantise.py `result = bits[0]`",
            "slice",
            "a bit higher",
        ): _ROUNDING,
        (
            "requantise.py `for bit in list(bits)[1:]:`",
            "slice",
            "a bit lower",
        ): _ROUNDING,
        (
            "requantise.py `over = over | _differs(shifted[width - 1 :], sign)`",
            "slice",
            "two bits swapped",
        ): _ROUNDING,
    }
)
