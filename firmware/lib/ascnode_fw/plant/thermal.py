"""Heat: the accelerator with its leakage and its conduction path, and the radiator that emits to space.

Both nodes write out the same clamp, division and update: a shared function costs 0.1 us of 1.5 us a step.
What every step calls keeps locals and stack within 11 words, above which MicroPython takes the frame of
a call from the heap.
"""

from array import array

from ascnode_fw.compat import const
from ascnode_fw.plant import layout
from ascnode_fw.plant.bounds import hold_power, hold_temperature

# Copies of plant/layout.py that the compiler folds; a test compares them.
_ACCEL_PW = const(5)
_ACCEL_ON = const(6)
_T_ACCEL_UK = const(12)
_ACCEL_REM = const(13)
_T_RADIATOR_UK = const(14)
_RADIATOR_REM = const(15)
_LOAD_PW = const(19)
_LEAK_PW = const(20)
_EVENT_ACCEL_HEAT = const(2)
_EVENT_RADIATOR_HEAT = const(4)
_EVENT_ACCEL_COLD = const(8)
_EVENT_RADIATOR_COLD = const(32)
_EMISSION_T0_UK = const(150000000)
_LEAKAGE_T0_UK = const(200000000)
_T_MIN_ACCEL_UK = const(205000000)
_T_MIN_RADIATOR_UK = const(155000000)
_T_MAX_UK = const(465000000)


class Accelerator:
    """Heat node that draws power, leaks with its temperature, and is cooled by conduction alone."""

    def __init__(self, words: "array[int]") -> None:
        self._net_max = words[layout.NET_MAX_PW]
        self._num = words[layout.ACCEL_RISE_NUM]
        self._den = words[layout.ACCEL_RISE_DEN]
        self._conduct_num = words[layout.CONDUCT_NUM]
        self._conduct_shift = words[layout.CONDUCT_SHIFT]
        self._stays = words[layout.ACCEL_STAYS]
        self._leakage = words[layout.LEAKAGE : layout.LEAKAGE + layout.LEAKAGE_WORDS]

    def step(self, state: "array[int]") -> int:
        # One step: sets LEAK_PW and LOAD_PW (its own draw); returns the pw conducted into the radiator.
        # Conduction at the start of the step would be late by half a step: of the net heat only a share stays,
        # (1 - e^-x) / x with x = step * G * (1/C_a + 1/C_r), and all of the rest is conducted on.
        t = state[_T_ACCEL_UK]
        power = 0
        if state[_ACCEL_ON]:
            at = (t - _LEAKAGE_T0_UK) >> 22
            power = self._leakage[at]
            power += ((self._leakage[at + 1] - power) * (((t - _LEAKAGE_T0_UK) & 0x3FFFFF) >> 11)) >> 11
            state[_LEAK_PW] = power
            power += state[_ACCEL_PW]
        else:
            state[_LEAK_PW] = 0
        state[_LOAD_PW] = power
        net = (((t - state[_T_RADIATOR_UK] + 2048) >> 12) * self._conduct_num) >> self._conduct_shift
        net = power - net
        if net > self._net_max or net < -self._net_max:
            net = hold_power(state, net, self._net_max, _EVENT_ACCEL_HEAT)
        net = (net * self._stays) >> 10
        power -= net
        net = net * self._num + state[_ACCEL_REM]
        at = net // self._den
        state[_ACCEL_REM] = net - at * self._den
        t += at
        if t > _T_MAX_UK or t < _T_MIN_ACCEL_UK:
            t = hold_temperature(state, t, _T_MIN_ACCEL_UK, _EVENT_ACCEL_COLD)
        state[_T_ACCEL_UK] = t
        return power


class Radiator:
    """Heat node that emits to space."""

    def __init__(self, words: "array[int]") -> None:
        self._net_max = words[layout.NET_MAX_PW]
        self._num = words[layout.RADIATOR_RISE_NUM]
        self._den = words[layout.RADIATOR_RISE_DEN]
        self._emission = words[layout.EMISSION : layout.EMISSION + layout.EMISSION_WORDS]

    def step(self, state: "array[int]", power: int) -> None:
        # One step with `power` pw of heat coming in.
        t = state[_T_RADIATOR_UK]
        at = (t - _EMISSION_T0_UK) >> 21
        low = self._emission[at]
        power -= low + (((self._emission[at + 1] - low) * (((t - _EMISSION_T0_UK) & 0x1FFFFF) >> 10)) >> 11)
        if power > self._net_max or power < -self._net_max:
            power = hold_power(state, power, self._net_max, _EVENT_RADIATOR_HEAT)
        power = power * self._num + state[_RADIATOR_REM]
        at = power // self._den
        state[_RADIATOR_REM] = power - at * self._den
        t += at
        if t > _T_MAX_UK or t < _T_MIN_RADIATOR_UK:
            t = hold_temperature(state, t, _T_MIN_RADIATOR_UK, _EVENT_RADIATOR_COLD)
        state[_T_RADIATOR_UK] = t
