"""What padding means for time: words that need no bank, and how many of them open a pass."""

from dataclasses import dataclass

import numpy as np

from ascnode_gateware.program.executor_pixels import PixelWalk
from ascnode_gateware.program.job import Job


@dataclass(frozen=True)
class PassShape:
    """Of one (kx, ky): `words` streamed, the share of them read from memory, whether the first one is.

    `hidden` counts the padding words from the second on that go by before another word is read; None when no other
    is: nothing then waits for the fetcher.
    """

    words: int
    read_share: float
    first_is_read: bool
    hidden: int | None


def pass_shapes(job: Job) -> tuple[PassShape, ...]:
    """For each kx, and for each ky around it: the order of an input group's passes."""
    across, down = PixelWalk(job).inside_axes()
    shapes: dict[tuple[bytes, bytes], PassShape] = {}
    result = []
    for inside_y in down:
        for inside_x in across:
            key = (inside_x.tobytes(), inside_y.tobytes())
            if key not in shapes:
                shapes[key] = _shape(np.outer(inside_y, inside_x).reshape(-1))
            result.append(shapes[key])
    return tuple(result)


def _shape(read: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> PassShape:
    later = np.flatnonzero(read[1:])
    hidden = int(later[0]) if later.size else None
    return PassShape(len(read), float(read.mean()), bool(read[0]), hidden)
