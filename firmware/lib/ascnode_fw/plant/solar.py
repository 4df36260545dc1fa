"""Sunlight: power of the array, and the heat that the radiator takes from Sun, Earth and bus."""

from array import array

from ascnode_fw.compat import const
from ascnode_fw.plant import layout

# Copies of plant/layout.py that the compiler folds; a test compares them.
_ILLUMINATION = const(0)
_COS_ARRAY = const(1)
_COS_RADIATOR = const(2)
_ALBEDO = const(3)
_ARRAY_SUN_PW = const(17)
_ARRAY_PW = const(18)


class Solar:
    """Constants of the node's surfaces; all that changes is in the state."""

    def __init__(self, words: "array[int]") -> None:
        self._steady = words[layout.BUS_HEAT_PW] + words[layout.EARTH_IR_PW]
        self._sun = words[layout.SUN_HEAT_PW]
        self._albedo = words[layout.ALBEDO_HEAT_PW]

    def step(self, state: "array[int]") -> int:
        # Sets ARRAY_PW = aged array * illumination * cos; returns the radiator's heat from outside, pw.
        heat = self._steady + ((self._albedo * state[_ALBEDO]) >> 10)
        lit = state[_ILLUMINATION]
        if not lit:
            state[_ARRAY_PW] = 0
            return heat
        state[_ARRAY_PW] = (((state[_ARRAY_SUN_PW] * lit) >> 10) * state[_COS_ARRAY]) >> 10
        return heat + ((((self._sun * lit) >> 10) * state[_COS_RADIATOR]) >> 10)
