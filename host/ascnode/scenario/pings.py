"""Ping workloads: round trips over the access link, as the mesh's latency model has them."""

from dataclasses import dataclass, replace

import numpy as np

from ascnode.errors import ScenarioError
from ascnode.mesh.anchors import AccessScenario, bent_pipe, lasers, simulate
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.slots import gateways_of, users_of
from ascnode.scenario.tables.work import Ping


@dataclass(frozen=True)
class PingFigures:
    """rtt_ms of what came back; lost: shares of all packets by cause, and together."""

    via: str
    packets: int
    rtt_ms: dict[str, float]
    loss: float
    lost: dict[str, float]


def fly_pings(work: Ping, scenario: Scenario) -> PingFigures:
    """All packets of a ping workload; ScenarioError where the constellation has no name, code or file."""
    pings = simulate(access_scenario(work, scenario))
    came = pings.delivered_ms
    points = {"p5": 5, "p50": 50, "p95": 95, "p99": 99}
    rtt_ms = (
        {name: round(float(np.percentile(came, q)), 2) for name, q in points.items()} if len(came) else {}
    )
    lost = {name: round(share, 5) for name, share in pings.lost().items()}
    return PingFigures(
        work.via, len(pings.rtt_ms), rtt_ms, round(float(np.mean(pings.outcome != 0)), 5), lost
    )


def access_scenario(work: Ping, scenario: Scenario) -> AccessScenario:
    """The mesh's scenario of that kind with this scenario's sky, seed and length.

    Bent pipes take the scenario's users and gateways. Lasers take users far from all gateways, unless the scenario
    lists its users, and the few exchange points where traffic from lasers lands.
    """
    table = scenario.constellation
    named = table.name or table.code or (str(scenario.folder / table.file) if table.file else None)
    if named is None:
        raise ScenarioError("workload: pings need a constellation by name, code or file")
    base = bent_pipe() if work.via == "bent-pipe" else lasers()
    listed = isinstance(scenario.users.cities, tuple)
    if work.via == "bent-pipe":
        base = replace(base, gateways=gateways_of(scenario))
    if listed or work.via == "bent-pipe":
        base = replace(base, users=users_of(scenario))
    return replace(
        base,
        constellation=named,
        epoch=scenario.epoch,
        duration_s=float(scenario.length_s),
        slots=min(work.slots, max(1, scenario.length_s // 15)),
        packets=work.packets,
        seed=scenario.seed,
    )
