"""Flipped bits: where an upset of a target hits, drawn from its seed."""

from dataclasses import dataclass

from ascnode.faults.armed import Armed
from ascnode.faults.clock import Drift
from ascnode.faults.log import Log
from ascnode.faults.noise import generator
from ascnode.faults.plan import Item
from ascnode.faults.schedule import Injection, Upset
from ascnode.session import messages
from ascnode.session.messages import Event
from ascnode.twin.pair import Difference, Pair
from ascnode.twin.twin import Twin
from ascnode_fw import link

# Buffers of the node that a target is made of; the model is none of them.
_BUFFERS = {
    "plant": ("plant",),
    "flight": ("flight",),
    "params": ("params",),
    "queue": ("links", "packets"),
    "tasks": ("tasks", "inputs"),
}
_IMAGE_TAIL = 4  # the model image's CRC, which is looked at once, at boot


@dataclass(frozen=True)
class Hit:
    """One upset at a place, with a name for it."""

    event: Event
    place: str


def hit(upset: Upset, seed: int, number: int, twin: Twin, time_us: int) -> Hit:
    """The number-th hit of an upset."""
    rng = generator(seed, "upset", number)
    places = _places(upset.target, twin)
    at = rng.randrange(sum(size for _, size, _, _ in places)) if upset.word is None else upset.word
    place = 0
    while place < len(places) - 1 and at >= places[place][1]:
        at -= places[place][1]
        place += 1
    buffer, size, name, bits = places[place]
    at = min(at, size - 1)  # a word past the end is the last one
    bit = rng.randrange(bits) if upset.bit is None else upset.bit % (bits + 1)
    return Hit(messages.poke(time_us, buffer, at, 1 << bit), f"{name} word {at} bit {bit}")


def times_us(upset: Upset, seed: int) -> list[int]:
    """When it hits: once at its start, or at random (exponential gaps) until its end."""
    start_us = round(upset.start_s * 1e6)
    if upset.per_hour is None or upset.end_s is None:
        return [start_us]
    rng = generator(seed, "times")
    times: list[int] = []
    at_s = upset.start_s + rng.expovariate(upset.per_hour / 3600)
    while at_s < upset.end_s:
        times.append(round(at_s * 1e6))
        at_s += rng.expovariate(upset.per_hour / 3600)
    return times


class Upsets:
    """Upsets of one node. Those that a twin does not share are hidden from it, and the difference is expected."""

    def __init__(self, log: Log, drift: Drift, pair: Pair | None, plant_in_host: bool) -> None:
        self._log = log
        self._drift = drift
        self._pair = pair
        self._plant_in_host = plant_in_host
        self._hits: dict[int, int] = {}
        self._suspects: list[str] = []
        self._found: list[Injection] = []
        self.fresh = False  # one goes up with the next exchange

    def due(self, armed: Armed, one: Upset) -> list[Item]:
        """An upset that hits now."""
        count = self._hits.get(armed.number, 0)
        if not self._is_due(armed, one, count):
            return []
        self._hits[armed.number] = count + 1
        self.fresh = True
        upset = hit(one, armed.seed, count, self._log.flyer.twin, self._log.now_us)
        if self._pair and not one.common and not (one.target == "plant" and self._plant_in_host):
            self._pair.hide(self._drift.going_up(upset.event))
            self._pair.forgive = self._diverged
            self._suspects.append(one.target)
        return [Item(upset.event, told=(self._log.injection("upset", one.target, upset.place),))]

    def _is_due(self, armed: Armed, one: Upset, count: int) -> bool:
        if one.watched:
            return count == 0 and armed.acts
        times = times_us(one, armed.seed)
        return count < len(times) and times[count] <= self._log.now_us

    def _diverged(self, difference: Difference | None) -> None:
        # Weights stay upset; the rest of the twin is the board's again from here on.
        detail = str(difference) if difference else "in answers alone"
        self._found.append(self._log.injection("divergence", ", ".join(self._suspects), detail))
        self._suspects = [target for target in self._suspects if target == "model"]
        if self._pair and not self._suspects:
            self._pair.forgive = None

    def over(self) -> list[Injection]:
        """After an exchange: the differences that were found in it."""
        self.fresh = False
        if self._pair:
            self._pair.hide(None)
        found, self._found = self._found, []
        return found


def _places(target: str, twin: Twin) -> list[tuple[int, int, str, int]]:
    # (buffer, words, name, bits of a word that may flip)
    if target == "model":
        size = len(twin.file("model.bin") or b"") - _IMAGE_TAIL
        return [(link.WEIGHTS, size, "model", 8)]
    names = [name for name, _, _ in twin.names()]
    sizes = [len(data) // word for data, (_, _, word) in zip(twin.snapshot(), twin.names(), strict=True)]
    places = []
    for name in _BUFFERS[target]:
        index = names.index(name)
        places.append((index, sizes[index], name, 8 if twin.names()[index][2] == 1 else 30))
    return places
