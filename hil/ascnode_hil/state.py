"""What a node is, what it knows and what is so: read from the twin that agrees with it, by names."""

from collections.abc import Sequence

from ascnode.scenario.hardware import KELVIN_AT_0_C, Hardware, power_scale_k
from ascnode.twin.twin import Twin
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_hil.rig import Device

PARAMETERS = {row[1]: row[0] for row in d.PARAMETERS}


class NodeState:
    """One board's, between exchanges."""

    def __init__(self, device: Device) -> None:
        self.device = device

    @property
    def name(self) -> str:
        """Of the board."""
        return self.device.name

    @property
    def kind(self) -> str:
        """twin, virtual or serial."""
        return self.device.kind

    @property
    def capabilities(self) -> frozenset[str]:
        """What the rig can do with it: power, reset."""
        return self.device.capabilities

    @property
    def hardware(self) -> Hardware:
        """What its plant models."""
        return self.device.setup.scenario.node

    @property
    def twin(self) -> Twin:
        """Its twin, which agrees with it."""
        return self.device.twin

    @property
    def joules_per_unit(self) -> float:
        """A power word is this many mW, an energy word this many J."""
        return float(2 ** power_scale_k(self.hardware, self.device.setup.scenario.step_ms))

    @property
    def period_s(self) -> float:
        """The control period."""
        return self.parameter("control_period") / 1000

    def parameter(self, name: str) -> int:
        """A parameter's value in force."""
        return self.twin.node.computer.v[PARAMETERS[name]]

    def state(self, word: str) -> int:
        """A word of the flight computer's state, by its name in ascnode_fw.flight.layout."""
        return self._words("flight")[f_.NAMES.index(word)]

    def _words(self, buffer: str) -> Sequence[int]:
        if buffer == "plant" and self.device.hosted:
            return self.device.hosted.plant.state
        return next(words for name, words, _ in self.twin.node.buffers() if name == buffer)

    def plant(self, word: str) -> int:
        """A word of the plant's state, by its name in ascnode_fw.plant.layout, wherever it runs."""
        return self._words("plant")[p_.STATE_NAMES.index(word)]

    @property
    def mode(self) -> str:
        """SAFE, CHARGE, COMPUTE or DOWNLINK."""
        return d.MODES[self.state("mode")]

    @property
    def charge(self) -> float:
        """State of charge that the plant has, 0..1."""
        return self.plant("energy 2^k J") / self.twin.node.plant_words[p_.CAPACITY_J]

    @property
    def accelerator_c(self) -> float:
        """Temperature that the accelerator has."""
        return self.plant("t_accel uK") / 1e6 - KELVIN_AT_0_C

    @property
    def accelerator_w(self) -> float:
        """Power that the flight computer gives the accelerator's work, mean of the last period."""
        return self.state("accelerator pw") * self.joules_per_unit / 1000

    @property
    def load_w(self) -> float:
        """Power that the plant drew in the last period."""
        return self.plant("load_power pw") * self.joules_per_unit / 1000
