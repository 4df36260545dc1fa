"""What a run of the simulated accelerator took, layer by layer; docs/accel-cli.md describes its JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ascnode_gateware.program.program import LANES, Program
from ascnode_gateware.sim.device import Watch

MACS_PER_CYCLE = 16
SCHEMA = 1


@dataclass(frozen=True)
class LayerCycles:
    """One layer of the model; `cycles` from the end of the layer before to the write of its last word."""

    index: int
    op: str
    shape: tuple[int, ...]
    macs: int
    cycles: int

    @property
    def utilisation(self) -> float:
        """Share of the multipliers' time that the layer's MACs fill; 0 for a layer without cycles."""
        return share(self.macs, self.cycles)


@dataclass(frozen=True)
class RunReport:
    """One inference, from START to END; `layers` is empty when only pins were seen; stream figures are what the host
    fed or the flash holds, `stalls` and after: the counters."""

    cycles: int
    layers: tuple[LayerCycles, ...]
    macs: int
    inferences: int
    input_bytes: int
    output_bytes: int
    stream_bytes: int
    stalls: int
    throttled: int
    stream_words: int
    pixels: int

    @property
    def utilisation(self) -> float:
        return share(self.macs, self.cycles)

    def milliseconds(self, clock_mhz: float) -> float:
        return self.cycles / clock_mhz / 1000

    def json(self, clock_mhz: float) -> dict[str, Any]:
        """Plain data for a file."""
        values = asdict(self)
        values["layers"] = [{**asdict(one), "utilisation": round(one.utilisation, 4)} for one in self.layers]
        timing = {"clock_mhz": clock_mhz, "milliseconds": round(self.milliseconds(clock_mhz), 4)}
        return {**values, "utilisation": round(self.utilisation, 4), **timing}


def share(macs: int, cycles: int) -> float:
    """MACs as a part of what 16 multipliers could do in `cycles`."""
    return macs / (MACS_PER_CYCLE * cycles) if cycles else 0.0


def run_report(program: Program, watch: Watch, counters: dict[str, int], inferences: int) -> RunReport:
    """`counters` are the values of the counter registers by name."""
    return RunReport(
        cycles=watch.cycles,
        layers=layer_cycles(program, [cycle for cycle, _ in watch.changes]) if watch.changes else (),
        macs=sum(layer.macs for layer in program.layers),
        inferences=inferences,
        input_bytes=program.input.words * LANES,
        output_bytes=program.output.words * LANES,
        stream_bytes=watch.words_fed * LANES,
        stalls=counters["STALLS"],
        throttled=counters["THROTTLED"],
        stream_words=counters["WORDS"],
        pixels=counters["PIXELS"],
    )


def layer_cycles(program: Program, ends: Sequence[int]) -> tuple[LayerCycles, ...]:
    """The time between rises of the layer counter (`ends`, in cycles), given to the layers whose jobs end with them."""
    found, last = [], 0
    for layer, passed in zip(program.layers, layer_ends(program), strict=True):
        end = ends[passed - 1] if layer.job_count and passed else last
        found.append(LayerCycles(layer.index, layer.op, layer.shape, layer.macs, end - last))
        last = end
    return tuple(found)


def layer_ends(program: Program) -> Sequence[int]:
    """For each layer how often the counter has gone up when its jobs, and all before them, are done."""
    return [
        sum(job.layer_end for job in program.jobs[: layer.first_job + layer.job_count])
        for layer in program.layers
    ]
