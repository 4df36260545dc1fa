"""Where a stream of packets goes: TCP clients, a UDP address, a file. None of them can hold the stream up."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from ascnode.errors import AscnodeError

CLIENT_BYTES = 1 << 20  # that may wait for one client
STALL_S = 2.0  # that the stream waits for a client, once, where it has no pace of its own
DRAIN_S = 5.0  # for clients to take the last packets

Tell = Callable[[str], None]


class Outlet(Protocol):
    """Takes whole packets."""

    def send(self, packet: bytes) -> None:
        """Passes a packet on, or drops it."""

    async def room(self) -> None:
        """Waits, within limits, until there is room."""

    async def close(self) -> None:
        """Passes on what waits, within limits, and ends."""


class Client:
    """One TCP connection: packets that find no room are dropped whole, counted and told."""

    def __init__(self, writer: asyncio.StreamWriter, name: str, tell: Tell) -> None:
        self.sent = self.dropped = 0
        self._name = name
        self._tell = tell
        self._writer = writer
        self._slow = False
        writer.transport.set_write_buffer_limits(high=CLIENT_BYTES // 2)

    def send(self, packet: bytes) -> None:
        """Queues a packet or drops it."""
        if self._writer.transport.get_write_buffer_size() + len(packet) > CLIENT_BYTES:
            if not self.dropped:
                self._tell(f"{self._name} reads too slowly: packets are dropped for it")
            self.dropped += 1
        else:
            self._writer.write(packet)
            self.sent += 1

    async def room(self) -> None:
        """Waits for the client once; one that does not read in that time is not waited for again."""
        if not self._slow:
            try:
                async with asyncio.timeout(STALL_S):
                    await self._writer.drain()
            except TimeoutError:
                self._slow = True
            except OSError:
                self._slow = True  # it has gone

    async def close(self) -> None:
        """Waits for the client to take what is queued, then ends the connection."""
        self._writer.close()
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
        except OSError:
            pass  # it has gone
        dropped = f", {self.dropped:,} dropped" if self.dropped else ""
        self._tell(f"{self._name}: {self.sent:,} packets{dropped}")


class TcpOutlet:
    """A port that any number of clients may connect to; what they send is thrown away."""

    def __init__(self, host: str, port: int, name: str, tell: Tell) -> None:
        self.host = host
        self.port = port
        self.name = name
        self.connected = asyncio.Event()
        self._tell = tell
        self._clients: set[Client] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listens; AscnodeError when the port is taken. Port 0 takes a free one."""
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
        except OSError as e:
            raise AscnodeError(f"cannot listen at {self.host}:{self.port}: {e.strerror or e}") from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername") or ("?", 0)
        client = Client(writer, f"{peer[0]}:{peer[1]} at port {self.port}", self._tell)
        self._clients.add(client)
        self.connected.set()
        with suppress(OSError):
            while await reader.read(4096):
                pass
        if client in self._clients:
            self._clients.discard(client)
            await client.close()

    def send(self, packet: bytes) -> None:
        """To every client."""
        for client in self._clients:
            client.send(packet)

    async def room(self) -> None:
        """Waits for the slowest client, within limits."""
        for client in list(self._clients):
            await client.room()

    async def close(self) -> None:
        """Ends all connections and gives the port back."""
        if self._server is None:
            return
        self._server.close()
        clients, self._clients = self._clients, set()
        await asyncio.gather(*(client.close() for client in clients))


class UdpOutlet:
    """One datagram a packet; UDP does not say what is lost."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """AscnodeError when the address makes no sense."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=self._address
            )
        except OSError as e:
            raise AscnodeError(
                f"cannot send to {self._address[0]}:{self._address[1]}: {e.strerror or e}"
            ) from None

    def send(self, packet: bytes) -> None:
        """A datagram."""
        if self._transport:
            self._transport.sendto(packet)

    async def room(self) -> None:
        """Lets the socket have its turn."""
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Closes the socket when what waits has gone."""
        if self._transport:
            self._transport.close()


class FileOutlet:
    """Packets one after the other, as ground tools read them from a file."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise AscnodeError(f"{path} exists: name another file")
        self._file: BinaryIO = path.open("xb")

    def send(self, packet: bytes) -> None:
        """Appends."""
        self._file.write(packet)

    async def room(self) -> None:
        """A file has room."""

    async def close(self) -> None:
        """Flushes."""
        self._file.close()
