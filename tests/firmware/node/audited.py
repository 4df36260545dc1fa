"""A node whose state, parameters, plans, queues and sensor words hand out ints that refuse to leave (-2^30, 2^30).

A small int of a 32-bit MicroPython lies within; past it every operation would take the heap.
"""

import operator
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from ascnode_fw.flight import computer, links, params, plan, tasks
from ascnode_fw.node import Node

LIMIT = 1 << 30


class LeftTheRangeError(AssertionError):
    """An intermediate past 30 bits."""


class Audited(int):
    """Results of its arithmetic are Audited too, also with a plain int on either side."""

    widest = 0

    def __new__(cls, value: int) -> "Audited":
        if not -LIMIT < value < LIMIT:
            raise LeftTheRangeError(f"{int(value)} is outside (-2^30, 2^30)")
        Audited.widest = max(Audited.widest, abs(int(value)))
        return super().__new__(cls, value)


def _forward(function: Callable[[int, int], int]) -> Callable[[int, int], Audited]:
    return lambda self, other: Audited(function(int(self), int(other)))


def _backward(function: Callable[[int, int], int]) -> Callable[[int, int], Audited]:
    return lambda self, other: Audited(function(int(other), int(self)))


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    _function = getattr(operator, f"__{_name}__")
    setattr(Audited, f"__{_name}__", _forward(_function))
    setattr(Audited, f"__r{_name}__", _backward(_function))
for _name in ("neg", "abs", "invert"):
    _unary: Callable[[int], int] = getattr(operator, f"__{_name}__")
    setattr(Audited, f"__{_name}__", lambda self, function=_unary: Audited(function(int(self))))


class AuditedArray(array):  # type: ignore[type-arg]
    """An array('i') of Audited ints; crc32 and struct see the plain words."""

    def __getitem__(self, at: Any) -> Any:
        item = super().__getitem__(at)
        return Audited(item) if isinstance(item, int) else item

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(at, Audited(value) if isinstance(value, int) else value)


def audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on flight software that is built is audited."""
    for module in (computer, tasks, links, plan, params):
        monkeypatch.setattr(module, "array", AuditedArray)


def audit_sensors(node: Node) -> None:
    """The node's sensor words as well."""
    node.sensors = AuditedArray("i", node.sensors)
