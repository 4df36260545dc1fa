"""The running job's header, one register a field that outlives its word; program.job.FIELDS is the layout."""

from dataclasses import dataclass

from pyrtl import Register, WireVector

from ascnode_gateware.program.job import FIELDS
from ascnode_gateware.rtl.cells import keep

# These load a counter, a pointer or a memory, and are not kept here.
_POINTERS = {"input", "weights", "output", "skip"}  # skip is output
_OF_PASSES = {
    *("d_kx", "d_ky", "d_icg", "d_ocg", "ix0", "iy0", "kx_inc", "ky_inc"),
    *("n_kx_less_1", "n_ky_less_1", "n_icg_less_1", "n_ocg_less_1"),
}
KEPT = frozenset(FIELDS) - {"opcode", "tag"} - _POINTERS - _OF_PASSES


@dataclass(frozen=True)
class Header:
    """A header word as it arrives: `valid` (1), `index` (4) and `word` (32)."""

    valid: WireVector
    index: WireVector
    word: WireVector

    def arrives(self, name: str) -> WireVector:
        """1 while the word that holds the field is here."""
        return self.valid & (self.index == FIELDS[name].word)

    def value(self, name: str) -> WireVector:
        field = FIELDS[name]
        return self.word[field.low : field.low + field.width]


class JobConfig:
    """config[name] is the field's register; it changes a cycle after its word has arrived."""

    def __init__(self, header: Header) -> None:
        self._registers = {name: Register(FIELDS[name].width, f"config_{name}") for name in sorted(KEPT)}
        for name, register in self._registers.items():
            keep(register, (header.arrives(name), header.value(name)))

    def __getitem__(self, name: str) -> Register:
        return self._registers[name]
