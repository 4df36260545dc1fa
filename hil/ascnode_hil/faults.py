"""Faults in a test: a schedule over one node, and what of it was injected."""

from collections.abc import Mapping
from typing import Any

from ascnode.faults.coverage import fault_name
from ascnode.faults.schedule import Fault, Injection, Schedule
from ascnode_hil.evidence import Evidence
from ascnode_hil.node import HilNode


class HilFaults:
    """What `ascnode_faults` gives. `injected` grows as time passes."""

    def __init__(self, node: HilNode, evidence: Evidence) -> None:
        self.injected: list[Injection] = []
        self.schedule = Schedule((), node.seed)
        self._node = node
        self._evidence = evidence

    def __call__(self, *tables: Mapping[str, Any]) -> None:
        """Begins the node afresh under these faults, each as in a scenario's [[fault]] (docs/faults.md).

        To be called once, before the node flies. BlockedError when the rig cannot inject one of them.
        """
        if self.schedule.faults or self._node.now_s:
            raise ValueError("ascnode_faults takes one schedule, before the node has flown")
        self.schedule = Schedule.of(tables, self._node.seed)
        self._node.begin_with(self.schedule, self.injected)

    def became(self, outcome: str) -> None:
        """What the node made of the faults, for the coverage table: "tolerated" (so without this), "detected" or
        "recovered"."""
        self._evidence.fault_outcome = outcome

    def note(self) -> None:
        """Puts what was injected, fault by fault and mode by mode, into the evidence."""
        for fault in self.schedule.faults:
            modes = {one.mode for one in self.injected if one.mode and _of(one, fault)}
            self._evidence.faults += [(fault_name(fault), mode) for mode in sorted(modes)]


def _of(injection: Injection, fault: Fault) -> bool:
    # A board tells of its return as well, and that is no fault.
    return injection.kind == fault.kind and (fault.kind != "board" or injection.target == fault.effect)
