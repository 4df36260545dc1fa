"""plant = "host": the modelled hardware runs here, and the board gets sensor words; its flight code is the same.

One control period an exchange: the words of the next one follow from the actuators of this one.
"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ascnode.session import messages
from ascnode.session.messages import Done, Event
from ascnode.twin.plant import coast, due_us, shine
from ascnode.twin.twin import Twin
from ascnode_fw import link
from ascnode_fw.plant import config
from ascnode_fw.plant import layout as p_
from ascnode_fw.plant.model import Plant

_PLANT_BUFFER = 0


class Flown(Protocol):
    """A board with its twin, or a twin alone."""

    name: str
    twin: Twin
    steps: int
    exchanges: int
    mismatches: int

    async def begin(
        self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0, hosted: bool = False
    ) -> None:
        """Starts afresh at a time."""

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """Advances through events towards a time."""

    def coast(self, now_us: int, until_us: int, lights: Sequence[Event] = ()) -> None:
        """The board is off in that time."""


class Around:
    """What steps a flyer in its place: name, twin and counts are the flyer's."""

    flyer: "Flown | HostedPlant"

    @property
    def name(self) -> str:
        """The flyer's."""
        return self.flyer.name

    @property
    def twin(self) -> Twin:
        """The flyer's."""
        return self.flyer.twin

    @property
    def steps(self) -> int:
        """Control periods so far."""
        return self.flyer.steps

    @property
    def exchanges(self) -> int:
        """Exchanges so far."""
        return self.flyer.exchanges

    @property
    def mismatches(self) -> int:
        """Exchanges in which board and twin differed and should not have."""
        return self.flyer.mismatches


class HostedPlant(Around):
    """A flyer whose plant runs in the host; `image` is its plant.bin. The twin's own plant stands still."""

    flyer: Flown

    def __init__(self, flyer: Flown, image: bytes) -> None:
        self.flyer = flyer
        self._words = config.load(image)
        self.plant = Plant(self._words)
        self._now_us = 0
        self._owed_ms = 0

    async def begin(self, now_us: int, age_days: int = 0, cause: int = 4, boots: int = 0) -> None:
        """Starts board and plant afresh at a time."""
        self.plant.restart(self._words)
        self.plant.set_input(p_.AGE_DAYS, age_days)
        self._now_us = now_us
        self._owed_ms = 0
        await self.flyer.begin(now_us, age_days, cause, boots, hosted=True)

    async def exchange(
        self, until_us: int, events: Sequence[Event] = (), stop_on_custody: bool = True
    ) -> Done:
        """As Session.exchange, a period at a time."""
        done: Done | None = None
        while done is None or (self._now_us < _up_to_ms(until_us) and done.stop == link.REACHED):
            left = events[done.applied if done else 0 :]
            step = await self._period(until_us, left, stop_on_custody)
            done = _sum(done, step)
        return done

    async def _period(self, until_us: int, events: Sequence[Event], stop_on_custody: bool) -> Done:
        if self._now_us >= _up_to_ms(until_us):
            return await self.flyer.exchange(until_us, (), stop_on_custody)
        due = 0
        while due < len(events) and due_us(events[due]) <= self._now_us:
            due += 1
        given = [self._mine(event) for event in events[:due]]
        given.append(self._sensors())
        done = await self.flyer.exchange(self._now_us + 1000, given, stop_on_custody)
        if done.stop != link.RECOVERED:  # the actuators of a period that failed came to nothing
            self._integrate(done)
        self._now_us = done.now_us
        return replace(done, applied=min(done.applied, due))

    def _mine(self, event: Event) -> Event:
        # What is the plant's takes effect here, and goes up without effect.
        if event.kind == link.ENVIRONMENT:
            shine(self.plant, event)
            return Event(event.time_us, 0xFF, b"")
        if event.kind == link.POKE and event.data[0] == _PLANT_BUFFER:
            _, word, mask = struct.unpack(link.POKE_FORMAT, event.data)
            if word < len(self.plant.state):
                self.plant.state[word] ^= mask
            return Event(event.time_us, 0xFF, b"")
        return event

    def _sensors(self) -> Event:
        conditions = self.plant.take_events()
        counts = array("i", bytes(4 * p_.SENSOR_WORDS))
        self.plant.sample(counts)
        return messages.sensors(self._now_us, counts, conditions)

    def _integrate(self, done: Done) -> None:
        # As Node does on a board.
        state = self.plant.state
        for word, value in (
            (p_.ACCEL_ON, done.accel_on),
            (p_.ACCEL_PW, done.accel_pw),
            (p_.EXTRA_PW, done.radio_pw),
        ):
            if state[word] != value:
                self.plant.set_input(word, value)
        step_ms = self._words[p_.STEP_MS]
        self._owed_ms += (done.now_us - self._now_us) // 1000
        while self._owed_ms >= step_ms:
            self.plant.step()
            self._owed_ms -= step_ms

    def coast(self, now_us: int, until_us: int, lights: Sequence[Event] = ()) -> None:
        """The board is off in that time; the plant goes on."""
        coast(self.plant, self._words[p_.STEP_MS], now_us, until_us, lights)
        self.flyer.coast(now_us, now_us)
        self._now_us = until_us
        self._owed_ms = 0


def plant_of(flyer: Flown | HostedPlant) -> Plant:
    """The plant that a flyer's board has: in the host, or else the twin's."""
    return flyer.plant if isinstance(flyer, HostedPlant) else flyer.twin.node.plant


def _up_to_ms(time_us: int) -> int:
    return -(-time_us // 1000) * 1000


def _sum(before: Done | None, step: Done) -> Done:
    if before is None:
        return step
    return replace(
        step,
        steps=before.steps + step.steps,
        applied=before.applied + step.applied,
        outputs=before.outputs + step.outputs,
        outcomes=before.outcomes + step.outcomes,
    )
