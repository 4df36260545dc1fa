"""Battery: energy with losses both ways, between empty (a brown-out) and full (power is shunted)."""

from array import array

from ascnode_fw.compat import const
from ascnode_fw.plant import layout
from ascnode_fw.plant.bounds import add_energy, hold_power

# Copies of plant/layout.py that the compiler folds; a test compares them.
_ENERGY_J = const(8)
_ENERGY_UJ = const(9)
_CHARGE_REM = const(10)
_DISCHARGE_REM = const(11)
_SHUNTED_J = const(21)
_UNSERVED_J = const(23)
_EVENTS = const(25)
_EVENT_NET_POWER = const(1)
_EVENT_BROWN_OUT = const(128)
_EVENT_BATTERY_FULL = const(256)


class Battery:
    """Constants of the battery; all that changes is in the state."""

    def __init__(self, words: "array[int]") -> None:
        self._step_ms = words[layout.STEP_MS]
        self._net_max = words[layout.NET_MAX_PW]
        self._capacity = words[layout.CAPACITY_J]
        self._charge_num = words[layout.CHARGE_LOSS_NUM]
        self._charge_den = words[layout.CHARGE_LOSS_DEN]
        self._discharge_num = words[layout.DISCHARGE_LOSS_NUM]
        self._discharge_den = words[layout.DISCHARGE_LOSS_DEN]

    def step(self, state: "array[int]", net: int) -> None:
        # Moves the net bus power of one step (array - load, pw) into or out of the cells.
        if net > self._net_max or net < -self._net_max:
            net = hold_power(state, net, self._net_max, _EVENT_NET_POWER)
        if net >= 0:
            part = net * self._charge_num + state[_CHARGE_REM]
            lost = part // self._charge_den
            state[_CHARGE_REM] = part - lost * self._charge_den
        else:
            part = state[_DISCHARGE_REM] - net * self._discharge_num
            lost = part // self._discharge_den
            state[_DISCHARGE_REM] = part - lost * self._discharge_den
        part = (net - lost) * self._step_ms + state[_ENERGY_UJ]
        energy = part // 1000000
        state[_ENERGY_UJ] = part - energy * 1000000
        energy += state[_ENERGY_J]
        state[_ENERGY_J] = energy
        if energy < 0:
            _empty(state)
        elif energy >= self._capacity:
            _fill(state, self._capacity)


def _fill(state: "array[int]", capacity: int) -> None:
    # What the cells cannot take is shunted.
    state[_EVENTS] |= _EVENT_BATTERY_FULL
    add_energy(state, _SHUNTED_J, state[_ENERGY_J] - capacity, state[_ENERGY_UJ])
    state[_ENERGY_J] = capacity
    state[_ENERGY_UJ] = 0


def _empty(state: "array[int]") -> None:
    # What the cells cannot give is a load that is not met.
    state[_EVENTS] |= _EVENT_BROWN_OUT
    add_energy(state, _UNSERVED_J, -1 - state[_ENERGY_J], 1000000 - state[_ENERGY_UJ])
    state[_ENERGY_J] = 0
    state[_ENERGY_UJ] = 0
