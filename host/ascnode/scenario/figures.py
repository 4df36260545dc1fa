"""What a run came to: the figures of its closing table and of `--json`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ascnode.scenario.ledger import Ledger


@dataclass(frozen=True)
class BoardFigures:
    """One board: minutes in each mode, throttled seconds, charge and temperature extremes are in its telemetry."""

    name: str
    steps: int
    exchanges: int
    jobs_done: int
    mode_minutes: dict[str, float]
    throttled_s: float
    job_energy_j: float


@dataclass(frozen=True)
class Figures:
    """The whole run. Energies in J at the accelerator, latencies in s from the user's sending on."""

    queries_sent: int
    answered: int
    late: int
    lost: int
    correct: int
    boards: int
    steps: int
    parity_mismatches: int
    energy_j_per_answer: float | None
    sim_s: float
    latency_s: dict[str, float]
    causes: dict[str, int]
    per_board: list[BoardFigures]
    kind: str
    wall_s: float = 0.0
    record: str = ""
    record_sha256: str = field(default="")

    def json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p90, p99 and the greatest; empty for no values."""
    if not values:
        return {}
    points = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, q)), 3) for name, q in points.items()}


def figures(
    ledger: Ledger, boards: Sequence[BoardFigures], sim_s: float, mismatches: int, kind: str
) -> Figures:
    """Closes the ledger and adds up."""
    ledger.close()
    done = ledger.done
    energy = sum(account.energy_j for account in done) / len(done) if done else None
    return Figures(
        queries_sent=len(ledger.accounts),
        answered=len(done),
        late=sum(account.late for account in done),
        lost=len(ledger.accounts) - len(done),
        correct=sum(account.guess == account.label for account in done),
        boards=len(boards),
        steps=sum(board.steps for board in boards),
        parity_mismatches=mismatches,
        energy_j_per_answer=round(energy, 3) if energy is not None else None,
        sim_s=sim_s,
        latency_s=percentiles([account.latency_s for account in done]),
        causes=dict(sorted(ledger.causes().items())),
        per_board=list(boards),
        kind=kind,
    )
