"""The accelerator: engine, registers, watchdog and flash stream behind one plain bus; SPI and Wishbone wrap it.

A bus access is `bus_valid` with write, address (16) and data, held until `bus_ready`, which comes a cycle later,
or, for a counter, a few; a read's word is on `bus_rdata` in the cycle after `bus_ready`. Word addresses below 0x8000
are memory, from 0x8000 registers.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from pyrtl import (
    Const,
    Input,
    Output,
    Register,
    WireVector,
    output_to_verilog,
    select,
    temp_working_block,
    working_block,
)

from ascnode_gateware.registers.decoder import Bus, RegisterBlock, registers
from ascnode_gateware.registers.table import ErrorCode
from ascnode_gateware.rtl.cells import connect, delayed, keep, unsigned
from ascnode_gateware.rtl.engine import Control, Engine, engine
from ascnode_gateware.rtl.flash_stream import FlashStream, flash_stream
from ascnode_gateware.rtl.flash_stream import Order as FlashOrder
from ascnode_gateware.rtl.loaded_counter import loaded_counter
from ascnode_gateware.rtl.mac_array import with_mac_array
from ascnode_gateware.rtl.memory import Port
from ascnode_gateware.rtl.ring import Fill

INPUTS = {
    "reset": 1,
    "bus_valid": 1,
    "bus_write": 1,
    "bus_addr": 16,
    "bus_wdata": 32,
    "crc_error": 1,  # a pulse for each frame that the port in front refused
    "frame_error": 1,
    "flash_grant": 1,
    "flash_i": 4,
    "mac_s": 128,
}
SAMPLE_DELAY = (
    1  # cycles from a flash clock edge to its sample, that board wrappers with registered pins need
)


@dataclass(frozen=True)
class _Failure:
    """A pulse that ends the run, and its error code (4)."""

    happens: WireVector
    code: WireVector


def accelerator() -> None:
    """Builds the accelerator in the working block: INPUTS, and the outputs that _show names."""
    port = {name: Input(width, name) for name, width in INPUTS.items()}
    reset = port["reset"]
    bus = Bus(port["bus_valid"], port["bus_write"], port["bus_addr"], port["bus_wdata"])
    ready, may_read = Register(1, "bus_second_cycle"), WireVector(1, "bus_may_read")
    ready.next <<= bus.valid & ~ready & (may_read | ~bus.address[15])
    to_registers = Bus(bus.valid & ready & bus.address[15], bus.write, bus.address, bus.wdata)
    status = {name: WireVector(width, f"status_{name}") for name, width in _STATUS.items()}
    block = registers(to_registers, {**status, **_link_events(port)}, reset)
    connect(may_read, block.may_read)
    clear = WireVector(1, "engine_clear")
    fill_granted = WireVector(1, "accelerator_fill_granted")
    start = delayed(block.config["start"], "accelerator_start")
    stop = WireVector(1, "flash_stop")
    flash = _flash(block, port, fill_granted, start, stop)
    run = engine(
        _control(block, start, clear),
        _memory_port(bus, ready),
        _fill(flash, block),
        port["mac_s"],
    )
    connect(fill_granted, run.fill_granted)
    watchdog = _watchdog(run, block.config["watchdog"], block.tick, reset | start)
    failure = _failure(run, flash, watchdog, block.config["abort"])
    connect(clear, reset | failure.happens)
    connect(stop, delayed(clear | run.finished, "accelerator_stop"))
    _report(status, run, failure, flash, block, reset)
    from_register = delayed(bus.address[15], "accelerator_from_register")
    _show(run, flash, block.irq, ready, select(from_register, block.rdata, run.host_word))


def _memory_port(bus: Bus, ready: WireVector) -> Port:
    """A read starts in the access's first cycle, since its word takes two; a write is made when it is accepted."""
    now = bus.valid & ~bus.address[15] & (ready == bus.write)
    return Port(now, bus.address[:15], bus.write, bus.wdata)


_STATUS = {
    "busy": 1,
    "done": 1,
    "paused": 1,
    "error": 4,
    "layer": 8,
    "ring_free": 9,
    "irq_done": 1,
    "irq_error": 1,
    "irq_paused": 1,
    "flash_errors": 1,
    "cycles": 1,
    "stalls": 1,
    "throttled": 1,
    "words": 1,
    "pixels": 1,
}


def _link_events(port: dict[str, Input]) -> dict[str, WireVector]:
    return {"crc_errors": port["crc_error"], "frame_errors": port["frame_error"]}


def _control(block: RegisterBlock, start: WireVector, clear: WireVector) -> Control:
    config = block.config
    return Control(
        start=start,
        clear=clear,
        resume=config["resume"],
        single_step=config["single_step"],
        program=config["program"],
        throttle=config["throttle"],
        ring_base=config["ring_base"],
        ring_blocks=config["ring_blocks"],
    )


def _flash(
    block: RegisterBlock,
    port: dict[str, Input],
    fill_granted: WireVector,
    start: WireVector,
    stop: WireVector,
) -> FlashStream:
    """Reads the stream of a program from its START; a stream of 0 blocks needs no flash."""
    order = FlashOrder(
        start=start,
        abort=stop,
        enable=~block.config["stream_host"],
        address=block.config["flash_address"],
        blocks=block.config["flash_blocks"],
        sample_delay=Const(SAMPLE_DELAY, 2),
    )
    return flash_stream(order, port["flash_grant"], port["flash_i"], fill_granted, port["reset"])


def _fill(flash: FlashStream, block: RegisterBlock) -> Fill:
    return Fill(
        valid=flash.valid,
        data=flash.data,
        commit=flash.commit,
        restart=flash.restart,
        host_commit=block.config["ring_commit_written"],
        host_blocks=block.config["ring_commit"],
    )


def _watchdog(run: Engine, limit: WireVector, tick: WireVector, clear: WireVector) -> WireVector:
    """A pulse at the tick that ends `limit` whole units in which a busy engine did nothing; 0 never.

    Ticks come each 256 cycles of a run, wherever in one the engine stopped; a pause is not counted.
    """
    left_over, counted = Register(16, "watchdog_left_over"), Register(1, "watchdog_counted")
    rests = delayed(clear | run.progress | run.paused, "watchdog_rests")
    over = WireVector(1, "watchdog_over")
    over <<= loaded_counter(left_over, rests, ~limit, tick & ~over)
    keep(counted, (rests, 0), (tick & ~over, 1))  # never with a limit of 0: it is over from the start
    return over & counted & tick


def _failure(run: Engine, flash: FlashStream, watchdog: WireVector, abort: WireVector) -> _Failure:
    """A flash that gave up ends a run at once: what it should have brought cannot come any more."""
    flash_failed = run.busy & (flash.error != 0)
    codes = {code: Const(int(code), 4) for code in ErrorCode}
    code = select(
        watchdog,
        codes[ErrorCode.WATCHDOG],
        select(
            run.bad_opcode,
            codes[ErrorCode.OPCODE],
            select(flash_failed, unsigned(flash.error, 4), codes[ErrorCode.ABORTED]),
        ),
    )
    # A cycle late, and for one cycle: what fails and what it clears are both long paths.
    failed = Register(1, "failure_happens")
    failed.next <<= (watchdog | run.bad_opcode | flash_failed | (abort & run.busy)) & ~failed
    return _Failure(failed, delayed(code, "failure_code"))


def _report(
    status: dict[str, WireVector],
    run: Engine,
    failure: _Failure,
    flash: FlashStream,
    block: RegisterBlock,
    reset: WireVector,
) -> None:
    """Drives the register block's wires."""
    start = block.config["start"]
    done, error = Register(1, "status_is_done"), Register(4, "status_error_code")
    keep(done, (start | reset, 0), (run.finished, 1))
    keep(error, (start | reset, 0), (failure.happens, failure.code))
    values = {
        "busy": run.busy,
        "done": done,
        "paused": run.paused,
        "error": error,
        "layer": run.layer,
        "ring_free": run.ring_free,
        "irq_done": run.finished,
        "irq_error": failure.happens,
        "irq_paused": run.paused & ~delayed(run.paused, "accelerator_was_paused"),
        "flash_errors": flash.crc_error,
        "cycles": run.busy,
        "stalls": run.stalled,
        "throttled": run.throttled,
        "words": run.from_stream,
        "pixels": run.issued,
    }
    for name, value in values.items():
        connect(status[name], value)


def _show(run: Engine, flash: FlashStream, irq: WireVector, ready: WireVector, rdata: WireVector) -> None:
    values = {
        "bus_ready": ready,
        "bus_rdata": rdata,
        "irq": irq,
        "busy": run.busy,
        "layer": run.layer,
        "moved": run.moved,
        "flash_request": flash.request,
        "flash_driven": flash.driven,
        "flash_cs_n": flash.cs_n,
        "flash_sck_en": flash.sck_en,
        "flash_o": flash.o,
        "flash_oe": flash.oe,
        "mac_a": run.operands.a,
        "mac_b": run.operands.b,
        "mac_load": run.operands.load,
    }
    for name, value in values.items():
        port = Output(len(value), name)
        connect(port, value)


def core_verilog() -> str:
    """Module `accelerator` without its multipliers, whose operands and sums are ports.

    Registers have no initial value: one on a memory's output costs a selector a bit, and `reset` sets what must be.
    """
    text = io.StringIO()
    with temp_working_block():
        accelerator()
        output_to_verilog(
            text,
            add_reset=False,
            block=working_block(),
            initialize_registers=False,
            module_name="accelerator",
        )
    return text.getvalue()


def write_verilog(directory: Path) -> list[Path]:
    """Writes the accelerator for a simulator; the files, in `directory`."""
    path = directory / "accelerator.v"
    path.write_text(with_mac_array(core_verilog(), "behavioural"))
    return [path]
