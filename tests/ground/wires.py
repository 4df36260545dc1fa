"""Ports and sockets for the tests of the stream."""

import asyncio
import socket

from ground.flown import packets

BOARDS = {0: "sat-0-0", 1: "sat-3-5", 2: "sat-5-1"}
WAIT_S = 60.0


def free_ports(count: int = len(BOARDS)) -> int:
    """The first of so many free ports in a row."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            base: int = first.getsockname()[1]
        try:
            for port in range(base, base + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return base


def of_board(node: int, up: bool = False) -> bytes:
    """What a board sent in the run of flown.py, or took (`up`)."""
    return b"".join(packet.data for packet in packets() if packet.node == node and packet.up == up)


def read_socket(client: socket.socket) -> bytes:
    """All of it."""
    client.settimeout(WAIT_S)
    data = b""
    while chunk := client.recv(1 << 16):
        data += chunk
    client.close()
    return data


def connected(port: int) -> socket.socket:
    """Once something listens there."""
    for _ in range(round(WAIT_S / 0.05)):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        except ConnectionRefusedError:
            asyncio.run(asyncio.sleep(0.05))
    raise AssertionError(f"nothing listens at {port}")
