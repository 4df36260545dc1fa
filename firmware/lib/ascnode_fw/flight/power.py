"""Power manager: charge from the cell voltage, load shedding with hysteresis, a budget that lasts through eclipse."""

from ascnode_fw.flight.layout import scale
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from array import array

    from ascnode_fw.flight.plan import Plan

# Open-circuit cell voltage (mV) at a state of charge (1/1000): typical lithium-ion, as the flight data book has it.
CELL_MV = (3150, 3630, 3780, 3980, 4200)
CELL_SOC = (0, 300, 500, 700, 1000)

POWER_MAX = (1 << 20) - 1


def soc_of(cell_mv: int) -> int:
    # State of charge (1/1000) by linear interpolation of the cell's curve.
    if cell_mv <= CELL_MV[0]:
        return 0
    for i in range(1, len(CELL_MV)):
        if cell_mv < CELL_MV[i]:
            low = CELL_MV[i - 1]
            span = CELL_SOC[i] - CELL_SOC[i - 1]
            return CELL_SOC[i - 1] + (cell_mv - low) * span // (CELL_MV[i] - low)
    return 1000


def shed_level(level: int, soc: int, v: "array[int]") -> int:
    # 0 nothing shed, 1 the accelerator, 2 all but the beacon; each limit has its own way back.
    if soc < v[d.P_SOC_SAFE] or (level == 2 and soc < v[d.P_SOC_SAFE_EXIT]):
        return 2
    if soc < v[d.P_SOC_CHARGE] or (level >= 1 and soc < v[d.P_SOC_CHARGE_EXIT]):
        return 1
    return 0


def energy_of(power_pw: int, seconds: int) -> int:
    # 2^k J; in units of 64 pw and over at most 18 h, so that the product stays a small integer.
    return (power_pw >> 6) * min(seconds, 65535) // 1000 << 6


def forecast(soc: int, array_pw: int, now_s: int, v: "array[int]", eclipses: "Plan") -> "tuple[int, int]":
    # Energy (2^k J) to spare until the end of the next eclipse above the reserve, and the seconds until then.
    capacity = v[d.P_CAPACITY_J]
    spare = scale(capacity, soc, 1000) - scale(capacity, v[d.P_SOC_RESERVE], 1000)
    i = eclipses.current(now_s)
    if i < 0:
        return spare, 3600
    start, end = eclipses.start(i), eclipses.end(i)
    dark_s = end - max(start, now_s)
    light_s = max(0, start - now_s)
    drain = energy_of(v[d.P_BUS_PW], dark_s)
    income = energy_of(max(0, array_pw - v[d.P_BUS_PW]), light_s)
    return spare + income - drain - (drain >> 5), max(1, end - now_s)


def budget(spare_j: int, seconds: int) -> int:
    # Mean power (pw) that uses up the spare energy in that time.
    if spare_j <= 0:
        return 0
    power = spare_j * 1000 // seconds if spare_j < 1000000 else spare_j // seconds * 1000
    return min(power, POWER_MAX)
