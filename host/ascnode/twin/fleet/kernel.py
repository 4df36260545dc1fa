"""The fleet's kernels: one step of a block of nodes, in float32 or float64.

What keeps them fast, as their assembly shows: conditional expressions instead of min() and max(); constants of the
arrays' own type, since a literal is a float64; scalars in locals and slices of one block, so that LLVM tells them
apart from what is written; no chain of comparisons of one integer, which becomes a switch; and three short loops
rather than one, whose chain of dependent instructions would be too long to overlap with the next. No fastmath: the
same bytes on every vector width. All of it stands in one file, because numba's cache watches no other.
"""

import llvmlite.binding
import numba
import numpy as np
import numpy.typing as npt

from ascnode.twin.fleet.rows import Bytes, Real, Reals, Row, Rows, State

# A loop has up to 18 slices, half of them written: LLVM gives up above 8 and 128 checks that they do not overlap.
for _option in ("runtime-memory-check-threshold", "vectorize-memory-check-threshold"):
    llvmlite.binding.set_option("ascnode", f"-{_option}=1024")

# Share of a disc beyond a chord at distance y from its centre, (acos y - y sqrt(1 - y^2)) / pi, over (1 - y)^1.5:
# least squares in 1 - y, good to 2e-7 of the disc.
_S0, _S1, _S2, _S3, _S4 = 0.60019171, -0.089821346, -0.0088249203, -0.00028721697, -0.0012580390
# 2^x for x within -0.25..0.42: least squares; its 16th power is good to 1e-6.
_E0, _E1, _E2, _E3, _E4, _E5 = 1.0, 0.6931473, 0.24022631, 0.05549739, 0.00962855, 0.00141203

# Leakage doubles every 25 K from 25 C (ascnode.scenario.hardware); temperatures are held where the plant holds them.
_DOUBLING_K = 25.0
_REFERENCE_K = 298.15
_LN2 = 0.6931471805599453
_COLDEST_K = 205.0
_HOTTEST_K = 465.0

BLOCK = 1024  # nodes that one thread takes at a time: their scratch arrays stay in its fastest cache

_inline = numba.njit(forceinline=True, error_model="numpy")
_loop = numba.njit(nogil=True, error_model="numpy", cache=True)
_threads = numba.njit(nogil=True, error_model="numpy", cache=True, parallel=True)


@_inline
def _positive(x: Real, real: Real) -> Real:
    return x if x > real(0) else real(0)


@_inline
def _lit(cosine: Real, cos_edge: Real, sin_edge: Real, per_sun: Real, real: Real) -> Real:
    # Visible share of the Sun's disc over a straight limb, from the cosine of the angle between satellite and Sun.
    sine = np.sqrt(_positive(real(1) - cosine * cosine, real))
    x = (sine * cos_edge - cosine * sin_edge) * per_sun
    y = x if x > real(0) else -x
    t = _positive(real(1) - y, real)
    hidden = (
        t * np.sqrt(t) * (real(_S0) + t * (real(_S1) + t * (real(_S2) + t * (real(_S3) + t * real(_S4)))))
    )
    return hidden if x > real(0) else real(1) - hidden


@_inline
def _leakage_w(at_25_c_w: Real, accel_k: Real, real: Real) -> Real:
    x = (accel_k - real(_REFERENCE_K)) * real(1 / (16 * _DOUBLING_K))
    p = real(_E3) + x * (real(_E4) + x * real(_E5))
    p = real(_E0) + x * (real(_E1) + x * (real(_E2) + x * p))
    p *= p
    p *= p
    p *= p
    p *= p
    return at_25_c_w * p


@_inline
def _held(kelvin: Real, real: Real) -> Real:
    kelvin = kelvin if kelvin > real(_COLDEST_K) else real(_COLDEST_K)
    return kelvin if kelvin < real(_HOTTEST_K) else real(_HOTTEST_K)


@_inline
def _reckoned_j(net_w: Real, seconds: Real, real: Real) -> Real:
    # What the flight software expects a net power to bring or take (flight/power.py): a 32nd goes as heat either way.
    return net_w * seconds * (real(31 / 32) if net_w >= real(0) else real(33 / 32))


@_inline
def _ahead(since: Real, lit_turns: Real, period_s: Real, hour_s: Real, real: Real) -> tuple[Real, Real]:
    # Seconds of light until the next eclipse, and until its end; since: turns from the end of the last one.
    since = since - real(1) if since >= real(1) else since
    light_s = _positive(lit_turns - since, real) * period_s + hour_s
    return light_s, (real(1) - since) * period_s + hour_s


@_inline
def _spare_j(
    charge: Real,
    reserve: Real,
    known_j: Real,
    array_w: Real,
    bus_w: Real,
    light_s: Real,
    seconds: Real,
    real: Real,
) -> Real:
    # Energy above the reserve at the end of the next eclipse, were there no load but the bus (flight/power.py).
    spare_j = known_j * (charge - reserve) + _reckoned_j(array_w - bus_w, light_s, real)
    return spare_j + _reckoned_j(-bus_w, seconds - light_s, real)


@_loop
def _light(
    o: Row,
    k: Row,
    cosines: Reals,
    sines: Reals,
    left: Reals,
    worn: Reals,
    array: Reals,
    absorbed: Reals,
) -> None:
    """Array power, and what the radiator takes from Sun and albedo (W)."""
    real = array.dtype.type
    cos_slot0, cos_ahead = o.cos_slot0, o.cos_ahead
    cos_edge, sin_edge, per_sun = o.cos_edge, o.sin_edge, o.per_sun
    array_w, array_0, array_1 = k.array_w, k.array_0, k.array_1
    sun_w, sun_worn_w, albedo = k.sun_w, k.sun_worn_w, k.albedo_share
    face_0, face_1 = k.face_0, k.face_1
    for i in range(len(array)):
        cosine = cos_slot0 * cosines[i] + cos_ahead * sines[i]
        lit = _lit(cosine, cos_edge, sin_edge, per_sun, real)
        array[i] = array_w * left[i] * lit * _positive(array_0 + array_1 * cosine, real)
        sun = lit * _positive(face_0 + face_1 * cosine, real) + albedo * _positive(cosine, real)
        absorbed[i] = (sun_w + worn[i] * sun_worn_w) * sun


@_loop
def _decide(
    h: Real,
    o: Row,
    k: Row,
    turns: Reals,
    faded: Reals,
    energy: Reals,
    accel: Reals,
    array: Reals,
    demand: Reals,
    radio: Reals,
    hold: Bytes,
    shed: Bytes,
    tripped: Bytes,
    point: Bytes,
    integral: Reals,
    queue: Reals,
    load: Reals,
    accel_w: Reals,
    leak_w: Reals,
) -> None:
    """The flight software: what is shed, the operating point, the work done in it and the power it takes."""
    real = array.dtype.type
    zero, one, none = real(0), real(1), np.uint8(0)
    since, lit_turns, period_s, hour_s = o.since_turns, o.lit_turns, o.period_s, o.hour_s
    capacity_j, known_j, bus_w, known_bus_w = k.capacity_j, k.known_capacity_j, k.bus_w, k.known_bus_w
    half_count_w = k.half_count_w
    safe, safe_exit, low, low_exit, reserve = k.safe, k.safe_exit, k.low, k.low_exit, k.reserve
    target, trip, trip_exit, cutoff = k.target_k, k.trip_k, k.trip_exit_k, k.cutoff_k
    sustainable, top, over, under, ki = (
        k.sustainable_w,
        k.top_w,
        k.over_w_k,
        k.under_w_k,
        k.integral_w_k_s * h,
    )
    cap_w, idle_w, leak_0 = k.cap_w, k.idle_w, k.leakage_w
    radio_w = k.radio_w if cap_w >= known_bus_w + k.radio_w else zero
    control_s, per_control, per_h = k.control_s, one / k.control_s, one / h
    w1, w2, w3, w4, w5, w6, w7 = k.w1, k.w2, k.w3, k.w4, k.w5, k.w6, k.w7
    c1, c2, c3, c4, c5, c6, c7 = k.khz1, k.khz2, k.khz3, k.khz4, k.khz5, k.khz6, k.khz7
    for i in range(len(array)):
        # Power manager: load shed with hysteresis, and the mean power that lasts through the next eclipse.
        charge = energy[i] / (capacity_j * faded[i])
        level = shed[i]
        all_but_beacon = (charge < safe) | ((level > 1) & (charge < safe_exit))
        accelerator = (charge < low) | ((level > 0) & (charge < low_exit))
        level = np.uint8(2) if all_but_beacon else (np.uint8(1) if accelerator else none)
        level = level if level > hold[i] else hold[i]
        light_s, seconds = _ahead(since + turns[i], lit_turns, period_s, hour_s, real)
        spare_j = _spare_j(
            charge, reserve, known_j, array[i] - half_count_w, known_bus_w, light_s, seconds, real
        )
        power = _positive(spare_j, real) / seconds
        # Thermal governor: a proportional-integral budget, and a hard trip.
        kelvin = accel[i]
        hot = none if kelvin <= trip_exit else tripped[i]
        hot = np.uint8(1) if kelvin >= trip else hot
        waiting = queue[i] + demand[i] * h
        error = target - kelvin
        moved = integral[i] + ki * error
        moved = moved if moved > -sustainable else -sustainable
        moved = moved if moved < top - sustainable else top - sustainable
        moved = moved if (error < cutoff) & (waiting > zero) else integral[i]
        allowed = sustainable + error * (over if error < zero else under) + moved
        # Operating point: the fastest within what battery, cap and heat leave.
        leak = _leakage_w(leak_0, kelvin, real)
        extra_w = radio_w * radio[i]
        # The node's own estimate of the leakage, for a period that is up to 2 K warmer, is a tenth above.
        room = _positive(cap_w - extra_w - known_bus_w - real(1.1) * leak, real)
        power = room if room < power else power
        power = allowed if allowed < power else power
        power = power if (level == 0) & (hot == 0) & (waiting > zero) else -one
        op, khz, op_w = none, zero, zero
        op, khz, op_w = (np.uint8(1), c1, w1) if w1 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(2), c2, w2) if w2 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(3), c3, w3) if w3 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(4), c4, w4) if w4 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(5), c5, w5) if w5 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(6), c6, w6) if w6 <= power else (op, khz, op_w)
        op, khz, op_w = (np.uint8(7), c7, w7) if w7 <= power else (op, khz, op_w)
        # Work: the accelerator is on for the control periods in which there is some, all of them while more arrives.
        worked = khz * h
        worked = worked if worked < waiting else waiting
        busy_s = worked / (khz if khz > zero else one)
        on_s = np.ceil(busy_s * per_control) * control_s
        on_s = on_s if (on_s < h) & (demand[i] == zero) else h
        on_s = on_s if khz > zero else zero
        leak *= on_s * per_h
        drawn = (idle_w * on_s + _positive(op_w - idle_w, real) * busy_s) * per_h + leak
        shed[i] = level
        tripped[i] = hot
        point[i] = op
        integral[i] = moved
        queue[i] = waiting - worked
        accel_w[i] = drawn
        leak_w[i] = leak
        load[i] = bus_w + extra_w + drawn


@_loop
def _obey(
    k: Row,
    accel: Reals,
    accel_on: Reals,
    dynamic: Reals,
    extra: Reals,
    load: Reals,
    accel_w: Reals,
    leak_w: Reals,
) -> None:
    """A prescribed load in place of the flight software."""
    real = load.dtype.type
    bus_w, leak_0 = k.bus_w, k.leakage_w
    for i in range(len(load)):
        leak = _leakage_w(leak_0, accel[i], real) * accel_on[i]
        drawn = dynamic[i] * accel_on[i] + leak
        accel_w[i] = drawn
        leak_w[i] = leak
        load[i] = bus_w + extra[i] + drawn


@_loop
def _integrate(
    h: Real,
    k: Row,
    faded: Reals,
    worn: Reals,
    array: Reals,
    load: Reals,
    absorbed: Reals,
    accel_w: Reals,
    leak_w: Reals,
    energy: Reals,
    shunted: Reals,
    unserved: Reals,
    accel: Reals,
    radiator: Reals,
) -> None:
    """Battery, exact for constant powers; both heat nodes by one linearly implicit trapezoidal step."""
    real = array.dtype.type
    one, half, four = real(1), real(0.5), real(4)
    capacity_j, eta_charge, per_discharge = k.capacity_j, k.eta_charge, k.per_eta_discharge
    steady_w, bus_w, emit, emit_worn = (
        k.bus_heat_w + k.infrared_w,
        k.bus_w,
        k.emission_w_k4,
        k.emission_worn_w_k4,
    )
    infrared_worn = k.infrared_worn_w
    conduct, per_ca, per_cr = k.conductance_w_k, h * k.per_accel_j_k, h * k.per_radiator_j_k
    slope = real(_LN2 / _DOUBLING_K)
    for i in range(len(array)):
        net_j = (array[i] - load[i]) * h
        stored = energy[i] + net_j * (eta_charge if net_j >= real(0) else per_discharge)
        over = _positive(stored - capacity_j * faded[i], real)
        below = _positive(-stored, real)
        energy[i] = stored - over + below
        shunted[i] += over
        unserved[i] += below
        # (1 - h/2 J) d = h f, solved by Cramer's rule; f the rates at the start, J their derivatives.
        hot, cold = accel[i], radiator[i]
        conducted = conduct * (hot - cold)
        cube = (emit + worn[i] * emit_worn) * cold * cold * cold
        extra_w = load[i] - accel_w[i] - bus_w
        other_w = steady_w + worn[i] * infrared_worn + absorbed[i] + extra_w
        fa = per_ca * (accel_w[i] - conducted)
        fr = per_cr * (other_w + conducted - cube * cold)
        ga, gr = half * per_ca, half * per_cr
        aa = one + ga * (conduct - leak_w[i] * slope)
        rr = one + gr * (conduct + four * cube)
        ar, ra = ga * conduct, gr * conduct
        per_determinant = one / (aa * rr - ar * ra)
        accel[i] = _held(hot + (rr * fa + ar * fr) * per_determinant, real)
        radiator[i] = _held(cold + (ra * fa + aa * fr) * per_determinant, real)


@_loop
def _step_block(closed: bool, h: Real, o: Row, k: Row, a: int, b: int, c: int, e: int, s: State) -> Reals:
    # Nodes a..b, of one plane and one class, in slots c..e of the tables; returns their array power.
    scratch = np.empty((4, b - a), s.energy_j.dtype)
    absorbed, accel_w, leak_w, array = scratch[0], scratch[1], scratch[2], scratch[3]
    load, energy, accel = s.load_w[a:b], s.energy_j[a:b], s.accelerator_k[a:b]
    faded, worn = s.capacity_left[a:b], s.coating_worn[a:b]
    _light(o, k, s.cosines[c:e], s.sines[c:e], s.array_left[a:b], worn, array, absorbed)
    if closed:
        demand, radio, hold, shed = s.demand_kc_s[a:b], s.radio_share[a:b], s.hold[a:b], s.shed[a:b]
        tripped, point, integral = s.tripped[a:b], s.point[a:b], s.integral_w[a:b]
        queue = s.queue_kc[a:b]
        _decide(
            *(h, o, k, s.turns[c:e], faded, energy, accel, array, demand, radio, hold),
            *(shed, tripped, point, integral, queue, load, accel_w, leak_w),
        )
    else:
        on, dynamic, extra = s.prescribed_on[a:b], s.prescribed_w[a:b], s.prescribed_extra_w[a:b]
        _obey(k, accel, on, dynamic, extra, load, accel_w, leak_w)
    shunted, unserved, radiator = s.shunted_j[a:b], s.unserved_j[a:b], s.radiator_k[a:b]
    _integrate(
        *(h, k, faded, worn, array, load, absorbed, accel_w, leak_w),
        *(energy, shunted, unserved, accel, radiator),
    )
    return array  # type: ignore[no-any-return]


Blocks = npt.NDArray[np.int64]  # (blocks, 6): nodes from, to; slots of the tables from, to; plane; class


@_loop
def step(closed: bool, h: Real, planes: Rows, classes: Rows, blocks: Blocks, s: State) -> None:
    """One step of h seconds, closed loop or with the prescribed load, in the calling thread."""
    for i in range(len(blocks)):
        block = blocks[i]
        a, b, c, e, p, q = block[0], block[1], block[2], block[3], block[4], block[5]
        _step_block(closed, h, planes[p], classes[q], a, b, c, e, s)


@_threads
def step_in_threads(closed: bool, h: Real, planes: Rows, classes: Rows, blocks: Blocks, s: State) -> None:
    """The same on all of numba's threads; blocks do not depend on each other, so the bytes are the same."""
    for i in numba.prange(len(blocks)):
        block = blocks[i]
        a, b, c, e, p, q = block[0], block[1], block[2], block[3], block[4], block[5]
        _step_block(closed, h, planes[p], classes[q], a, b, c, e, s)


@_loop
def fly_one(h: Real, parts: int, rows: Rows, classes: Rows, blocks: Blocks, s: State, record: Reals) -> None:
    """Steps of one node under its prescribed load, with a plane's row for each part of a step.

    record (steps, 5): array and load power in the last part, energy and both temperatures at the end.
    """
    for i in range(len(rows)):
        array = _step_block(False, h, rows[i], classes[0], 0, 1, blocks[0, 2], blocks[0, 3], s)
        out = record[i // parts]
        out[0], out[1], out[2] = array[0], s.load_w[0], s.energy_j[0]
        out[3], out[4] = s.accelerator_k[0], s.radiator_k[0]


@_loop
def array_power(planes: Rows, classes: Rows, blocks: Blocks, s: State, array_w: Reals) -> None:
    """Array power of each node, W."""
    for i in range(len(blocks)):
        block = blocks[i]
        a, b, c, e, p, q = block[0], block[1], block[2], block[3], block[4], block[5]
        worn, absorbed = s.coating_worn[a:b], np.empty(b - a, array_w.dtype)
        left, array = s.array_left[a:b], array_w[a:b]
        _light(planes[p], classes[q], s.cosines[c:e], s.sines[c:e], left, worn, array, absorbed)


@_loop
def spare_energy(
    planes: Rows, classes: Rows, blocks: Blocks, s: State, array_w: Reals, spare_j: Reals
) -> None:
    """Energy of each node above its reserve at the end of the next eclipse, were there no load but the bus, J."""
    real = spare_j.dtype.type
    for i in range(len(blocks)):
        block = blocks[i]
        a, b, c, p, q = block[0], block[1], block[2], block[4], block[5]
        o, k = planes[p], classes[q]
        for node in range(a, b):
            since = o.since_turns + s.turns[c + node - a]
            light_s, seconds = _ahead(since, o.lit_turns, o.period_s, o.hour_s, real)
            charge = s.energy_j[node] / (k.capacity_j * s.capacity_left[node])
            spare_j[node] = _spare_j(
                *(charge, k.reserve, k.known_capacity_j, array_w[node] - k.half_count_w, k.known_bus_w),
                *(light_s, seconds, real),
            )
