"""The engine: wires banks, ring, fetcher, passes, pixels, array, accumulators, tables and drain into one.

Each unit is a function of wires; those that two units need of each other are declared here first.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyrtl import Const, Register, WireVector, select

from ascnode_gateware.rtl.accumulators import accumulators
from ascnode_gateware.rtl.accumulators import target as accumulators_target
from ascnode_gateware.rtl.array import Operands, Tag, block_register, issue_tag, operands, row_sums
from ascnode_gateware.rtl.cells import connect, delayed, keep, low
from ascnode_gateware.rtl.config import Header, JobConfig
from ascnode_gateware.rtl.drain import Order, Progress, drain
from ascnode_gateware.rtl.fetch import Fetch, Fetcher, Sequence
from ascnode_gateware.rtl.loaded_counter import counted_address
from ascnode_gateware.rtl.memory import Grants, Port, banks
from ascnode_gateware.rtl.passes import Pass, passes
from ascnode_gateware.rtl.pixels import Pixels, pixels
from ascnode_gateware.rtl.ring import Fill, Ring, ring
from ascnode_gateware.rtl.tables import Tables


@dataclass(frozen=True)
class Control:
    """start, resume: pulses; clear: a pulse that stops everything; single_step: wait after each layer."""

    start: WireVector
    clear: WireVector
    resume: WireVector
    single_step: WireVector
    program: WireVector  # 15
    throttle: WireVector  # 8: of 256 cycles, so many bring no word
    ring_base: WireVector  # 15
    ring_blocks: WireVector  # 9


@dataclass(frozen=True)
class Engine:
    """What the engine shows; events are 1 for each cycle in which they happen."""

    busy: WireVector
    finished: WireVector  # pulse
    bad_opcode: WireVector  # pulse
    paused: WireVector
    layer: WireVector  # 8: layers written
    ring_free: WireVector  # 9: blocks
    fill_granted: WireVector
    host_word: WireVector  # 32, two cycles after the host's request
    operands: Operands
    issued: WireVector  # event: a word goes past the array
    stalled: WireVector  # event: a pass has words left, and none goes
    throttled: WireVector  # event
    from_stream: WireVector  # event: a word comes from the ring
    moved: WireVector  # 2: words that the engine reads or writes in this cycle
    progress: WireVector  # event: anything the watchdog takes for life


class _Shared:
    """Wires that go round in a circle."""

    def __init__(self) -> None:
        self.take, self.issued = WireVector(1, "take"), WireVector(1, "issued")
        self.urgent, self.fetch_wants = WireVector(1, "urgent"), WireVector(1, "fetch_wants")
        self.occupied = [Register(1, f"set_occupied_{which}") for which in range(2)]
        self.fetch, self.pixel = _port("fetch"), _port("pixel")
        self.drain, self.fill = _port("drain", writes=True), _port("fill", writes=True)


def _port(name: str, writes: bool = False) -> Port:
    request, address = WireVector(1, f"{name}_request"), WireVector(15, f"{name}_address")
    if not writes:
        return Port(request, address)
    return Port(request, address, WireVector(1, f"{name}_write"), WireVector(32, f"{name}_data"))


def engine(control: Control, host: Port, fill: Fill, pair_sums: WireVector) -> Engine:
    """pair_sums (128): the multipliers', two cycles after their operands."""
    clear, s = control.clear | control.start, _Shared()
    grants = banks(host, s.fill, s.drain, s.fetch, s.pixel, s.fetch_wants, s.urgent)
    from_ring = WireVector(1, "from_ring")
    ring_ = ring(control.ring_base, control.ring_blocks, fill, grants.fill, from_ring & grants.fetch, clear)
    _drive_fill(s.fill, fill, ring_)
    fetcher = Fetcher(control.program, ring_.ready, ring_.read_address)
    word = grants.word
    header = Header(WireVector(1, "header_valid"), WireVector(4, "header_index"), word)
    config, begin = JobConfig(header), WireVector(1, "job_begin")
    upcoming = passes(header, begin, s.take)
    may = _throttle(control.throttle, clear)
    target = Register(1, "set_target")  # where the next output group's sums go
    stream = pixels(config, upcoming, s.take, s.issued, may, clear)
    tags = _pipeline(issue_tag(stream.word, s.issued), clear)
    occupied = s.occupied[0] | s.occupied[1]
    ended = tags[4].group_end
    drain_begins = WireVector(1, "drain_begins")
    pending = Register(1, "drain_pending")
    keep(pending, (clear, 0), (ended, 1), (drain_begins, 0))
    layers = _Layers(control, occupied, clear)
    # A job's last word ends an output group, so no other of its words can be on its way alone.
    more = reduce(or_, [tag.group_end for tag in tags[:4]], stream.active)
    fetch = fetcher.wire(
        word,
        config["stream"],
        Sequence(
            start=control.start,
            clear=control.clear,
            streaming_over=~(more | ended | pending),
            drained=~occupied,
            held=layers.held,
            granted=grants.fetch,
            free=grants.fetch_free,
            may_refill=~stream.word.load | (may & grants.pixel_free),
            take=s.take,
            group_last=upcoming.last,
            job_last=upcoming.job_last,
        ),
    )
    connect(s.fetch_wants, fetch.wants)
    _connect_fetch(s.fetch, fetch, from_ring, header, begin)
    _connect_pixels(s, stream, fetch, grants)
    _connect_take(s, fetch, stream, upcoming, config, target, begin, occupied)
    keep(target, (clear, 0), (s.take & upcoming.last, ~target))
    ops = operands(
        grants.pixel_word,
        config["pad"],
        delayed(stream.word.padding, "array_padding"),
        delayed(s.issued & ~clear, "array_valid"),
        delayed(stream.word.load, "array_load"),
        config["dw"],
        block_register(word, fetch.arrival.index[:2], fetch.arrival.block),
    )
    slot = Register(2, "tables_slot")
    keep(slot, (clear, 0), (s.take & upcoming.last, low(slot + 1, 2)))
    progress, which, draining = Progress(), Register(1, "drain_which"), WireVector(1, "draining")
    sums = accumulators(
        row_sums(pair_sums),
        tags[3],
        tags[4],
        accumulators_target(tags[4], clear),
        config["max"],
        (draining & ~which, draining & which),
        progress.pixel,
        clear,
    )
    job_end = fetch.at_gate & ~more
    order = _order(config, header, pending, ended, job_end, sums.last_pixel, drain_begins)
    tables = Tables(word, fetch.arrival, slot)
    out = drain(order, s.drain, grants.drain, word, sums.words, tables, progress, which, clear)
    draining <<= out.busy
    drain_begins <<= out.begin
    for number, register in enumerate(s.occupied):
        rises = s.take & upcoming.first & (target == number)
        keep(register, (clear, 0), (rises, 1), (out.done & (which == number), 0))
    layers.wire(out.layer_done)
    busy = ~fetch.idle
    throttled = stream.active & ~may
    return Engine(
        busy=busy,
        finished=fetch.finished,
        bad_opcode=fetch.bad_opcode,
        paused=layers.due & fetch.at_gate,
        layer=layers.count,
        ring_free=ring_.free_blocks,
        fill_granted=grants.fill,
        host_word=word,
        operands=ops,
        issued=s.issued,
        stalled=busy & ~s.issued & ~throttled,
        throttled=throttled,
        from_stream=from_ring & grants.fetch,
        moved=low(low(grants.fetch + grants.pixel, 2) + grants.drain, 2),
        progress=s.issued | grants.fetch | grants.drain,
    )


def _drive_fill(port: Port, fill: Fill, ring_: Ring) -> None:
    assert port.write is not None and port.data is not None
    connect(port.request, fill.valid & ring_.room)
    connect(port.address, ring_.fill_address)
    connect(port.write, 1)
    connect(port.data, fill.data)


def _throttle(throttle: WireVector, clear: WireVector) -> WireVector:
    """1 in the cycles that may bring a word: spread evenly, 256 - throttle of 256."""
    phase = Register(8, "throttle_phase")
    total = phase + throttle
    keep(phase, (clear, 0), (Const(1, 1), total[:8]))
    return delayed(~total[8], "throttle_may")


def _pipeline(tag: Tag, clear: WireVector) -> list[Tag]:
    """Tags of the words one to five cycles after their issue: word, operand, product, pair sum, row sum."""
    tags = []
    for stage in range(1, 6):
        tag = tag.later(str(stage), clear)
        tags.append(tag)
    return tags


class _Layers:
    """Counts layers as they are written; with single_step, holds the next job until `resume`."""

    def __init__(self, control: Control, occupied: WireVector, clear: WireVector) -> None:
        self.count, self.due = Register(8, "layer_count"), Register(1, "layer_due")
        self.held = control.single_step & (occupied | self.due)
        self._control, self._clear = control, clear

    def wire(self, done: WireVector) -> None:
        keep(self.count, (self._clear, 0), (done, low(self.count + 1, 8)))
        keep(self.due, (self._clear | self._control.resume, 0), (done, self._control.single_step))


def _connect_fetch(
    port: Port, fetch: Fetch, from_ring: WireVector, header: Header, begin: WireVector
) -> None:
    connect(port.request, fetch.request)
    connect(port.address, fetch.address)
    from_ring <<= fetch.from_ring
    connect(header.valid, fetch.arrival.header)
    connect(header.index, fetch.arrival.index[:4])
    begin <<= fetch.begin


def _connect_pixels(s: _Shared, stream: Pixels, fetch: Fetch, grants: Grants) -> None:
    connect(s.pixel.request, stream.request)
    connect(s.pixel.address, stream.address)
    connect(s.urgent, stream.word.load & fetch.at_block)  # only a block waits for the first pixel
    connect(s.issued, grants.pixel)


def _connect_take(
    s: _Shared,
    fetch: Fetch,
    stream: Pixels,
    upcoming: Pass,
    config: JobConfig,
    target: WireVector,
    begin: WireVector,
    occupied: WireVector,
) -> None:
    """A pass begins when its block is there, the pass before issues its last word, and its set is free."""
    fresh = Register(1, "job_fresh")
    keep(fresh, (begin, 1), (s.take, 0))
    room = select(target, ~s.occupied[1], ~s.occupied[0])
    connect(
        s.take,
        fetch.block_ready
        & ~stream.active
        & (~upcoming.first | room)
        & ~(fresh & config["barrier"] & occupied),
    )


def _order(
    config: JobConfig,
    header: Header,
    pending: WireVector,
    ended: WireVector,
    job_end: WireVector,
    last_pixel: WireVector,
    begins: WireVector,
) -> Order:
    """The output's address goes up by a word with each output group. last_pixel is the group's until it is drained: the
    next group's first word comes two cycles after its last, and has no set before that."""
    output = counted_address("order_output", header.arrives("output"), header.value("output"), begins)
    return Order(
        pending=pending,
        last_pixel=last_pixel,
        add=config["add"],
        output=output,
        out_step=config["out_step"],
        ends_layer=config["layer_end"] & delayed(job_end, "order_job_end", ended),
    )
