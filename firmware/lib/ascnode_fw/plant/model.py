"""The modelled hardware of one node: Sun, battery, heat and sensors, stepped in integers."""

from array import array

from ascnode_fw.compat import const
from ascnode_fw.plant import ageing, layout
from ascnode_fw.plant.battery import Battery
from ascnode_fw.plant.sensors import Sensors
from ascnode_fw.plant.solar import Solar
from ascnode_fw.plant.thermal import Accelerator, Radiator

# Copies of plant/layout.py that the compiler folds; a test compares them.
_EXTRA_PW = const(4)
_ARRAY_PW = const(18)
_LOAD_PW = const(19)

_INPUT_MAX = (1024, 1024, 1024, 1024, layout.POWER_MAX, layout.POWER_MAX, 1, layout.AGE_DAYS_MAX)


class Plant:
    """One node's hardware; `state` is all of it that changes, word by word as in plant/layout.py."""

    def __init__(self, words: "array[int]") -> None:
        # words: a configuration that config.load or config.check accepted.
        self._array_full = words[layout.ARRAY_FULL_PW]
        self._ageing_rate = words[layout.AGEING_RATE]
        self._bus_load = words[layout.BUS_LOAD_PW]
        self._solar = Solar(words)
        self._battery = Battery(words)
        self._accelerator = Accelerator(words)
        self._radiator = Radiator(words)
        self._sensors = Sensors(words[layout.CAPACITY_J])
        self.state = array("i", bytes(4 * layout.STATE_WORDS))
        self.restart(words)

    def restart(self, words: "array[int]") -> None:
        # As new, with the words it was made with.
        for word in range(layout.STATE_WORDS):
            self.state[word] = 0
        self.state[layout.ENERGY_J] = words[layout.INITIAL_J]
        self.state[layout.T_ACCEL_UK] = words[layout.INITIAL_ACCEL_UK]
        self.state[layout.T_RADIATOR_UK] = words[layout.INITIAL_RADIATOR_UK]
        self._age(0)

    def set_input(self, word: int, value: int) -> None:
        # Sets one of the first INPUT_WORDS words of the state; out of range it is held and raises an event.
        highest = _INPUT_MAX[word]
        if value < 0 or value > highest:
            self.state[layout.EVENTS] |= layout.EVENT_INPUT
            value = highest if value > 0 else 0
        self.state[word] = value
        if word == layout.AGE_DAYS:
            self._age(value)

    def step(self) -> None:
        # Advances by the configured step. Every power is taken at the start of the step.
        state = self.state
        load = state[_EXTRA_PW]
        heat = self._accelerator.step(state) + self._solar.step(state)
        self._radiator.step(state, heat + load)
        load += state[_LOAD_PW] + self._bus_load
        state[_LOAD_PW] = load
        self._battery.step(state, state[_ARRAY_PW] - load)

    def take_events(self) -> int:
        # The event bits since the last call.
        events = self.state[layout.EVENTS]
        self.state[layout.EVENTS] = 0
        return events

    def sample(self, counts: "array[int]") -> None:
        # Writes SENSOR_WORDS 12-bit counts into `counts`.
        self._sensors.sample(self.state, counts)

    def _age(self, days: int) -> None:
        left = ageing.factor(days, self._ageing_rate)
        self.state[layout.ARRAY_FACTOR] = left
        self.state[layout.ARRAY_SUN_PW] = ageing.aged(self._array_full, left)
