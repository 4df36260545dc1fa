"""Bounds of the plant: rarely met, and never in silence."""

from array import array

from ascnode_fw.plant.layout import EVENT_SUM_FULL, EVENTS, SUM_MAX_J, T_MAX_UK


def hold_power(state: "array[int]", power: int, limit: int, event: int) -> int:
    # A net power that is outside -limit..limit, brought back to it.
    state[EVENTS] |= event
    return limit if power > 0 else -limit


def hold_temperature(state: "array[int]", t: int, coldest: int, cold_event: int) -> int:
    # A temperature outside the table, brought back to it; the "hot" event is the bit above the "cold" one.
    if t < coldest:
        state[EVENTS] |= cold_event
        return coldest
    state[EVENTS] |= cold_event << 1
    return T_MAX_UK


def add_energy(state: "array[int]", at: int, joules: int, microjoules: int) -> None:
    # Adds to the sum in words `at` (J) and `at` + 1 (uJ); at most 1,000,000 uJ come in.
    microjoules += state[at + 1]
    if microjoules >= 1000000:
        microjoules -= 1000000
        joules += 1
    if joules > SUM_MAX_J - state[at]:
        joules = SUM_MAX_J - state[at]
        state[EVENTS] |= EVENT_SUM_FULL
    state[at] += joules
    state[at + 1] = microjoules
