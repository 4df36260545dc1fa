"""The tables that `ascnode accel` prints."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from ascnode_gateware.program.job import BANK_WORDS
from ascnode_gateware.program.program import LANES, LayerInfo, Program
from ascnode_gateware.sim.report import LayerCycles, RunReport, share

_FIGURES = ("cycles", "of 16 MAC/cycle")


def compile_table(program: Program, layers: Sequence[LayerCycles], cycles: int) -> Table:
    """One row a layer: what it is, where it lies, what it is predicted to take; `cycles` is the whole's."""
    table = _table(f"{program.name}, predicted", "weights", "output at", *_FIGURES, "note")
    for layer, taken in zip(program.layers, layers, strict=True):
        table.add_row(
            *_head(taken),
            _weights(layer),
            "" if layer.tensor is None else place(layer.tensor.address),
            *_figures(layer.macs, taken.cycles),
            layer.note,
        )
    macs = sum(layer.macs for layer in program.layers)
    constants = _kib(constant_bytes(program))
    table.add_section()
    table.add_row("", "total", "", f"{macs:,}", constants, "", *_figures(macs, cycles), "")
    return table


def run_table(name: str, report: RunReport) -> Table:
    """One row a layer: measured cycles."""
    table = _table(f"{name}, measured", *_FIGURES)
    for layer in report.layers:
        table.add_row(*_head(layer), *_figures(layer.macs, layer.cycles))
    table.add_section()
    table.add_row("", "total", "", f"{report.macs:,}", *_figures(report.macs, report.cycles))
    return table


def place(address: int) -> str:
    """A word address as bank and word in it."""
    return f"{address // BANK_WORDS}:{address % BANK_WORDS:04x}"


def constant_bytes(program: Program) -> int:
    """Parameters, weights and tables, streamed or resident."""
    return LANES * sum(layer.weight_words for layer in program.layers)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("#", "operator", "output", "MACs", *columns):
        right = column in ("#", "MACs", *_FIGURES)
        table.add_column(column, justify="right" if right else "left", no_wrap=column != "note")
    return table


def _head(layer: LayerCycles) -> tuple[str, str, str, str]:
    macs = f"{layer.macs:,}" if layer.macs else ""
    return str(layer.index), layer.op, "x".join(map(str, layer.shape)), macs


def _figures(macs: int, cycles: int) -> tuple[str, str]:
    return f"{cycles:,}" if cycles else "", f"{share(macs, cycles):.0%}" if macs and cycles else ""


def _weights(layer: LayerInfo) -> str:
    if not layer.weight_words:
        return ""
    if layer.streamed:
        return f"stream {_kib(LANES * layer.stream_words)}"
    at = "" if layer.weights_address is None else f"{place(layer.weights_address)} "
    return f"{at}{_kib(LANES * layer.weight_words)}"


def _kib(count: int) -> str:
    return f"{count / 1024:.1f} KiB"
