"""What --ascnode-board names: `virtual`, `emulated`, `twin`, `serial:PORT` or `bench:NAME[,NAME...]`."""

from dataclasses import dataclass
from typing import Literal

from ascnode_hil.errors import HilUsageError

Kind = Literal["virtual", "emulated", "twin", "serial", "bench"]
DEFAULT = "virtual"


@dataclass(frozen=True)
class Target:
    """The kind of board to test, and which ones: ports of `serial`, names of `bench`."""

    kind: Kind
    names: tuple[str, ...] = ()

    @property
    def hardware(self) -> bool:
        """Whether it is a thing on a desk, so that a run in which nothing could be tested has failed."""
        return self.kind in ("serial", "bench")

    def turned(self, worker: int) -> "Target":
        """The same boards, from another one on: so that workers beside each other begin with different ones."""
        at = worker % len(self.names) if self.names else 0
        return Target(self.kind, self.names[at:] + self.names[:at])


def parse_target(text: str) -> Target:
    """HilUsageError, in one sentence, for what names no board."""
    kind, _, rest = text.partition(":")
    names = tuple(name for name in rest.split(",") if name)
    match kind:
        case "virtual" | "emulated" | "twin" if not rest:
            return Target(kind)
        case "serial" | "bench" if names and len(set(names)) == len(names):
            return Target("serial" if kind == "serial" else "bench", names)
    raise HilUsageError(
        f"--ascnode-board {text}: names no board; it takes virtual, emulated, twin, serial:PORT or bench:NAME"
    )
