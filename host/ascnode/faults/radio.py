"""FLIGHT packets on their way through the air: what arrives of them, and when."""

from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.faults.noise import Noise, damaged, generator, hits
from ascnode.session.messages import Output


@dataclass(frozen=True)
class Fate:
    """What became of one packet: what arrives, each at its time; which effects hit it."""

    arrivals: tuple[tuple[int, bytes], ...]
    effects: tuple[str, ...]


Noises = Sequence[tuple[int, Noise]]
"""Active noises, each with its seed."""


def fate(noises: Noises, way: str, number: int, time_us: int, packet: bytes, next_us: int | None) -> Fate:
    """Of the number-th packet that way; `next_us` is when the next one comes, behind which one out of order lands."""
    arrivals = [(time_us, packet)]
    effects: list[str] = []
    for seed, noise in noises:
        rng = generator(seed, way, noise.effect, number)
        if not hits(noise, rng):
            continue
        after = [copy for one in arrivals for copy in _hit(noise, *one, rng.getrandbits(32), next_us)]
        if after != arrivals:
            effects.append(noise.effect)
            arrivals = after
    return Fate(tuple(arrivals), tuple(effects))


def _hit(
    noise: Noise, time_us: int, packet: bytes, seed: int, next_us: int | None
) -> list[tuple[int, bytes]]:
    delay_us = round(noise.delay_s * 1e6)
    match noise.effect:
        case "drop" | "cut":
            return []
        case "duplicate":
            return [(time_us, packet), (time_us, packet)]
        case "delay":
            return [(time_us + delay_us, packet)]
        case "reorder":
            return [(time_us + delay_us if next_us is None else next_us + 1000, packet)]
    return [(time_us, damaged(noise, packet, generator(seed)))]


class Downlink:
    """What the ground hears of what a radio sends. Damaged packets are lost: a frame check below drops them."""

    def __init__(self) -> None:
        self._count = 0
        self._late: list[Output] = []

    def heard(
        self, outputs: Sequence[Output], noises: Noises, now_us: int
    ) -> tuple[list[Output], list[tuple[int, str]]]:
        """(what is heard by now, (time, effect) of what was hit)."""
        hit: list[tuple[int, str]] = []
        for i, output in enumerate(outputs):
            self._count += 1
            next_us = outputs[i + 1].time_us if i + 1 < len(outputs) else None
            one = fate(noises, "down", self._count, output.time_us, output.packet, next_us)
            hit += [(output.time_us, effect) for effect in one.effects]
            self._late += [Output(at, packet) for at, packet in one.arrivals if packet == output.packet]
        ready = sorted((o for o in self._late if o.time_us <= now_us), key=lambda output: output.time_us)
        self._late = [output for output in self._late if output.time_us > now_us]
        return ready, hit
