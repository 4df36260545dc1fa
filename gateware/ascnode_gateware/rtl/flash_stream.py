"""The flash streamer: blocks from the FPGA's quad SPI flash to the stream ring. docs/accelerator-flash.md tells how."""

from dataclasses import dataclass

from pyrtl import Const, Input, Register, WireVector, concat, select

from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.rtl.cells import delayed, flag, keep, low
from ascnode_gateware.rtl.flash_crc import crc_after, start_value
from ascnode_gateware.rtl.flash_phase import Ends, Phase, driven
from ascnode_gateware.rtl.flash_shift import (
    READ_ID,
    READ_STATUS_2,
    DataPath,
    Strobes,
    block_address,
    data_path,
    sampled,
)
from ascnode_gateware.rtl.loaded_counter import loaded_counter
from ascnode_gateware.rtl.spi_port import module_verilog, output

RETRIES = 3  # of a block, then error 3
DEADLINE_BITS = 20  # a grant is waited for for 2^19 cycles, 21.8 ms at 24 MHz
CAPACITY_CODE = 1  # high nibble of the JEDEC capacity byte, which is 0x14 to 0x18 for 1 to 16 MiB


@dataclass(frozen=True)
class Order:
    """start, abort: pulses. Held while busy: enable, address (24, of block 0, in bytes), blocks (16), sample_delay
    (2, at most 2)."""

    start: WireVector
    abort: WireVector
    enable: WireVector
    address: WireVector
    blocks: WireVector
    sample_delay: WireVector


@dataclass(frozen=True)
class FlashStream:
    """Towards the board: request; driven (1: CS and SCK pins are ours), cs_n, sck_en, o (4), oe (4). Towards the
    ring: valid, data (32), commit, restart. Towards the registers: busy, error (3), crc_error (pulse)."""

    request: WireVector
    driven: WireVector
    cs_n: WireVector
    sck_en: WireVector
    o: WireVector
    oe: WireVector
    valid: WireVector
    data: WireVector
    commit: WireVector
    restart: WireVector
    busy: WireVector
    error: WireVector
    crc_error: WireVector


@dataclass(frozen=True)
class _Verdict:
    """Of a block, for one cycle."""

    right: WireVector
    wrong: WireVector


def flash_stream(
    order: Order,
    grant: WireVector,
    flash_i: WireVector,
    fill_ready: WireVector,
    reset: WireVector,
    deadline_bits: int = DEADLINE_BITS,
) -> FlashStream:
    """grant (1): the board lets us drive the flash's pins, any clock; flash_i: 4; fill_ready (1) takes the word.

    `start` begins at block 0; it clears the error, and does nothing else with 0 blocks, nothing while busy. A word
    goes every 8 cycles; SCK stands still while one waits for fill_ready. `commit` and `restart` are pulses, never
    with `valid`: the 64 words since the last commit were right, or must be forgotten. A wrong block pulses crc_error
    and is read again; error 3 when its 4th attempt is wrong. A grant that ends costs the block under way and is
    asked for again. Error 4: no grant in 2^(deadline_bits - 1) cycles, no flash, or its quad mode is off. `abort`,
    or enable at 0, ends the stream. Waiting for fill_ready alone has no deadline here: the engine has it.
    """
    phase = Phase(deadline_bits)
    granted = delayed(delayed(grant, "flash_grant_1"), "flash_grant_2")
    stop = reset | order.abort | ~order.enable
    left = stop | (phase.active & ~granted)
    sck_en, valid = Register(1, "flash_clocks"), Register(1, "flash_valid")
    left_over = Register(16, "flash_left_over")
    captures = sampled(sck_en, order.sample_delay)
    arrives = captures & phase.data
    word = delayed(arrives & (phase.count[:3] == 7) & ~phase.count[9], "flash_word_complete")
    strobes = Strobes(
        load=phase.load & ~phase.count[0],
        take=word | phase.load,
        shift=phase.command & sck_en,
        capture=captures,
    )
    commit = WireVector(1, "flash_commits")
    path = data_path(strobes, flash_i, phase.step, block_address(order.address, phase.idle, commit))
    verdict = _verdict(phase, arrives, path.nibbles, left)
    valid.next <<= phase.data & ~left & (word | (valid & ~fill_ready))
    sck_en.next <<= phase.pulses | (phase.data & (~valid | _has_space(phase.count)))
    loaded_counter(left_over, phase.idle, ~order.blocks, verdict.right)
    commit <<= delayed(verdict.right, "flash_commit")
    complete = left_over == 0xFFFF
    given_up, unusable = _given_up(phase, verdict), _unusable(phase, path, granted)
    over = stop | given_up | unusable | (commit & complete)
    begins = order.start & phase.idle
    phase.follow(begins & ~complete, granted, Ends(over, left, verdict.wrong), arrives)
    ours = driven(phase)
    return FlashStream(
        request=delayed(~phase.idle | ours, "flash_asks"),
        driven=ours,
        cs_n=delayed(~(phase.command | phase.data), "flash_deselects"),
        sck_en=sck_en,
        o=concat(Const(0b110, 3), path.word[31]),
        oe=_enables(phase),
        valid=valid,
        data=path.word,
        commit=commit,
        restart=delayed((~phase.idle & left) | verdict.wrong, "flash_restart"),
        busy=~phase.idle,
        error=_error(begins | reset, given_up & ~left, unusable & ~stop),
        crc_error=delayed(verdict.wrong, "flash_crc_error"),
    )


def _has_space(count: WireVector) -> WireVector:
    """At most 2 nibbles of the next word are there; 4 may be under way, and this pulse brings the last but one."""
    return ~count[2] & ~(count[1] & count[0])


def _verdict(phase: Phase, arrives: WireVector, nibbles: WireVector, left: WireVector) -> _Verdict:
    """A nibble behind the block: of a byte the high nibble comes first, but the CRC wants it last, so it is taken
    when the next byte begins. That is why a block's CRC is known with the first nibble of the next one."""
    there = delayed(arrives, "flash_there")
    ended = delayed(arrives & phase.block_ends, "flash_block_ended")
    begun, pending = Register(1, "flash_begun"), Register(1, "flash_pending")
    begun.next <<= phase.data & (begun | there)
    pending.next <<= phase.data & (ended | (pending & ~there))
    crc = Register(32, "flash_crc")
    nibble = select(phase.count[0], nibbles[8:12], nibbles[:4])
    keep(crc, (~begun, start_value()), (there, crc_after(crc, nibble)))
    decided = delayed(delayed(there & pending, "flash_checked"), "flash_decided") & phase.data & ~left
    same = delayed(crc == start_value(), "flash_same")
    return _Verdict(decided & same, decided & ~same)


def _given_up(phase: Phase, verdict: _Verdict) -> WireVector:
    retries = Register(2, "flash_retries")
    keep(retries, (phase.idle | verdict.right, 0), (verdict.wrong, low(retries + 1, 2)))
    return verdict.wrong & (retries == RETRIES)


def _unusable(phase: Phase, path: DataPath, granted: WireVector) -> WireVector:
    absent = phase.sends(READ_ID) & (path.capacity_code != CAPACITY_CODE)
    single = phase.sends(READ_STATUS_2) & ~path.quad_enabled
    return (phase.rested & (absent | single)) | (phase.expired & ~granted)


def _enables(phase: Phase) -> WireVector:
    """IO0 carries commands; IO2 and IO3 are high meanwhile, so that they neither protect nor hold a flash whose quad
    mode is off. All are free from the first dummy on."""
    command = delayed(phase.command & ~phase.count[5], "flash_commands")
    return concat(command, command, Const(0, 1), command)


def _error(clear: WireVector, given_up: WireVector, unusable: WireVector) -> WireVector:
    crc = flag("flash_given_up", rises=given_up, falls=clear)
    flash = flag("flash_unusable", rises=unusable, falls=clear)
    return select(flash, Const(ErrorCode.FLASH, 3), select(crc, Const(ErrorCode.STREAM_CRC, 3), Const(0, 3)))


def flash_stream_verilog(deadline_bits: int = DEADLINE_BITS) -> str:
    """Module `flash_stream` with the ports of docs/accelerator-flash.md."""
    return module_verilog("flash_stream", lambda: _module(deadline_bits))


def _module(deadline_bits: int) -> None:
    order = Order(
        start=Input(1, "start"),
        abort=Input(1, "abort"),
        enable=Input(1, "enable"),
        address=Input(24, "address"),
        blocks=Input(16, "blocks"),
        sample_delay=Input(2, "sample_delay"),
    )
    stream = flash_stream(
        order,
        Input(1, "grant"),
        Input(4, "flash_i"),
        Input(1, "fill_ready"),
        Input(1, "reset"),
        deadline_bits,
    )
    for port, name in PORTS.items():
        output(port, getattr(stream, name))


PORTS = {
    **{f"flash_{name}": name for name in ("request", "driven", "cs_n", "sck_en", "o", "oe")},
    **{f"fill_{name}": name for name in ("valid", "data", "commit", "restart")},
    **{name: name for name in ("busy", "error", "crc_error")},
}
