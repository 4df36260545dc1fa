"""An int that refuses to leave (-2^30, 2^30), and a plant whose every intermediate is one.

A 32-bit MicroPython holds such integers without the heap; one that leaves the range would become a bignum there.
"""

from collections.abc import Sequence

from ascnode_fw.plant import layout
from ascnode_fw.plant.model import Plant

LIMIT = 1 << 30


class LeftTheRangeError(AssertionError):
    """An intermediate past 30 bits."""


class Audited(int):
    """Results of its arithmetic are Audited too, also with a plain int on either side."""

    widest = 0

    def __new__(cls, value: int) -> "Audited":
        if not -LIMIT < value < LIMIT:
            raise LeftTheRangeError(f"{value} is outside (-2^30, 2^30)")
        Audited.widest = max(Audited.widest, abs(value))
        return super().__new__(cls, value)


def _audit(name: str) -> None:
    plain = getattr(int, name)
    setattr(Audited, name, lambda self, *others: Audited(plain(self, *others)))


for _name in ("add", "sub", "mul", "floordiv", "lshift", "rshift", "and", "or"):
    _audit(f"__{_name}__")
    _audit(f"__r{_name}__")
_audit("__neg__")


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
