"""Which outlets the packets of which board go to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ascnode.errors import AscnodeError
from ascnode.ground.outlets import FileOutlet, Outlet, TcpOutlet, Tell, UdpOutlet


@dataclass(frozen=True)
class Wish:
    """Where packets are wanted. `tcp` and the port of `udp` are the first board's; the n-th one's lie n above.

    With `one_port` all boards share them, and the n-th one's packets have an APID n higher.
    """

    tcp: int | None = None
    udp: tuple[str, int] | None = None
    file: Path | None = None
    listen: str = "127.0.0.1"
    one_port: bool = False


@dataclass
class Way:
    """Where one board's packets go, under an APID that much higher."""

    outlets: list[Outlet] = field(default_factory=list)
    apid_offset: int = 0


class Ways:
    """The outlets of some boards (number to name), open while it is used as an async context."""

    def __init__(self, wish: Wish, nodes: Mapping[int, str], tell: Tell) -> None:
        self.by_node: dict[int, Way] = {}
        self.ports: list[TcpOutlet] = []
        self.outlets: list[Outlet] = []
        self._wish = wish
        self._nodes = nodes
        self._tell = tell

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _open(self) -> None:
        if self._wish.one_port:
            shared = await self._outlets(0, "all boards", alone=True)
            self.by_node = {node: Way(shared, node) for node in self._nodes}
            return
        alone = len(self._nodes) == 1
        for node, name in self._nodes.items():
            self.by_node[node] = Way(await self._outlets(node, name, alone))

    async def _outlets(self, number: int, name: str, alone: bool) -> list[Outlet]:
        wish, found = self._wish, len(self.outlets)
        if wish.tcp is not None:
            port = TcpOutlet(wish.listen, _port(wish.tcp, number), name, self._tell)
            self.ports.append(port)
            self.outlets.append(port)
            await port.open()
        if wish.udp is not None:
            sender = UdpOutlet(wish.udp[0], _port(wish.udp[1], number))
            self.outlets.append(sender)
            await sender.open()
        if wish.file is not None:
            self.outlets.append(FileOutlet(wish.file if alone else _file_of(wish.file, name)))
        return self.outlets[found:]

    async def _close(self) -> None:
        await asyncio.gather(*(outlet.close() for outlet in self.outlets))


def _port(first: int, number: int) -> int:
    if first + number > 65535:
        raise AscnodeError(f"port {first} and {number} more is above 65535: begin lower")
    return first + number


def _file_of(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}-{name}{path.suffix}")
