"""What the compiler did, layer by layer, for people: shapes, work, place, and the cycles if someone foretold them."""

from collections.abc import Sequence

from ascnode_gateware.program.job import BANK_WORDS, RING_BLOCK_WORDS
from ascnode_gateware.program.program import LANES, LayerInfo, Program

_COLUMNS = ("layer", "operator", "output", "MACs", "cycles", "jobs", "weights", "at", "tensor", "notes")
_RIGHT = frozenset({"layer", "MACs", "cycles", "jobs", "weights"})


def report(program: Program, cycles: Sequence[int] | None = None) -> str:
    """A table and a summary; `cycles` are those of each step of the engine, in their order.

    ValueError when there are more or fewer of them than steps.
    """
    steps = sum(job.layer_end for job in program.jobs)
    if cycles is not None and len(cycles) != steps:
        raise ValueError(f"{len(cycles)} cycle counts for {steps} steps")
    rows = [_COLUMNS, *_rows(program, cycles), *(_cpu_row(op) for op in program.cpu_ops)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([*lines, "", *_summary(program, cycles)]) + "\n"


def _rows(program: Program, cycles: Sequence[int] | None) -> list[tuple[str, ...]]:
    rows, step = [], 0
    for layer in sorted(program.layers, key=lambda layer: layer.index):
        spent = ""
        if layer.job_count:
            spent = "" if cycles is None else f"{cycles[step]:,}"
            step += 1
        rows.append(_row(layer, spent))
    return rows


def _row(layer: LayerInfo, cycles: str) -> tuple[str, ...]:
    return (
        str(layer.index),
        layer.op,
        "x".join(map(str, layer.shape)),
        f"{layer.macs:,}" if layer.macs else "",
        cycles,
        str(layer.job_count) if layer.job_count else "",
        f"{layer.weight_words * LANES:,}" if layer.weight_words else "",
        _place(layer),
        "" if layer.tensor is None else f"{layer.tensor.address:#06x}",
        layer.note,
    )


def _place(layer: LayerInfo) -> str:
    places = [] if layer.weights_address is None else [f"resident {layer.weights_address:#06x}"]
    if layer.streamed:
        places.append(f"streamed {layer.stream_words * LANES:,}")
    return ", ".join(places)


def _cpu_row(op: str) -> tuple[str, ...]:
    return ("", op, *[""] * (len(_COLUMNS) - 3), "on the CPU")


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if name in _RIGHT else cell.ljust(width)
        for name, cell, width in zip(_COLUMNS, row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _summary(program: Program, cycles: Sequence[int] | None) -> list[str]:
    constants = [sum(len(w) for at, w in program.segments.items() if at // BANK_WORDS == b) for b in (0, 1)]
    lines = [
        f"{sum(layer.macs for layer in program.layers):,} MACs in {len(program.jobs) - 1} jobs",
        f"constants: {constants[0] * LANES:,} bytes in bank 0, {constants[1] * LANES:,} in bank 1",
    ]
    if program.stream_blocks:
        ring = program.ring_blocks * RING_BLOCK_WORDS * LANES
        lines.append(
            f"stream: {program.stream_blocks * RING_BLOCK_WORDS * LANES:,} bytes an inference, through a ring of "
            f"{ring:,} bytes at {program.ring_base:#06x}"
        )
    if cycles is not None:
        lines.append(f"predicted: {sum(cycles):,} cycles")
    return lines
