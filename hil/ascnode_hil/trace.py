"""What a report plots: a node's charge, temperatures, throttle and links over time."""

from dataclasses import asdict, dataclass, field

MOST = 1200

Series = list[float]


@dataclass
class Trace:
    """Samples, one an exchange; when there are too many every second one is left out, from the start on."""

    name: str
    t_s: Series = field(default_factory=list)
    charge: Series = field(default_factory=list)
    accelerator_c: Series = field(default_factory=list)
    radiator_c: Series = field(default_factory=list)
    operating_point: Series = field(default_factory=list)
    throttled_s: Series = field(default_factory=list)
    contact: Series = field(default_factory=list)
    packets_queued: Series = field(default_factory=list)

    def add(self, **sample: float) -> None:
        """One sample of every series."""
        for name, value in sample.items():
            getattr(self, name).append(round(value, 4))
        if len(self.t_s) > MOST:
            for series in self.series().values():
                del series[1::2]

    def series(self) -> dict[str, Series]:
        """All of them by name, time included."""
        return {name: value for name, value in vars(self).items() if name != "name"}

    def plain(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)
