"""Thermal governor: a power allocator over a table of operating points, and a hard trip above it.

The control law is that of Linux' intelligent power allocation: a sustainable power plus a proportional-integral
term on the distance to the target temperature, with separate gains above and below it.
"""

from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.layout import scale
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from array import array


def heat_budget(f: "array[int]", v: "array[int]", period_ms: int) -> int:
    # Dynamic power (pw) that the heat path allows in the coming period.
    error = v[d.P_TEMP_TARGET] - f[f_.ACCELERATOR_CK]
    gain = v[d.P_GOV_K_PO] if error < 0 else v[d.P_GOV_K_PU]
    error = max(-9999, min(9999, error))
    top = v[d.P_OP_PW + v[d.P_OP_COUNT] - 1]
    sustainable = v[d.P_GOV_SUSTAINABLE_PW]
    # The integral moves only near the target, else a cold start would wind it up, and no further than what gives
    # idle or the fastest point at the target: while battery or cap hold the node below it, it must not run away.
    if error < v[d.P_GOV_I_CUTOFF]:
        step = scale(scale(v[d.P_GOV_K_I], abs(error), 100), period_ms, 1000)
        integral = f[f_.INTEGRAL] + (step if error >= 0 else -step)
        f[f_.INTEGRAL] = max(-sustainable, min(top - sustainable, integral))
    term = scale(gain, abs(error), 100)
    power = sustainable + (term if error >= 0 else -term) + f[f_.INTEGRAL]
    return max(0, min(top, power))


def trip(f: "array[int]", v: "array[int]") -> int:
    # 1 from the trip temperature down to its exit, whatever the allocator says.
    if f[f_.TRIPPED]:
        return 0 if f[f_.ACCELERATOR_CK] <= v[d.P_TEMP_TRIP_EXIT] else 1
    return 1 if f[f_.ACCELERATOR_CK] >= v[d.P_TEMP_TRIP] else 0


def operating_point(v: "array[int]", power_pw: int) -> int:
    # The fastest point within the power; point 0 is idle, and so is one without a clock.
    point = 0
    clock_khz = 0
    for i in range(1, v[d.P_OP_COUNT]):
        if v[d.P_OP_PW + i] <= power_pw and v[d.P_OP_CLOCK_KHZ + i] > clock_khz:
            point = i
            clock_khz = v[d.P_OP_CLOCK_KHZ + i]
    return point
