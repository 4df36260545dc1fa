"""A board's process beside its port: when it dies, whoever waits for the port hears at once."""

import asyncio

from ascnode.boards.process_board import Event, ProcessBoard
from ascnode.errors import BoardError
from ascnode.session.port import Port


def watch(board: ProcessBoard, port: Port) -> None:
    """Fails the port at once when the board's process dies, so that nothing waits for an answer in vain."""

    def look() -> None:
        try:
            board.poll()
            if board.alive:
                return
            why = f"board {board.name} died: {_fate(board.events[-1])}"
        except BoardError as e:
            why = str(e)
        asyncio.get_running_loop().remove_reader(board.fileno())
        port.fail(why)

    asyncio.get_running_loop().add_reader(board.fileno(), look)


def _fate(event: Event) -> str:
    match event.kind:
        case "crash":
            return f"its process was killed by signal {event.details['signal']}"
        case "fault":
            return str(event.details["reason"])
        case "exit":
            return f"its firmware ended with status {event.details['code']}"
    return "it lost power"
