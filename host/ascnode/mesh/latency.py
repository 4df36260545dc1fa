"""What a packet waits for on its way there and back, and how often it is lost, over a Starlink-like access link.

Every part is a sum of what happens, not a table of what was measured: light over the geometry of the slot, fibre to
the exchange, modems, the frames of the radio, queues, and the disturbance after a slot's edge.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.mesh.chance import exponential, uniform
from ascnode.mesh.fibre import FIBRE_INDEX, rtt_ms
from ascnode.mesh.slots import DISTURBED_S, FRAME_S, SLOT_S
from ascnode.sky.vectors import Floats, Integers

LOSSES = ("delivered", "edge", "blocked", "rain", "overflow")

_GRANT, _FRAME, _UP, _DOWN, _EDGE, _LOSS = range(6)  # what numbers are drawn for


@dataclass(frozen=True)
class AccessModel:
    """Parameters of the access link. Raises ValueError for one that makes no sense.

    load_up, load_down: utilisation of a terminal's share of the beam. A queue for one server whose service takes a
    frame, at Poisson arrivals, keeps a packet for an exponential time of mean frame / (1 - load) (M/M/1; L. Kleinrock,
    "Queueing Systems", 1975). [A] 0.9: a busy cell; an idle one would be nearer 0.5.
    request_share: packets that find no standing grant and first ask for one, a light path to the gateway and back
    plus a frame each way [A].
    modem_ms: modems, satellite and gateway there and back: eight passages through a modem of half a millisecond [A].
    hop_ms: what a satellite takes to forward over a laser, one way [A: as a switch plus optical modem].
    fibre_detour: how much longer cables are than great circles [A: 1.2 to 2; S: I. N. Bozkurt et al., "Why is the
    Internet so slow?!", PAM 2017].
    laser_detour: how much longer the routes in use are than the shortest, when load is spread [A].
    edge_loss: lost share of what is sent within 140 ms after a slot's edge; the rest waits until it is over [A].
    blocked: time for which trees and buildings stand in the way [A: none at sea]. rain: time of fades beyond the
    margin [A; `fade` has tables]. overflow: lost to full buffers [A].
    """

    load_up: float = 0.9
    load_down: float = 0.9
    request_share: float = 0.5
    modem_ms: float = 4.0
    hop_ms: float = 0.35
    fibre_detour: float = 1.5
    laser_detour: float = 1.0
    edge_loss: float = 0.3
    blocked: float = 0.0
    rain: float = 0.0
    overflow: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("load_up", "load_down"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: a queue is stable from 0 to below 1")
        for name in ("request_share", "edge_loss", "blocked", "rain", "overflow"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it is a share, 0 to 1")
        for name in ("modem_ms", "hop_ms"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it is 0 or more")
        for name in ("fibre_detour", "laser_detour"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: no way is shorter than the shortest")

    def queue_ms(self, load: float) -> float:
        """Mean time in a queue."""
        return 1000 * FRAME_S / (1 - load)


@dataclass(frozen=True)
class Paths:
    """Where p packets go, each column (p,): ground links and lasers, one way, and fibre along the great circle."""

    up_km: Floats
    down_km: Floats
    laser_km: Floats
    hops: Integers
    fibre_km: Floats

    def repeated(self, times: int) -> "Paths":
        """Each path `times` over."""
        return Paths(*(np.repeat(column, times) for column in vars(self).values()))


@dataclass(frozen=True)
class Pings:
    """Where the time of p round trips goes, each part (p,) in ms, and what became of the packets: (p,) into LOSSES."""

    parts: dict[str, Floats]
    outcome: npt.NDArray[np.int8]

    @property
    def rtt_ms(self) -> Floats:
        """Round trips (p,), of the lost ones too."""
        total: Floats = np.sum(list(self.parts.values()), axis=0)
        return total

    @property
    def delivered_ms(self) -> Floats:
        """Round trips of those that came back."""
        delivered: Floats = self.rtt_ms[self.outcome == 0]
        return delivered

    def lost(self) -> dict[str, float]:
        """Share of the packets that each cause took."""
        return {name: float(np.mean(self.outcome == i)) for i, name in enumerate(LOSSES) if i}


def pings(model: AccessModel, paths: Paths, into_slot_s: Floats, key: Integers) -> Pings:
    """Packets sent into_slot_s (p,) after their slot's edge; key (p,) tells them apart in the random numbers."""
    light_ms = rtt_ms(paths.up_km + paths.down_km)
    mesh_ms = rtt_ms(model.laser_detour * paths.laser_km) + 2 * model.hop_ms * paths.hops
    parts = {
        "light": light_ms,
        "mesh": mesh_ms,
        "fibre": FIBRE_INDEX * model.fibre_detour * rtt_ms(paths.fibre_km),
        "modem": np.full(len(key), model.modem_ms),
        "grant": _grant_ms(model, light_ms + mesh_ms, key),
        "queue_up": exponential(model.seed, model.queue_ms(model.load_up), key, _UP),
        "queue_down": exponential(model.seed, model.queue_ms(model.load_down), key, _DOWN),
    }
    total_ms: Floats = np.sum(list(parts.values()), axis=0)
    parts["slot_edge"] = _edge_ms(into_slot_s, total_ms)
    return Pings(parts, _outcomes(model, into_slot_s, key))


def uplink_ms(model: AccessModel, range_km: Floats, scheduler_km: Floats, key: Integers) -> Floats:
    """One way from a user to the satellite range_km away, (p,); scheduler_km is the way to whoever gives grants."""
    waits = _grant_ms(model, rtt_ms(scheduler_km), key)
    waits += exponential(model.seed, model.queue_ms(model.load_up), key, _UP)
    return rtt_ms(range_km) / 2 + model.modem_ms / 4 + waits


def downlink_ms(model: AccessModel, range_km: Floats, into_slot_s: Floats, key: Integers) -> Floats:
    """One way from a satellite that has the data into_slot_s after its slot's edge, to a user range_km away, (p,)."""
    queue_ms = exponential(model.seed, model.queue_ms(model.load_down), key, _DOWN)
    way_ms = queue_ms + rtt_ms(range_km) / 2 + model.modem_ms / 4
    return way_ms + _edge_ms(into_slot_s, way_ms)


def _grant_ms(model: AccessModel, path_ms: Floats, key: Integers) -> Floats:
    """Waits for a frame to start and, without a standing grant, for an answer from the gateway."""
    frame_ms = 1000 * FRAME_S
    asks = uniform(model.seed, key, _GRANT) < model.request_share
    return np.where(asks, path_ms + 2 * frame_ms, 0.0) + frame_ms * uniform(model.seed, key, _FRAME)


def _edge_ms(into_slot_s: Floats, total_ms: Floats) -> Floats:
    """Waits for a disturbance to end: on the way there, or at the next edge on the way back."""
    back_s = into_slot_s + total_ms / 1000 - SLOT_S
    back_ms = np.where((back_s >= 0) & (back_s < DISTURBED_S), DISTURBED_S - back_s, 0.0)
    return 1000 * np.where(into_slot_s < DISTURBED_S, DISTURBED_S - into_slot_s, back_ms)


def _outcomes(model: AccessModel, into_slot_s: Floats, key: Integers) -> npt.NDArray[np.int8]:
    edge = (into_slot_s < DISTURBED_S) & (uniform(model.seed, key, _EDGE) < model.edge_loss)
    drawn = uniform(model.seed, key, _LOSS)
    limits = np.cumsum([model.blocked, model.rain, model.overflow])
    cause = np.searchsorted(limits, drawn, side="right")
    other = np.where(cause < 3, cause + 2, 0)
    return np.where(edge, 1, other).astype(np.int8)
