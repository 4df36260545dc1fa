"""Faults of what a board is given to know: its sensors, the light, its radio's lock."""

from collections.abc import Callable
from dataclasses import replace

from ascnode.faults.armed import Armed
from ascnode.faults.log import Log
from ascnode.faults.noise import generator
from ascnode.faults.plan import Item
from ascnode.faults.schedule import SENSOR_NAMES, Sensor, Sky
from ascnode.session import messages
from ascnode.session.messages import Event
from ascnode_fw import link

_NOISY_PERIODS = 32  # of sensor noise that go up at a time
_WHOLE = 0xFFF  # a 12-bit word

Acts = Callable[[str], bool]
"""Whether a fault of the sky acts now, by its effect."""


class Inputs:
    """Remembers what the sky says without faults, for when one ends or a board has forgotten it."""

    def __init__(self, log: Log, control_us: int, acts: Acts) -> None:
        self._log = log
        self._control_us = control_us
        self._acts = acts
        self._light = messages.environment(0, 0, 0, 0, 0)
        self._lock: Event | None = None
        self._noisy_until: dict[int, int] = {}

    def note(self, event: Event) -> None:
        """A given event has taken effect, or has met a board without power."""
        if event.kind == link.ENVIRONMENT:
            self._light = event
        elif event.kind == link.RADIO:
            self._lock = event

    def through(self, event: Event) -> Event:
        """Light and lock as the faults of the sky leave them."""
        if event.kind == link.ENVIRONMENT and self._acts("eclipse"):
            return _dark(event)
        if event.kind == link.RADIO and self._acts("contact"):
            return messages.radio_lock(event.time_us, False)
        return event

    def lock_again(self) -> list[Item]:
        """What a board that has lost its memory has to hear of its radio."""
        if self._lock is None:
            return []
        return [Item(self.through(replace(self._lock, time_us=self._log.now_us)))]

    def sky(self, one: Sky, acts: bool) -> list[Item]:
        """A fault of the sky begins or ends."""
        if one.effect == "gateway":
            self._log.tell("sky", "gateway", "silent" if acts else "heard again")
            return []
        known = self._light if one.effect == "eclipse" else self._lock or messages.radio_lock(0, False)
        event = self.through(replace(known, time_us=self._log.now_us))
        return [Item(event, told=(self._log.injection("sky", one.effect, "begins" if acts else "ends"),))]

    def sensor(self, one: Sensor, acts: bool) -> list[Item]:
        """A sensor begins to stick, or is well again; noise begins by itself."""
        if acts and one.effect == "noisy":
            return []
        index = SENSOR_NAMES.index(one.sensor)
        keep, offset = (0, one.value) if acts else (_WHOLE, 0)
        told = (self._log.injection("sensor", one.sensor, f"stuck at {one.value}"),) if acts else ()
        return [Item(messages.sensor_fault(self._log.now_us, index, keep, offset), told=told)]

    def noise(self, armed: Armed, one: Sensor) -> list[Item]:
        """Offsets of the coming periods; each is drawn from the period's own time."""
        now_us = self._log.now_us
        start_us = max(now_us, self._noisy_until.get(armed.number, 0))
        end_us = now_us + _NOISY_PERIODS * self._control_us
        self._noisy_until[armed.number] = max(start_us, end_us)
        index = SENSOR_NAMES.index(one.sensor)
        items = []
        for time_us in range(start_us, end_us, self._control_us):
            offset = round(generator(armed.seed, time_us).gauss(0, one.sigma))
            offset = max(-_WHOLE, min(_WHOLE, offset))
            told = (self._log.injection("sensor", one.sensor, f"noise {offset:+d}", time_us),)
            items.append(Item(messages.sensor_fault(time_us, index, _WHOLE, offset), told=told))
        return items

    def noisy_until_us(self, armed: Armed) -> int:
        """Up to when its noise has been drawn."""
        return self._noisy_until.get(armed.number, self._log.now_us)

    def without_noise(self, armed: Armed, one: Sensor, waiting: list[Item]) -> list[Item]:
        """What waits, without the noise of a fault that has ended."""
        self._noisy_until.pop(armed.number, None)
        index = SENSOR_NAMES.index(one.sensor)
        return [
            item for item in waiting if item.event.kind != link.SENSOR_FAULT or item.event.data[0] != index
        ]


def _dark(event: Event) -> Event:
    # No sunlight, and none that the Earth sends on; attitude stays.
    return Event(event.time_us, event.kind, bytes(2) + event.data[2:6] + bytes(2))
