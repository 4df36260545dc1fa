"""Rows of a run's record: one a slot, one a node, one a query."""

from typing import TYPE_CHECKING

import numpy as np

from ascnode.mesh.assignment import NONE
from ascnode.record.database import Record
from ascnode.scenario.extremes import Extremes
from ascnode.scenario.ledger import Ledger
from ascnode.scenario.outages import Out
from ascnode.scenario.slot import Slot

if TYPE_CHECKING:
    from ascnode.scenario.run import Run


def record_slot(record: Record, slot: Slot, out: Out, run: "Run") -> None:
    """The network and the compute nodes as a slot ends."""
    fleet, compute, flow = run.nodes.fleet, run.scenario.space.compute, run.flow
    charge, state = fleet.charge[compute], fleet.state
    record.add(
        "slots",
        *(slot.number, slot.start_us, slot.links, int(np.count_nonzero(slot.serving != NONE))),
        *(len(out.satellites), sum(map(len, flow.waiting.values())), flow.held_bytes()),
        sum(1 for _ in run.nodes.held()) + sum(len(one.held()) for one in run.satellites),
        *(round(float(value), 6) for value in (charge.min(), charge.mean())),
        round(float(state.accelerator_k[compute].max()), 4),
        round(float(state.radiator_k[compute].max()), 4),
        round(float(state.load_w[compute].sum(dtype=np.float64)), 3),
    )


def record_nodes(record: Record, run: "Run", extremes: Extremes) -> None:
    """What every compute node answered and went through."""
    space = run.scenario.space
    answers = np.bincount([account.node for account in run.ledger.done], minlength=space.count)
    for node in space.compute.tolist():
        carried = run.flow.per_satellite.get(node, 0)
        record.add(
            "nodes", node, space.name(node), int(answers[node]), carried, *extremes.of(node, run.nodes)
        )


def record_queries(record: Record, ledger: Ledger) -> None:
    """Every query with where its time went."""
    for account in ledger.accounts:
        query, done = account.query, account.answered_us >= 0
        answer = (account.answered_us, account.guess, account.energy_j) if done else (None,) * 3
        record.add(
            "queries",
            *(query.job, query.kind, account.node, query.place, query.image, account.label),
            *(query.priority, query.sent_us, query.deadline_s, *account.parts, *answer, account.tries),
            account.cause,
        )
