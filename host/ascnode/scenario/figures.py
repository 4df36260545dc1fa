"""What a run came to: the figures of its closing tables and of `--json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ascnode.scenario.board import Flyer
from ascnode.scenario.extremes import Extremes
from ascnode.scenario.hardware import KELVIN_AT_0_C, power_scale_k
from ascnode.scenario.injected import FaultFigures
from ascnode.scenario.ledger import PARTS, Account
from ascnode.scenario.pings import PingFigures
from ascnode.scenario.proofs import ProofFigures
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

if TYPE_CHECKING:
    from ascnode.scenario.run import Run

_TOP = 10


@dataclass(frozen=True)
class BoardFigures:
    """One board: minutes in each mode, throttled seconds; charge and temperature extremes are in its telemetry."""

    name: str
    steps: int
    exchanges: int
    jobs_done: int
    mode_minutes: dict[str, float]
    throttled_s: float
    job_energy_j: float


@dataclass(frozen=True)
class Load:
    """How work spreads over the satellites or gateways that could take it: the busiest, percentiles, Gini index."""

    of: int
    top: dict[str, int]
    percentiles: dict[str, float]
    gini: float


@dataclass(frozen=True)
class FleetFigures:
    """All compute nodes: percentiles of each one's least charge and greatest temperatures, simulated and boards."""

    nodes: int
    charge_min: dict[str, float]
    charge_end: dict[str, float]
    accelerator_max_c: dict[str, float]
    radiator_max_c: dict[str, float]


@dataclass(frozen=True)
class MeshFigures:
    """Network of the run; shares of slots, bytes on ground links and lasers."""

    satellites: int
    users: int
    gateways: int
    slots: int
    bytes_offered: int
    bytes_delivered: int
    bytes_lost: int
    bytes_waiting: int
    hops_mean: float


@dataclass(frozen=True)
class WaveFigures:
    """A training workload: waves done, and how long each took."""

    workers: int
    waves: int
    wave_s: dict[str, float]


@dataclass(frozen=True)
class Figures:
    """The whole run. Energies in J at the accelerator, latencies in s from the user's sending on.

    goodput_per_s: answers in time, over the length of the run. held: queries still under way at the end, which
    `causes` counts as "not down by the end".
    """

    queries_sent: int
    answered: int
    late: int
    lost: int
    held: int
    correct: int
    labelled: int
    boards: int
    steps: int
    parity_mismatches: int
    energy_j_per_answer: float | None
    goodput_per_s: float
    sim_s: float
    latency_s: dict[str, float]
    split_s: dict[str, dict[str, float]]
    causes: dict[str, int]
    answers_per_node: Load
    bytes_per_satellite: Load
    answers_per_gateway: Load
    fleet: FleetFigures
    mesh: MeshFigures
    training: list[WaveFigures]
    pings: list[PingFigures]
    faults: list[FaultFigures]
    proofs: ProofFigures
    per_board: list[BoardFigures]
    kind: str
    policy: str
    wall_s: float = 0.0
    record: str = ""
    record_sha256: str = field(default="")

    def json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def percentiles(values: Sequence[float] | npt.NDArray[np.float64], digits: int = 3) -> dict[str, float]:
    """p5, p50, p90, p95, p99 and the greatest; empty for no values."""
    if len(values) == 0:
        return {}
    points = {"p5": 5, "p50": 50, "p90": 90, "p95": 95, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, q)), digits) for name, q in points.items()}


def gini(values: npt.ArrayLike) -> float:
    """Gini's index of inequality, 0 for equal loads, towards 1 for all on one; 0 where there is no load."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total = float(ordered.sum())
    if total == 0:
        return 0.0
    rank = np.arange(1, len(ordered) + 1)
    return round(float(2 * (rank @ ordered) / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)), 4)


def load(counts: Mapping[str, int], of: int) -> Load:
    """Counts by name, of `of` that could have some."""
    values = np.zeros(of)
    values[: len(counts)] = sorted(counts.values())
    busiest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return Load(of, dict(busiest), percentiles(values), gini(values))


def figures(run: "Run", flyers: Sequence[Flyer], extremes: Extremes) -> Figures:
    """Closes the ledger and adds up."""
    scenario, ledger = run.scenario, run.ledger
    held = len(run.held())
    ledger.close()
    done = ledger.done
    energy = sum(account.energy_j for account in done) / len(done) if done else None
    boards = [board_figures(run, flyer) for flyer in flyers]
    length_s = float(scenario.length_s)
    timely = sum(not account.late for account in done)
    return Figures(
        queries_sent=len(ledger.accounts),
        answered=len(done),
        late=len(done) - timely,
        lost=len(ledger.accounts) - len(done),
        held=held,
        correct=sum(account.guess == account.label for account in done),
        labelled=sum(account.label >= 0 for account in done),
        boards=len(boards),
        steps=sum(board.steps for board in boards),
        parity_mismatches=sum(flyer.mismatches for flyer in flyers),
        energy_j_per_answer=round(energy, 3) if energy is not None else None,
        goodput_per_s=round(timely / length_s, 4),
        sim_s=length_s,
        latency_s=percentiles([account.latency_s for account in done]),
        split_s=_split(done),
        causes=dict(sorted(ledger.causes().items())),
        answers_per_node=_answers(run, done),
        bytes_per_satellite=load(
            {scenario.space.name(s): n for s, n in run.flow.per_satellite.items()}, scenario.space.count
        ),
        answers_per_gateway=load(
            {run.gateways[g].name: n for g, n in run.flow.per_gateway.items()}, len(run.gateways)
        ),
        fleet=_fleet(run, extremes),
        mesh=_mesh(run),
        training=[
            WaveFigures(len(wave.workers), wave.done, percentiles(wave.durations_s)) for wave in run.waves
        ],
        pings=run.pings,
        faults=run.injected.figures(),
        proofs=run.proofs.figures(),
        per_board=boards,
        kind=run.kind,
        policy=scenario.policy.placement,
    )


def _split(done: Sequence[Account]) -> dict[str, dict[str, float]]:
    parts = np.array([account.parts for account in done], dtype=np.float64).reshape(-1, len(PARTS)) / 1e6
    return {name: percentiles(parts[:, i], 6) for i, name in enumerate(PARTS)}


def _answers(run: "Run", done: Sequence[Account]) -> Load:
    counts: dict[str, int] = {}
    for account in done:
        name = run.scenario.space.name(account.node)
        counts[name] = counts.get(name, 0) + 1
    return load(counts, len(run.scenario.space.compute))


def _fleet(run: "Run", extremes: Extremes) -> FleetFigures:
    compute = run.scenario.space.compute
    end = np.asarray(run.nodes.fleet.charge, dtype=np.float64)[compute]
    return FleetFigures(
        nodes=len(compute),
        charge_min=_spread(extremes.charge_min[compute]),
        charge_end=_spread(end),
        accelerator_max_c=_spread(extremes.accelerator_max_k[compute] - KELVIN_AT_0_C),
        radiator_max_c=_spread(extremes.radiator_max_k[compute] - KELVIN_AT_0_C),
    )


def _spread(values: npt.NDArray[np.float64]) -> dict[str, float]:
    points = {"min": 0, "p5": 5, "p50": 50, "p95": 95, "max": 100}
    return {name: round(float(np.percentile(values, q)), 4) for name, q in points.items()}


def _mesh(run: "Run") -> MeshFigures:
    flow = run.flow
    return MeshFigures(
        satellites=run.scenario.space.count,
        users=len(run.users),
        gateways=len(run.gateways),
        slots=run.slots,
        bytes_offered=flow.bytes.offered,
        bytes_delivered=flow.bytes.delivered,
        bytes_lost=flow.bytes.lost,
        bytes_waiting=flow.held_bytes(),
        hops_mean=round(flow.hops / flow.parcels, 3) if flow.parcels else 0.0,
    )


def board_figures(run: "Run", flyer: Flyer) -> BoardFigures:
    """From the twin's own counters."""
    scenario = run.scenario
    f = flyer.twin.node.computer.f
    period_s = flyer.twin.node.params.get(d.P_CONTROL_MS) / 1000
    scale = 2 ** power_scale_k(scenario.node, scenario.step_ms)
    return BoardFigures(
        name=flyer.name,
        steps=flyer.steps,
        exchanges=flyer.exchanges,
        jobs_done=f[f_.JOBS_DONE],
        mode_minutes={
            mode: round(f[f_.MODE_PERIODS + i] * period_s / 60, 2) for i, mode in enumerate(d.MODES)
        },
        throttled_s=round(f[f_.THROTTLED] * period_s, 3),
        job_energy_j=round((f[f_.JOB_J] + f[f_.JOB_MJ] / 1000) * scale, 3),
    )
