"""Rescaling of a 32-bit sum to int8, as TFLite Micro rounds it twice, with no multiplier block.

x * m is summed from the multiplier's radix-4 digits (program.parameters.recode), eight in a cycle: low eight,
then high eight. (S_high + (S_low + 2^30 >> 16)) >> 15 equals (x * m + 2^30) >> 31, since S_high * 2^16 has no low bits.
"""

from pyrtl import Const, Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import bytes_of, delayed, joined, low, signed

_SUM_BITS = 48  # |x * eight digits| <= 2^31 * 43690, plus 2^30


def product(x: WireVector, half: WireVector, high: WireVector, enable: WireVector, name: str) -> Register:
    """x (32, signed) * digits: present x for two enabled cycles, `high` 0 then 1, with that `half` (16) of the digits.
    `high` changes in every enabled cycle.

    After the next, bits 15..46 of the register are (x * m + 2^30) >> 31. About 650 LC: 8 digit selectors of 33,
    adders of 4 x 34 + 2 x 36 + 40 + 48.
    """
    total = Register(_SUM_BITS, name)
    fours = [delayed(four, f"{name}_of_{j}", enable) for j, four in enumerate(_sums_of_four(x, half))]
    # -x is ~x + 1: the ones of all sixteen digits go in here, as does the rounding half. The highest is never -1.
    negative = joined([half[at] & half[at + 1] for at in range(0, 16, 2)])
    ones = concat(negative[:7], delayed(negative, f"{name}_ones", enable))
    first = concat(Const(1, 2), joined([concat(Const(0, 1), one) for one in ones]))
    carried = select(high, first.zero_extended(_SUM_BITS), signed(total[16:], _SUM_BITS))
    sums = _add_shifted(fours[0], fours[1], 8, _SUM_BITS)
    total.next <<= select(enable, low(sums + carried, _SUM_BITS), total)
    return total


def _sums_of_four(x: WireVector, half: WireVector) -> list[WireVector]:
    """Sums of digit j * x * 4^j, with ~x for -x, of the lower and the upper four digits (40 each)."""
    terms = [_term(x, half[at : at + 2]) for at in range(0, 16, 2)]
    pairs = [_add_shifted(terms[j], terms[j + 1], 2, 36) for j in range(0, 8, 2)]
    return [_add_shifted(pairs[j], pairs[j + 1], 4, 40) for j in (0, 2)]


def _term(x: WireVector, digit: WireVector) -> WireVector:
    """0, x, 2x or ~x (33 bits): one look-up a bit, of x[i], x[i-1] and the digit."""
    single = signed(x, 33)
    double = concat(x, Const(0, 1))
    return select(digit[1], select(digit[0], ~single, double), select(digit[0], single, Const(0, 33)))


def _add_shifted(a: WireVector, b: WireVector, shift: int, width: int) -> WireVector:
    """a + (b << shift), signed: the low bits need no adder."""
    above = width - shift
    return concat(low(signed(a[shift:], above) + signed(b, above), above), a[:shift])


def rounded(value: WireVector, right: WireVector) -> tuple[WireVector, WireVector]:
    """value (32, signed) >> right (5): (the quotient held within -256..255 (9), whether 1 is to be added (1)).

    To nearest, halves away from zero. A stage shifts by 16, 8, 4, 2, 1: bits that fall out below the rounding bit are
    gathered in `sticky`, bits above what later stages can bring down in `over`.
    """
    sign = value[31]
    bits = concat(value, Const(0, 1))  # bit 0 will be the rounding bit
    sticky: WireVector = Const(0, 1)
    over: WireVector = Const(0, 1)
    for stage in (4, 3, 2, 1, 0):
        step, shift = 1 << stage, right[stage]
        sticky = sticky | (shift & _any(bits[:step]))
        width = 9 + step  # what can still matter: nine bits, the rounding bit, and the shifts to come
        shifted = select(shift, signed(bits[step:], len(bits)), bits)
        over = over | _differs(shifted[width - 1 :], sign)
        bits = shifted[:width]
    limit = concat(sign, *[~sign] * 8)
    return select(over, limit, bits[1:]), bits[0] & (~sign | sticky)


def _any(bits: WireVector) -> WireVector:
    result = bits[0]
    for bit in list(bits)[1:]:
        result = result | bit
    return result


def _differs(bits: WireVector, sign: WireVector) -> WireVector:
    return _any(bits ^ joined([sign] * len(bits)))


def clamped(
    quotient: WireVector, carry: WireVector, zero_point: WireVector, bounds: WireVector
) -> WireVector:
    """quotient (9) + carry (1) + zero point (8), held between the bytes of bounds (16: lowest, highest); 8 bits."""
    # One bit below makes the carry part of the same chain of adders.
    total = (signed(concat(quotient, Const(1, 1)), 11) + signed(concat(zero_point, carry), 11))[1:11]
    lowest, highest = (signed(byte, 10) for byte in bytes_of(bounds))
    below, above = _less(total, lowest), _less(highest, total)
    return select(below, bounds[:8], select(above, bounds[8:], total[:8]))


def _less(a: WireVector, b: WireVector) -> WireVector:
    """Signed a < b of equal widths: the sign of the difference, which has a bit to spare."""
    width = len(a) + 1
    difference: WireVector = (signed(a, width) - signed(b, width))[width - 1]
    return difference
