"""A desk of virtual boards with the node's firmware, whose ports have names that move, as real ones do."""

import random
from pathlib import Path
from typing import Self

from ascnode.boards.firmware import BOARD_ID_FILE, architecture, board_files
from ascnode.boards.flash_image import build_image
from ascnode.boards.virtual import PROFILES, VirtualBoard
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.provision import node_files, unique_id
from ascnode.scenario.scenario import Scenario
from boards.rig import interpreter


def firmware_files(node: int = 0, seed: int = 1) -> dict[str, bytes]:
    """All of a node's flash but the chip's id."""
    scenario = Scenario()
    files = node_files(scenario.node, compile_image(load_project_model()), seed, node, scenario.step_ms)
    return {**board_files(architecture(interpreter())), **files}


class Desk:
    """`names` are links to the boards' ports; shuffle() deals them anew. Chip ids as unique_id(seed, node)."""

    def __init__(self, folder: Path, boards: int, seed: int = 1) -> None:
        self._folder = folder
        self._rng = random.Random(seed)
        self.names = [str(folder / f"ttyACM{n}") for n in range(boards)]
        self.chip_ids = [unique_id(seed, node).hex() for node in range(boards)]
        self.boards: list[VirtualBoard] = []
        for node in range(boards):
            content = {**firmware_files(node, seed), BOARD_ID_FILE: unique_id(seed, node)}
            flash = folder / f"{node}.flash"
            flash.write_bytes(build_image(content, PROFILES["rp2040"].flash_blocks))
            self.boards.append(self._plug(node))

    def __enter__(self) -> Self:
        self.shuffle()
        return self

    def __exit__(self, *_: object) -> None:
        for board in self.boards:
            board.close()

    def candidates(self) -> list[str]:
        """What a host sees: names, in their order."""
        return [name for name in self.names if Path(name).exists()]

    def shuffle(self) -> None:
        """The next boards to be plugged in get the names in another order."""
        for name, board in zip(self._rng.sample(self.names, len(self.names)), self.boards, strict=True):
            link = Path(name)
            link.unlink(missing_ok=True)
            link.symlink_to(board.port)

    def lose(self, node: int) -> str:
        """Loses a board in one of the ways that boards are lost, and lets it come back; which it was."""
        way = self._rng.choice(["reset", "power", "unplug"])
        board = self.boards[node]
        if way == "reset":
            board.reset(wait=False)
        elif way == "power":
            board.cut()
            board.power_on(wait=False)
        else:
            board.close()
            self.boards[node] = self._plug(node)
        self.shuffle()
        return way

    def _plug(self, node: int) -> VirtualBoard:
        board = VirtualBoard(self._folder / f"{node}.flash", "rp2040", interpreter())
        board.start()
        board.power_on(wait=False)
        return board
