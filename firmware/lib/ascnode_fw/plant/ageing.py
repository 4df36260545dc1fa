"""Ageing of the solar array: what some days leave of its power, (1-d)^years, in integers."""

from ascnode_fw.plant.layout import FULL_FACTOR

# 2^-(1/2), 2^-(1/4), ... 2^-(1/8192), over 32768.
_ROOTS = (23170, 27554, 30048, 31379, 32066, 32415, 32591, 32679, 32724, 32746, 32757, 32762, 32765)


def factor(days: int, rate: int) -> int:
    # Share of the new array's power that is left, over 32768; rate: halvings a day, in 2^-26.
    days *= rate
    left = FULL_FACTOR >> (days >> 26)
    for at in range(13):
        if days & (1 << (25 - at)):
            left = (left * _ROOTS[at] + 16384) >> 15
    return left


def aged(power: int, left: int) -> int:
    # floor(power * left / 32768) for a power below 2^20, with no product past 2^25.
    return ((power >> 10) * left + (((power & 1023) * left) >> 10)) >> 5
