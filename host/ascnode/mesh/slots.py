"""When a Starlink-like downlink changes hands: slots of 15 s, and frames of 1/750 s inside of them.

The slots start at seconds 12, 27, 42 and 57 of each UTC minute [S: H. B. Tanveer et al., "Making sense of
constellations", CoNEXT companion 2023], and latency is disturbed for about 140 ms after each edge [S: N. Mohan et
al., "A multifaceted look at Starlink performance", WWW 2024, see such jumps]. Frames: 750 a second [S: T. E. Humphreys
et al., "Signal structure of the Starlink Ku-band downlink", 2023].
"""

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from ascnode.sky.time import check_window
from ascnode.sky.vectors import Floats

SLOT_S = 15
SLOT_PHASE_S = 12
DISTURBED_S = 0.140
FRAMES_PER_SECOND = 750
FRAME_S = 1 / FRAMES_PER_SECOND

_MICROSECONDS = 1_000_000
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def slot_number(epoch: datetime, t_s: float) -> int:
    """The slot under way t_s after the epoch; slot 0 started at 1970-01-01 00:00:12 UTC."""
    return (_unix_us(epoch, t_s) - SLOT_PHASE_S * _MICROSECONDS) // (SLOT_S * _MICROSECONDS)


def slot_start_s(epoch: datetime, number: int) -> float:
    """When a slot starts, seconds after the epoch."""
    return number * SLOT_S + SLOT_PHASE_S - _unix_us(epoch, 0.0) / _MICROSECONDS


def slot_edges_s(epoch: datetime, start_s: float, end_s: float) -> Floats:
    """All starts of slots in start_s <= t < end_s, in order. Raises ValueError for an empty interval."""
    check_window(start_s, end_s)
    first = slot_number(epoch, start_s)
    edges = np.array([slot_start_s(epoch, n) for n in range(first, slot_number(epoch, end_s) + 1)])
    return edges[(edges >= start_s) & (edges < end_s)]


def disturbed(epoch: datetime, t_s: float) -> bool:
    """Whether t_s lies within 140 ms after a slot's start."""
    return t_s - slot_start_s(epoch, slot_number(epoch, t_s)) < DISTURBED_S


def frame_start_us(frame: int) -> int:
    """Start of the frame-th frame since the epoch, whose seconds begin on a frame: floor(k 10^6 / 750) us."""
    second, k = divmod(frame, FRAMES_PER_SECOND)
    return second * _MICROSECONDS + k * _MICROSECONDS // FRAMES_PER_SECOND


def next_frame(t_us: int) -> int:
    """The first frame that starts at or after t_us."""
    frame = t_us * FRAMES_PER_SECOND // _MICROSECONDS
    while frame_start_us(frame) < t_us:
        frame += 1
    return frame


def turn_us(t_us: int, place: int, terminals: int) -> int:
    """When the next frame at or after t_us starts that is the turn of terminal `place` of those that share a beam.

    Frames go round: frame k is that of terminal k mod terminals. Raises ValueError for a place outside 0..terminals-1.
    """
    if not 0 <= place < terminals:
        raise ValueError(f"place {place} is not among {terminals} terminals")
    frame = next_frame(t_us)
    return frame_start_us(frame + (place - frame) % terminals)


def _unix_us(epoch: datetime, t_s: float) -> int:
    """Microseconds since 1970, exact for the epoch; raises ValueError for an epoch without a time zone."""
    if epoch.utcoffset() is None:
        raise ValueError(f"the epoch {epoch.isoformat()} has no time zone: give it in UTC")
    return (epoch - _UNIX) // timedelta(microseconds=1) + math.floor(t_s * _MICROSECONDS + 0.5)
