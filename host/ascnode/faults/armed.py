"""When a fault acts: its window, its trigger, the modes it is limited to."""

from dataclasses import dataclass

from ascnode.faults.schedule import Fault
from ascnode.twin.twin import Twin
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import links
from ascnode_fw.plant import layout as p_
from ascnode_fw.plant.model import Plant
from ascnode_fw.wire import dictionary as d


def us(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1e6)


def mode_of(twin: Twin) -> str:
    """The node's mode by name; "" after an upset of it."""
    mode = twin.node.computer.f[f_.MODE]
    return d.MODES[mode] if 0 <= mode < len(d.MODES) else ""


def _met(trigger: str, twin: Twin, plant: Plant) -> bool:
    f = twin.node.computer.f
    return {
        "contact": bool(f[f_.CONTACT]),
        "eclipse": plant.state[p_.ILLUMINATION] == 0,
        "job": f[f_.RUNNING] >= 0,
        "trip": bool(f[f_.TRIPPED]),
        "answer": twin.node.computer.links.counters[links.IN_CUSTODY] > 0,
    }[trigger]


@dataclass
class Armed:
    """A fault and whether it acts now; `look` is called at the start of each exchange."""

    number: int
    fault: Fault
    seed: int
    began_us: int | None = None
    acts: bool = False
    spent: bool = False  # it strikes once, and has

    def look(self, now_us: int, twin: Twin, plant: Plant) -> bool:
        """Whether it acts in the period that begins now."""
        if self.began_us is None and self._starts(now_us, twin, plant):
            self.began_us = now_us if self.fault.trigger else us(self.fault.start_s)
        began = self.began_us is not None and now_us < self._end_us
        self.acts = began and (not self.fault.modes or mode_of(twin) in self.fault.modes)
        return self.acts

    def _starts(self, now_us: int, twin: Twin, plant: Plant) -> bool:
        if now_us < us(self.fault.start_s) or now_us >= self._end_us:
            return False
        return not self.fault.trigger or _met(self.fault.trigger, twin, plant)

    @property
    def _end_us(self) -> int:
        ends = [1 << 60]
        if self.fault.end_s is not None:
            ends.append(us(self.fault.end_s))
        if self.fault.duration_s is not None and self.began_us is not None:
            ends.append(self.began_us + us(self.fault.duration_s))
        return min(ends)

    def edge_us(self, now_us: int, period_us: int) -> int:
        """The next time at which it has to be looked at again; far ahead when never."""
        if self.spent:
            return 1 << 60
        if self.fault.watched and us(self.fault.start_s) <= now_us < self._end_us:
            return now_us + period_us
        return min(edge for edge in (us(self.fault.start_s), self._end_us, 1 << 60) if edge > now_us)
