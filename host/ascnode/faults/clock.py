"""A node's clock that runs fast or slow: its time for the sky's, and back."""

from collections.abc import Iterable
from dataclasses import replace

from ascnode.faults.armed import us
from ascnode.faults.schedule import Clock
from ascnode.session.messages import Done, Event

_ROUNDS = 8  # of the fixed point: a drift of 10 % leaves 1e-8 of the way


class Drift:
    """The sum of some drifts; none is no change."""

    def __init__(self, clocks: Iterable[Clock]) -> None:
        self._drifts = [(us(one.start_s), one.ppm) for one in clocks]

    def board_us(self, sky_us: int) -> int:
        """What the node's clock shows."""
        return sky_us + sum(round((sky_us - at) * ppm / 1e6) for at, ppm in self._drifts if sky_us > at)

    def sky_us(self, board_us: int) -> int:
        """When the node's clock shows that, at the latest: a run that waits for a time gets there."""
        if not self._drifts:
            return board_us
        sky_us = board_us
        for _ in range(_ROUNDS):
            sky_us += board_us - self.board_us(sky_us)
        while self.board_us(sky_us + 1) <= board_us:
            sky_us += 1
        return sky_us

    def going_up(self, event: Event) -> Event:
        """An event at the node's time."""
        return replace(event, time_us=self.board_us(event.time_us)) if self._drifts else event

    def coming_down(self, done: Done) -> Done:
        """An answer at the sky's time."""
        if not self._drifts:
            return done
        outputs = tuple(replace(output, time_us=self.sky_us(output.time_us)) for output in done.outputs)
        return replace(done, now_us=self.sky_us(done.now_us), outputs=outputs)
