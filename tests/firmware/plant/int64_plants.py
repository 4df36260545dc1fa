"""Many plants at once in NumPy int64, written from the equations of PHYSICS and the words of plant/layout.py."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ascnode_fw.plant import layout as at

Words = npt.NDArray[np.int64]


class Int64Plants:
    """State (26, nodes) of nodes that have each their own hardware (245, nodes)."""

    def __init__(self, hardware: Sequence[Sequence[int]]) -> None:
        self.w: Words = np.array(hardware, dtype=np.int64).T.copy()
        self.nodes = np.arange(self.w.shape[1])
        self.s: Words = np.zeros((at.STATE_WORDS, len(self.nodes)), dtype=np.int64)
        self.s[at.ENERGY_J] = self.w[at.INITIAL_J]
        self.s[at.T_ACCEL_UK] = self.w[at.INITIAL_ACCEL_UK]
        self.s[at.T_RADIATOR_UK] = self.w[at.INITIAL_RADIATOR_UK]
        self.set_inputs(self.s[: at.INPUT_WORDS])

    def set_inputs(self, inputs: Words) -> None:
        """Inputs (8, nodes), within their ranges; the array ages by (1-d)^years in bits of 1/8192 octave."""
        self.s[: at.INPUT_WORDS] = inputs
        halvings = inputs[at.AGE_DAYS] * self.w[at.AGEING_RATE]
        factor = np.int64(32768) >> (halvings >> 26)
        for bit in range(1, 14):
            root = round(32768 * 2 ** -(2.0**-bit))
            factor = np.where(halvings >> (26 - bit) & 1, (factor * root + 16384) >> 15, factor)
        self.s[at.ARRAY_FACTOR] = factor
        self.s[at.ARRAY_SUN_PW] = self.w[at.ARRAY_FULL_PW] * factor >> 15

    def step(self) -> None:
        """All of them by one step."""
        s, w = self.s, self.w
        s[at.LEAK_PW] = s[at.ACCEL_ON] * self._looked_up(at.LEAKAGE, at.LEAKAGE_T0_UK, 22, s[at.T_ACCEL_UK])
        accel = s[at.LEAK_PW] + s[at.ACCEL_ON] * s[at.ACCEL_PW]
        difference = (s[at.T_ACCEL_UK] - s[at.T_RADIATOR_UK] + 2048) >> 12
        stored = self._held(
            accel - (difference * w[at.CONDUCT_NUM] >> w[at.CONDUCT_SHIFT]), at.EVENT_ACCEL_HEAT
        )
        stored = stored * w[at.ACCEL_STAYS] >> 10
        emitted = self._looked_up(at.EMISSION, at.EMISSION_T0_UK, 21, s[at.T_RADIATOR_UK])
        heat = w[at.BUS_HEAT_PW] + w[at.EARTH_IR_PW] + s[at.EXTRA_PW] + accel - stored - emitted
        heat += (w[at.SUN_HEAT_PW] * s[at.ILLUMINATION] >> 10) * s[at.COS_RADIATOR] >> 10
        heat += w[at.ALBEDO_HEAT_PW] * s[at.ALBEDO] >> 10
        self._warm(at.T_ACCEL_UK, stored, at.ACCEL_RISE_NUM, at.T_MIN_ACCEL_UK, at.EVENT_ACCEL_COLD)
        heat = self._held(heat, at.EVENT_RADIATOR_HEAT)
        self._warm(at.T_RADIATOR_UK, heat, at.RADIATOR_RISE_NUM, at.T_MIN_RADIATOR_UK, at.EVENT_RADIATOR_COLD)
        s[at.ARRAY_PW] = (s[at.ARRAY_SUN_PW] * s[at.ILLUMINATION] >> 10) * s[at.COS_ARRAY] >> 10
        s[at.LOAD_PW] = accel + s[at.EXTRA_PW] + w[at.BUS_LOAD_PW]
        self._store(self._held(s[at.ARRAY_PW] - s[at.LOAD_PW], at.EVENT_NET_POWER))

    def _looked_up(self, table: int, t0: int, shift: int, t: Words) -> Words:
        entry, within = table + ((t - t0) >> shift), ((t - t0) & ((1 << shift) - 1)) >> (shift - 11)
        low, high = self.w[entry, self.nodes], self.w[entry + 1, self.nodes]
        return low + ((high - low) * within >> 11)

    def _held(self, power: Words, event: int) -> Words:
        limit = self.w[at.NET_MAX_PW]
        self.s[at.EVENTS] |= np.where(np.abs(power) > limit, event, 0)
        return np.clip(power, -limit, limit)

    def _warm(self, t: int, power: Words, num: int, coldest: int, cold_event: int) -> None:
        rise, self.s[t + 1] = np.divmod(power * self.w[num] + self.s[t + 1], self.w[num + 1])
        rise += self.s[t]
        self.s[at.EVENTS] |= np.where(rise < coldest, cold_event, 0)
        self.s[at.EVENTS] |= np.where(rise > at.T_MAX_UK, cold_event << 1, 0)
        self.s[t] = np.clip(rise, coldest, at.T_MAX_UK)

    def _store(self, net: Words) -> None:
        s, w = self.s, self.w
        charging = net >= 0
        num = np.where(charging, w[at.CHARGE_LOSS_NUM], w[at.DISCHARGE_LOSS_NUM])
        den = np.where(charging, w[at.CHARGE_LOSS_DEN], w[at.DISCHARGE_LOSS_DEN])
        before = np.where(charging, s[at.CHARGE_REM], s[at.DISCHARGE_REM])
        lost, remainder = np.divmod(np.abs(net) * num + before, den)
        s[at.CHARGE_REM] = np.where(charging, remainder, s[at.CHARGE_REM])
        s[at.DISCHARGE_REM] = np.where(charging, s[at.DISCHARGE_REM], remainder)
        full_uj = w[at.CAPACITY_J] * 1_000_000
        stored_uj = s[at.ENERGY_J] * 1_000_000 + s[at.ENERGY_UJ] + (net - lost) * w[at.STEP_MS]
        s[at.EVENTS] |= np.where(stored_uj >= full_uj, at.EVENT_BATTERY_FULL, 0)
        s[at.EVENTS] |= np.where(stored_uj < 0, at.EVENT_BROWN_OUT, 0)
        self._add(at.SHUNTED_J, np.maximum(stored_uj - full_uj, 0))
        self._add(at.UNSERVED_J, np.maximum(-stored_uj, 0))
        s[at.ENERGY_J], s[at.ENERGY_UJ] = np.divmod(np.clip(stored_uj, 0, full_uj), 1_000_000)

    def _add(self, total: int, energy_uj: Words) -> None:
        sum_uj = self.s[total] * 1_000_000 + self.s[total + 1] + energy_uj
        self.s[total], self.s[total + 1] = np.divmod(sum_uj, 1_000_000)
