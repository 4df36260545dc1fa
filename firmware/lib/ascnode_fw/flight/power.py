"""Power manager: charge from the cell voltage, load shedding with hysteresis, a budget that lasts through eclipse."""

from ascnode_fw.compat import const
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.layout import scale
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from array import array

    from ascnode_fw.flight.plan import Plan

# Open-circuit cell voltage (mV) at a state of charge (1/1000): typical lithium-ion, as the flight data book has it.
CELL_MV = (3150, 3630, 3780, 3980, 4200)
CELL_SOC = (0, 300, 500, 700, 1000)

POWER_MAX = const(0xFFFFF)
_LOAD_STEP_PW = const(256)  # of the load sensor


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


def balance(power_pw: int, seconds: int) -> int:
    # Energy (2^k J) that the cells gain, or lose, by a net power over at most 18 h; a 32nd goes as heat either way.
    energy = scale(abs(power_pw), min(seconds, 65535), 1000)
    loss = energy >> 5
    return energy - loss if power_pw >= 0 else -energy - loss


def forecast(f: "array[int]", v: "array[int]", eclipses: "Plan") -> None:
    # Energy (2^k J) to spare until the end of the next eclipse above the reserve, and the mean power that uses it up.
    # The array follows the Sun: what it gives now it gives until dark. With no eclipse known, the next hour is as now.
    bus = v[d.P_BUS_PW]
    light_s = seconds = 3600
    i = eclipses.current(f[f_.NOW_S])
    if i >= 0:
        light_s = max(0, eclipses.start(i) - f[f_.NOW_S])
        seconds = max(1, eclipses.end(i) - f[f_.NOW_S])
    spare = scale(v[d.P_CAPACITY_J], f[f_.SOC] - v[d.P_SOC_RESERVE], 1000)
    spare += balance(f[f_.ARRAY_PW] - bus, light_s) + balance(-bus, seconds - light_s)
    f[f_.SPARE_J] = spare
    f[f_.BUDGET_PW] = budget(spare, seconds)


def budget(spare_j: int, seconds: int) -> int:
    # Mean power (pw) that uses up the spare energy in that time.
    if spare_j <= 0:
        return 0
    seconds = min(seconds, 1 << 20)
    if spare_j // seconds > POWER_MAX // 1000:
        return POWER_MAX
    return min(POWER_MAX, scale(spare_j, 1000, seconds))


def measure_leakage(f: "array[int]", v: "array[int]") -> None:
    # After a period with the accelerator on: what was drawn beside bus, radio and work (pw; the sensor rounds down).
    known = v[d.P_BUS_PW] + f[f_.EXTRA_PW] + f[f_.ACCEL_PW]
    f[f_.LEAK_PW] = max(0, f[f_.LOAD_PW] + _LOAD_STEP_PW - known)
    f[f_.LEAK_CK] = f[f_.ACCELERATOR_CK]


def leakage(f: "array[int]") -> int:
    # Upper estimate (pw) for the coming period: silicon's doubles every 20..30 K, and a period warms by less than 2 K.
    warmer = f[f_.ACCELERATOR_CK] + 200 - f[f_.LEAK_CK]
    if warmer >= 0:
        leak = f[f_.LEAK_PW] << min(8, warmer // 2000)
        return leak + scale(leak, warmer % 2000, 2000)
    leak = f[f_.LEAK_PW] >> min(20, -warmer // 3000)
    return leak - scale(leak >> 1, -warmer % 3000, 3000)


def below_cap(f: "array[int]", v: "array[int]") -> int:
    # Power (pw) that the commanded cap leaves for the accelerator's work.
    room = f[f_.CAP_PW] - f[f_.EXTRA_PW] - v[d.P_BUS_PW]
    if f[f_.LEAK_CK]:
        return max(0, room - leakage(f))
    # Never on since boot: it starts at the lowest point, if as much again is left for its leakage.
    return max(0, min(room >> 1, v[d.P_OP_PW + 1]))
