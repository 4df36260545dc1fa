"""The header's layout, against the table in docs/accelerator.md, and the parameter words."""

import re
from pathlib import Path

import pytest

from ascnode_gateware.program.job import FIELDS, Job, Opcode, unpack
from ascnode_gateware.program.parameters import Channel, recode, unpack_digits

CONTRACT = Path(__file__).resolve().parents[3] / "docs" / "accelerator.md"
_NAMES = {"cols-1": "cols_less_1", "rows-1": "rows_less_1"}


def _documented() -> dict[str, tuple[int, int, int]]:
    """(word, low, width) by field, out of the contract's table."""
    text = CONTRACT.read_text(encoding="utf-8").split("## Job")[1].split("##")[0]
    found, word = {}, 0
    for row in re.findall(r"^\| *(\d*) *\| ([\d, -]+) \| ([^|]+) \|", text, re.MULTILINE):
        word = int(row[0]) if row[0] else word
        for bits, name in zip(row[1].split(","), row[2].split(","), strict=True):
            low, _, high = bits.strip().partition("-")
            plain = re.sub(r"^(n_\w+)-1$", r"\1_less_1", name.strip())
            width = int(high or low) - int(low) + 1
            found[_NAMES.get(plain, plain)] = (word, int(low), width)
    return found


def test_every_field_lies_where_the_contract_says() -> None:
    assert {name: (f.word, f.low, f.width) for name, f in FIELDS.items()} == _documented()


def test_no_two_fields_overlap() -> None:
    taken = [(f.word, bit) for f in FIELDS.values() for bit in range(f.low, f.low + f.width)]
    assert len(taken) == len(set(taken))


def test_a_header_packs_as_written_by_hand() -> None:
    job = Job(
        dw=1, add=1, prime=3, period=1, pad=-128, input=0x4123, weights=0x2345, d_col=2, d_row=-3, ix0=-1,
        iy0=-2, sx=1, sy=2, kx_inc=3, ky_inc=4,
    )  # fmt: skip
    words = job.pack()
    assert words[0] == 0x00801325
    assert words[1] == 0x23454123
    assert words[4] == 0x3FFD0002
    assert words[7] == 0x8D1FFBFF  # ky_inc 4, kx_inc 3, sy 2, sx 1, iy0 0x3fe, ix0 0x3ff
    assert len(words) == 12


def test_end_is_one_word() -> None:
    assert Job(Opcode.END).pack() == [0x0]
    assert unpack([0]).opcode == Opcode.END


def test_signed_fields_come_back_signed() -> None:
    job = Job(d_col=-1, d_row=-8192, ix0=-512, iy0=511, pad=-128, d_ocg=8191, n_icg_less_1=511, out_step=511)
    assert unpack(job.pack()) == job


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"d_col": -8193}, "d_col is -8193, outside -8192..16383"),
        ({"out_step": 512}, "out_step is 512, outside 0..511"),
        ({"prime": -1}, "prime is -1, outside 0..7"),
        ({"weights": 0x8000}, "weights is 32768, outside 0..32767"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Job(**fields).pack()


@pytest.mark.parametrize(
    ("multiplier", "digits"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 0b0111),
        (6, 0b0110),
        (7, 0b1011),
        (2**30, 1 << 30),
        (2**31 - 1, 0x80000003),
    ],
)
def test_multipliers_recode_to_the_digits_of_the_contract(multiplier: int, digits: int) -> None:
    assert recode(multiplier) == digits
    assert unpack_digits(digits) == multiplier


def test_recoding_keeps_every_value_it_takes() -> None:
    for multiplier in range(0, 2**31, 104_729):
        assert unpack_digits(recode(multiplier)) == multiplier


@pytest.mark.parametrize("multiplier", [-1, 2**31])
def test_other_multipliers_are_refused(multiplier: int) -> None:
    with pytest.raises(ValueError, match="is outside 0"):
        recode(multiplier)


def test_a_channel_packs_as_written_by_hand() -> None:
    right = Channel(bias=-2, multiplier=2**30, shift=-9, zero_point=-3, low=-128, high=126)
    assert right.pack() == (0xFFFFFFFE, 0x40000000, 0x7E80FD09)
    left = Channel(bias=0x12345678, multiplier=5, shift=7, zero_point=1, low=2, high=3)
    assert left.pack() == (0x12345678, 0b0101, 0x03020127)
