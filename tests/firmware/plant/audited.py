"""A plant whose every intermediate is an int that refuses to leave (-2^30, 2^30).

A 32-bit MicroPython holds such integers without the heap; one that leaves the range would become a bignum there.
"""

from collections.abc import Sequence

from ascnode_fw.plant import layout
from ascnode_fw.plant.model import Plant
from firmware.audited_int import Audited


class AuditedWords(list[Audited]):
    """Stands in for an array('i')."""

    def __init__(self, words: Sequence[int]) -> None:
        super().__init__(Audited(word) for word in words)

    def __setitem__(self, at: int, value: int) -> None:  # type: ignore[override]
        super().__setitem__(at, Audited(value))


def audited_plant(words: Sequence[int], state: Sequence[int] | None = None) -> Plant:
    """A plant over these words, in this state (its first, without one)."""
    plant = Plant(AuditedWords(words))  # type: ignore[arg-type]
    plant.state = AuditedWords(plant.state if state is None else state)  # type: ignore[assignment]
    assert len(plant.state) == layout.STATE_WORDS
    return plant
