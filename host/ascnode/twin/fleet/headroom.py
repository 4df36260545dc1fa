"""How much more work each node of a fleet could take: what placement in the mesh reckons with.

The admission of the flight software (flight/tasks.py) in floats, and a barrier cost over its three limits.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascnode.twin.fleet.fleet import Fleet
from ascnode.twin.fleet.rows import Reals


@dataclass(frozen=True)
class Headroom:
    """Of each node (n,), shares 0..1 of what it has at most: 0 is none.

    battery: energy above the reserve until the end of the next eclipse, what its queue needs taken off, of the
    energy between the reserve and full. heat: temperature below the trip, of that at 25 C. queue: room for work.
    """

    battery: Reals
    heat: Reals
    queue: Reals

    def cost(self) -> Reals:
        """Barrier cost (n,), -ln of the three shares together: 0 for an idle node, infinite at any limit.

        After the barrier functions of Equinox' admission; the one node to choose is that of the least cost.
        """
        with np.errstate(divide="ignore"):
            cost: Reals = -np.log(self.battery * self.heat * self.queue)
        return cost


_COOL_K = 298.15


def headroom(fleet: Fleet, queue_kc: float) -> Headroom:
    """Headroom of every node; queue_kc is the longest queue that counts as room, in 1000 cycles.

    A node whose accelerator is shed or tripped has none. Raises ValueError unless queue_kc is positive.
    """
    if not queue_kc > 0:
        raise ValueError(f"queue_kc is {queue_kc}: room is a positive amount of work")
    s = fleet.state
    point_w, point_khz = fleet.working_point()
    spare_j = fleet.spare_j() - s.queue_kc / point_khz * point_w
    most_j = fleet.of_class("known_capacity_j") * (1 - fleet.of_class("reserve"))
    trip_k = fleet.of_class("trip_k")
    usable = ((s.shed == 0) & (s.hold == 0) & (s.tripped == 0)).astype(spare_j.dtype)
    return Headroom(
        battery=np.clip(spare_j / most_j, 0, 1) * usable,
        heat=np.clip((trip_k - s.accelerator_k) / (trip_k - _COOL_K), 0, 1) * usable,
        queue=np.clip(1 - s.queue_kc / queue_kc, 0, 1) * usable,
    )


def admits(fleet: Fleet, work_kc: float, deadline_s: float) -> npt.NDArray[np.bool_]:
    """Nodes (n,) that would take a job of that work, due in deadline_s: the flight software's own questions."""
    s = fleet.state
    point_w, point_khz = fleet.working_point()
    busy_s = (s.queue_kc + work_kc) / point_khz
    afford = busy_s * point_w <= fleet.spare_j()
    return np.asarray((s.shed == 0) & (s.hold == 0) & (s.tripped == 0) & (busy_s < deadline_s) & afford)
