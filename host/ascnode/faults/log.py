"""The time that a node's faults have come to, and whoever is told of them."""

from dataclasses import dataclass
from typing import Protocol

from ascnode.faults.armed import mode_of
from ascnode.faults.schedule import Injection, Listener
from ascnode.twin.twin import Twin


class Named(Protocol):
    """A flyer, as far as a log needs one."""

    @property
    def name(self) -> str:
        """The node's name."""

    @property
    def twin(self) -> Twin:
        """Its twin."""


@dataclass
class Log:
    """Makes injections at the present time of one node, in the mode that its twin is in."""

    flyer: Named
    listener: Listener | None
    now_us: int = 0

    def injection(self, kind: str, target: str, detail: str, time_us: int | None = None) -> Injection:
        """To be reported when it has taken effect."""
        at_us = self.now_us if time_us is None else time_us
        return Injection(at_us, self.flyer.name, kind, target, detail, mode_of(self.flyer.twin))

    def report(self, injection: Injection) -> None:
        """It has."""
        if self.listener:
            self.listener(injection)

    def tell(self, kind: str, target: str, detail: str, time_us: int | None = None) -> None:
        """Both at once."""
        self.report(self.injection(kind, target, detail, time_us))
