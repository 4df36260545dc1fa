"""The sky over one node: Sun, eclipses, contacts, or a whole orbit."""

from ascnode.session import messages
from ascnode.sky.environment import environment_events
from ascnode.sky.orbit import shell_satellite
from ascnode.sky.plans import eclipse_plan
from ascnode_hil.node import FOREVER_S, HilNode

_ENVIRONMENT_S = 30.0
_PLAN_AHEAD_S = 6000.0


class HilSky:
    """What `ascnode_sky` gives; times in seconds of the node's clock."""

    def __init__(self, node: HilNode) -> None:
        self._node = node

    def sun(
        self,
        illumination: float = 1.0,
        cos_radiator: float = 0.0,
        albedo: float = 0.0,
        at_s: float | None = None,
    ) -> None:
        """Sunlight on the array, and as much on the radiator as it faces the Sun."""
        self._node.environment(illumination, cos_radiator, albedo, at_s)

    def eclipse(self, start_s: float, end_s: float, planned: bool = True) -> None:
        """Dark from `start_s` to `end_s`; `planned`: the node is told in advance."""
        if planned:
            self._node.plan("eclipses", [(int(start_s), -int(-end_s // 1))])
        self._node.environment(0.0, at_s=start_s)
        self._node.environment(1.0, at_s=end_s)

    def contact(self, start_s: float | None = None, end_s: float = FOREVER_S) -> None:
        """The ground in view: planned, and with lock."""
        self._node.contact(start_s, end_s)

    def orbit(self, duration_s: float, altitude_km: float = 550.0, inclination_deg: float = 53.0) -> float:
        """The light of a circular orbit from now on, its eclipses planned; the orbit's period in seconds."""
        node = self._node
        orbit = shell_satellite(altitude_km, inclination_deg, 1, 1, 0, 0, 0)
        epoch = node.device.setup.scenario.epoch
        start_s = node.now_s
        face = node.device.setup.scenario.radiator_face
        for sample in environment_events(orbit, epoch, 0.0, duration_s, _ENVIRONMENT_S, face):
            time_us = round((start_s + sample.t_s) * 1e6)
            node.add(messages.environment(time_us, *sample[1:]))
        dark = eclipse_plan(orbit, epoch, 0.0, duration_s + _PLAN_AHEAD_S)
        node.plan("eclipses", [(int(start_s + a), -int(-(start_s + b) // 1)) for a, b in dark])
        return orbit.period_s
