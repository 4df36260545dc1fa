"""Flipped bits: where an upset of a target hits, drawn from its seed."""

import struct
from dataclasses import dataclass

from ascnode.faults.noise import generator
from ascnode.faults.schedule import Upset
from ascnode.session import messages
from ascnode.session.messages import Event
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


def reads_as(event: Event) -> tuple[int, int, int]:
    """(buffer, word, mask) of an upset's event."""
    buffer, word, mask = struct.unpack(link.POKE_FORMAT, event.data)
    return buffer, word, mask


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
