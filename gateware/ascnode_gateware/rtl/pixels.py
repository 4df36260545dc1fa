"""The pixel streamer: walks a pass's rows and columns, a word a cycle, and says what each word is for."""

from dataclasses import dataclass

from pyrtl import Register, WireVector, concat, select

from ascnode_gateware.rtl.cells import delayed, flag, keep, low
from ascnode_gateware.rtl.config import JobConfig
from ascnode_gateware.rtl.passes import Pass


@dataclass(frozen=True)
class Word:
    """Of the word that is issued: `load` takes the block that waits, `output` completes a pixel."""

    load: WireVector  # the pass's first
    padding: WireVector
    output: WireVector
    pass_end: WireVector
    group_end: WireVector  # the output group is complete


@dataclass(frozen=True)
class Pixels:
    active: WireVector
    request: WireVector  # would issue, if the bank is free
    address: Register  # 15
    finishing: WireVector  # its last word is issued now
    word: Word


def pixels(
    config: JobConfig,
    upcoming: Pass,
    take: WireVector,
    issued: WireVector,
    may: WireVector,
    clear: WireVector,
) -> Pixels:
    """`take` (1) loads `upcoming`; `may` (1) is the throttle, `issued` that the word went out.

    Padding waits for its bank too: what it read is thrown away, and the comparisons stay out of the arbitration.
    """
    active = Register(1, "pixels_active")
    address, ix, iy = Register(15, "pixels_address"), Register(10, "pixels_ix"), Register(10, "pixels_iy")
    col, row, phase = Register(10, "pixels_col"), Register(9, "pixels_row"), Register(3, "pixels_phase")
    row_ix = Register(10, "pixels_row_ix")
    row_end = col == config["cols_less_1"]
    pass_end = row_end & (row == config["rows_less_1"])
    finishing = issued & pass_end
    keep(active, (clear, 0), (take, 1), (finishing, 0))
    step = select(row_end, config["d_row"], config["d_col"])
    keep(address, (take, upcoming.address), (issued, concat(address[14], low(address[:14] + step, 14))))
    keep(row_ix, (take, upcoming.ix))
    keep(ix, (take, upcoming.ix), (issued, select(row_end, row_ix, low(ix + config["sx"], 10))))
    keep(iy, (take, upcoming.iy), (issued & row_end, low(iy + config["sy"], 10)))
    keep(col, (take, 0), (issued, select(row_end, 0, low(col + 1, 10))))
    keep(row, (take, 0), (issued & row_end, low(row + 1, 9)))
    output = phase == 0
    following = select(output, config["period"], low(phase - 1, 3))
    keep(phase, (take | (issued & row_end), config["prime"]), (issued, following))
    inside = (ix < config["width"]) & (iy < config["height"])
    word = Word(
        load=flag("pixels_load", rises=take, falls=clear | (issued & ~take)),
        padding=~inside,
        output=output,
        pass_end=pass_end,
        group_end=pass_end & delayed(upcoming.last, "pixels_group_last", take),
    )
    return Pixels(active, active & may, address, finishing, word)
