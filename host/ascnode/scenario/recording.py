"""Rows of a run's record: what it follows from, one a slot, one a node, and queries as they come and go."""

import platform
from collections.abc import Mapping
from heapq import heappop, heappush
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ascnode.boards.runtime import Runtime
from ascnode.mesh.assignment import NONE
from ascnode.record.database import Record
from ascnode.record.packed import deflate
from ascnode.scenario.extremes import Extremes
from ascnode.scenario.figures import Figures
from ascnode.scenario.hardware import KELVIN_AT_0_C, power_scale_k
from ascnode.scenario.ledger import Account, Ledger
from ascnode.scenario.outages import Out
from ascnode.scenario.payload import Payload
from ascnode.scenario.provision import is_bench_key
from ascnode.scenario.recorded_sky import fleet_of, service_of
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slot import Slot
from ascnode.twin.twin import Twin
from ascnode_fw import __version__
from ascnode_fw.flight import layout as f_
from ascnode_fw.wire import dictionary as d

if TYPE_CHECKING:
    from ascnode.scenario.run import Run

# What decides floats and bytes of a run beside ascnode itself.
_PACKAGES = ("numpy", "numba", "scipy", "sgp4", "cobs", "spacepackets", "pydantic")
_EMPTY_BATTERY = 0.001  # a brown-out, by the resolution of the node's own state of charge


def record_scenario(record: Record, scenario: Scenario, payload: Payload, runtime: Runtime | None) -> None:
    """What the run follows from, committed before it begins."""
    record.values(
        "run",
        {
            "ascnode": __version__,
            "scenario": scenario.model_dump(mode="json"),
            "seed": scenario.seed,
            "payload": payload.digest(),
            "dictionary": d.digest().hex(),
            "length_s": scenario.length_s,
            "versions": {
                "ascnode": __version__,
                "python": platform.python_version(),
                "micropython": runtime.version if runtime else None,
                **{name: _version(name) for name in _PACKAGES},
            },
        },
    )
    record.commit()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def record_flash(
    record: Record,
    node: int,
    time_us: int,
    seed: int,
    files: Mapping[str, bytes],
    before: Mapping[str, bytes],
) -> None:
    """The files of a node's flash that are not as before. A key that is not the bench's own stays out."""
    for name in sorted({*files, *before}):
        data = files.get(name)
        if data == before.get(name) or (name == "keys.bin" and not is_bench_key(data, seed, node)):
            continue
        record.add("snapshots", node, time_us, f"flash/{name}", None if data is None else deflate(data))


def record_state(record: Record, node: int, twin: Twin) -> None:
    """A node's state as it stands."""
    for (name, _, _), data in zip(twin.names(), twin.snapshot(), strict=True):
        record.add("snapshots", node, twin.now_us, f"state/{name}", deflate(data))


def record_slot(record: Record, slot: Slot, out: Out, run: "Run") -> None:
    """The network and the nodes as a slot ends; the row in `slots` last, for whoever follows that table."""
    fleet, compute, flow = run.nodes.fleet, run.scenario.space.compute, run.flow
    charge, state = fleet.charge[compute], fleet.state
    record.add("fleet", slot.number, slot.start_us, fleet_of(run, slot, out))
    record.add("service", slot.number, service_of(slot, out, run.planned))
    record.add(
        "slots",
        *(slot.number, slot.start_us, slot.end_us, slot.links),
        int(np.count_nonzero(slot.serving != NONE)),
        *(len(out.satellites), sum(map(len, flow.waiting.values())), flow.held_bytes()),
        sum(1 for _ in run.nodes.held()) + sum(len(one.held()) for one in run.satellites),
        *(round(float(value), 6) for value in (charge.min(), charge.mean())),
        round(float(state.accelerator_k[compute].max()), 4),
        round(float(state.radiator_k[compute].max()), 4),
        round(float(_load_w(run, slot)[compute].sum(dtype=np.float64)), 3),
    )


def _load_w(run: "Run", slot: Slot) -> npt.NDArray[np.float64]:
    # Of all satellites. A board that has been stepped as far measures its own.
    load_w = run.nodes.fleet.state.load_w.astype(np.float64)
    watts = 2 ** power_scale_k(run.scenario.node, run.scenario.step_ms) / 1000
    for satellite, flyer in run.twins().items():
        if flyer.twin.now_us >= slot.end_us:
            load_w[satellite] = flyer.twin.node.computer.f[f_.LOAD_PW] * watts
    return load_w


def record_nodes(record: Record, run: "Run", extremes: Extremes) -> None:
    """What every compute node answered and went through."""
    space = run.scenario.space
    answers = np.bincount([account.node for account in run.ledger.done], minlength=space.count)
    for node in space.compute.tolist():
        carried = run.flow.per_satellite.get(node, 0)
        record.add(
            "nodes", node, space.name(node), int(answers[node]), carried, *extremes.of(node, run.nodes)
        )


def record_measurements(record: Record, closing: Figures) -> None:
    """Closing figures with the limits that the flight software has for them, and shares of the queries without."""
    sent = max(1, closing.queries_sent)
    trip_c = d.PARAMETERS[d.P_TEMP_TRIP][2] / 100 - KELVIN_AT_0_C
    charge, heat_c = closing.fleet.charge_min["min"], closing.fleet.accelerator_max_c["max"]
    for name, value, unit, low, high in (
        ("differences of board and twin", closing.parity_mismatches, "", None, 0),
        ("queries answered", closing.answered / sent, "share", None, None),
        ("queries answered late", closing.late / sent, "share", None, None),
        ("least charge", charge, "share", _EMPTY_BATTERY, None),
        ("hottest accelerator", heat_c, "°C", None, trip_c),
    ):
        beyond = (low is not None and value < low) or (high is not None and value > high)
        record.add("measurements", name, float(value), unit, low, high, "fail" if beyond else "pass")


class Queries:
    """Writes queries with where their time went: when they are sent, when they end, and as they stand when a run
    stops."""

    def __init__(self, record: Record, ledger: Ledger) -> None:
        self._record = record
        self._ledger = ledger
        self._seen = 0  # accounts of the ledger that are known here
        self._ahead: list[tuple[int, int, Account]] = []
        self._open: dict[int, Account] = {}
        self._revision = 0

    def look(self, until_us: int) -> None:
        """A slot has ended at that time."""
        for account in self._ledger.accounts[self._seen :]:
            heappush(self._ahead, (account.query.sent_us, account.query.job, account))
        self._seen = len(self._ledger.accounts)
        sent = []
        while self._ahead and self._ahead[0][0] < until_us:
            sent.append(heappop(self._ahead)[2])
        self._open.update((account.query.job, account) for account in sent)
        ended = self.ended()
        for account in sent:
            if account.query.job not in ended:
                self._write(account)

    def ended(self) -> set[int]:
        """Writes those that have ended since the last look; their numbers."""
        ended = {job for job, account in self._open.items() if not account.open}
        for job in sorted(ended):
            self._write(self._open.pop(job))
        return ended

    def stop(self) -> None:
        """Writes those that are under way as they stand."""
        for account in self._open.values():
            self._write(account)

    def _write(self, account: Account) -> None:
        query, done = account.query, account.answered_us >= 0
        answer = (account.answered_us, account.guess, account.energy_j) if done else (None,) * 3
        self._revision += 1
        self._record.add(
            "queries",
            *(query.job, query.kind, account.node, query.place, query.image, account.label),
            *(query.priority, query.sent_us, query.deadline_s, *account.parts, *answer, account.tries),
            *(account.cause, self._revision),
        )
