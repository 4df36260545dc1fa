"""A node whose state, parameters, plans, queues and sensor words hand out ints that refuse to leave (-2^30, 2^30).

A small int of a 32-bit MicroPython lies within; past it every operation would take the heap.
"""

from array import array
from typing import Any

import pytest

from ascnode_fw.flight import computer, links, params, plan, tasks
from ascnode_fw.node import Node
from firmware.audited_int import Audited


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
