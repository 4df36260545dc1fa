"""The boards of a test session: opened when a test first needs them, kept for the next, opened anew after a failure."""

from pathlib import Path

from ascnode_hil.blame import is_rig
from ascnode_hil.devices import make_device
from ascnode_hil.errors import BlockedError
from ascnode_hil.loop import LoopThread
from ascnode_hil.node import HilNode
from ascnode_hil.rig import Device, Setup
from ascnode_hil.target import Target

OPEN_S = 60.0


class Pool:
    """Boards by number; close() gives all back."""

    def __init__(self, target: Target, setup: Setup, bench_file: Path | None, real_time: bool) -> None:
        self.target = target
        self.setup = setup
        self.loop = LoopThread()
        self._bench_file = bench_file
        self._real_time = real_time
        self._open: dict[int, Device] = {}

    def node(self, number: int) -> HilNode:
        """A board that has begun afresh; BlockedError when the rig does not give it."""
        for retry in (True, False):
            try:
                device = self._device(number)
                self.loop.run(device.begin(), OPEN_S, f"board {device.name}")
                return HilNode(device, self.loop, self.setup.seed, self._real_time)
            except Exception as error:
                # What the test before left broken gets a second chance.
                kept = number in self._open
                self.drop(number)
                if retry and kept:
                    continue
                if isinstance(error, BlockedError) or not is_rig(error, True, self.target.hardware):
                    raise
                raise BlockedError(str(error)) from error
        raise AssertionError("unreachable")

    def _device(self, number: int) -> Device:
        if number not in self._open:
            device = make_device(self.target, self.setup, number, self._bench_file)
            self._open[number] = device
            self.loop.slower = device.slower
            self.loop.run(device.open(), OPEN_S, f"board {device.name}")
        return self._open[number]

    @property
    def devices(self) -> list[Device]:
        """Those that are open."""
        return list(self._open.values())

    def drop(self, number: int) -> None:
        """Closes a board that cannot be trusted any more."""
        device = self._open.pop(number, None)
        if device is not None:
            self.loop.run(device.close(), OPEN_S, f"end of board {device.name}")

    def close(self) -> None:
        """Gives all boards back and ends the loop."""
        for number in list(self._open):
            self.drop(number)
        self.loop.close()
