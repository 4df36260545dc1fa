"""Every query and every byte is delivered, lost with a cause, or still where it waits, whatever goes wrong."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ascnode.scenario.ledger import NOT_DOWN
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.ground import Downlink, Gateways, Lasers, Users
from ascnode.scenario.tables.policy import PLACEMENTS, Cap, Fault, Policy
from ascnode.scenario.tables.space import ConstellationTable, ShellTable
from ascnode.scenario.tables.work import Inference, Training
from scenario.flight import fly

SHELL = ShellTable(altitude_km=1200, inclination_deg=53, planes=8, per_plane=8, phasing=1)
shares = st.sampled_from([0.0, 0.3, 1.0])


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from(["failure", "outage", "manoeuvre", "link", "gateway"]))
    if kind != "link" and draw(st.booleans()):
        return Fault(kind=kind, rate_per_day=draw(st.sampled_from([5.0, 500.0])), for_s=60)
    at_s, for_s = draw(st.integers(0, 300)), draw(st.integers(1, 300))
    if kind == "gateway":
        return Fault(kind=kind, at_s=at_s, for_s=for_s, gateway="Seattle east")
    one, other = draw(st.lists(st.integers(0, 63), min_size=2, max_size=2, unique=True))
    if kind == "link":
        return Fault(kind=kind, at_s=at_s, for_s=for_s, satellite=one, other=other)
    return Fault(kind=kind, at_s=at_s, for_s=for_s, satellite=one)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    training = Training(
        workers=5, waves=3, jobs=3, gradient_kb=draw(st.sampled_from([1, 5000])), deadline_s=90
    )
    inference = Inference(
        queries=draw(st.integers(0, 150)),
        burst=draw(st.integers(1, 40)),
        deadline_s=draw(st.sampled_from([1, 20, 300])),
    )
    return Scenario(
        seed=draw(st.integers(0, 1000)),
        duration_s=draw(st.integers(30, 400)),
        constellation=ConstellationTable(shells=(SHELL,), compute=draw(st.sampled_from(["all", 3]))),
        users=Users(cities=draw(st.sampled_from([2, 30])), min_elevation_deg=10),
        gateways=Gateways(sites=draw(st.sampled_from(["none", 5]))),
        downlink=Downlink(
            to=draw(st.sampled_from(["user", "gateway"])),
            loss=draw(shares),
            loss_low=1.0,
            rate_mbps=draw(st.sampled_from([0.05, 100.0])),
            tries=draw(st.sampled_from([1, 8])),
            gso_deg=0,
        ),
        lasers=Lasers(
            layout=draw(st.sampled_from(["grid", "nearest", "none"])),
            outage_share=draw(shares),
            rate_mbps=draw(st.sampled_from([0.01, 1000.0])),
            buffer_mb=draw(st.sampled_from([0.0002, 16.0])),
        ),
        policy=Policy(placement=draw(st.sampled_from(PLACEMENTS))),
        workload=(inference, training) if draw(st.booleans()) else (inference,),
        cap=(Cap(at_s=50, for_s=100, each_w=70),) if draw(st.booleans()) else (),
        fault=tuple(draw(st.lists(faults(), max_size=3))) if draw(st.booleans()) else (),
    )


def gateway_exists(flown: Scenario) -> bool:
    return flown.gateways.sites != "none" or not any(fault.kind == "gateway" for fault in flown.fault)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios().filter(gateway_exists))
def test_nothing_is_lost_without_a_cause(flown: Scenario) -> None:
    with TemporaryDirectory() as folder:
        run, figures, _ = fly(flown, Path(folder) / "run.sqlite")
    assert figures.queries_sent == figures.answered + figures.lost
    assert sum(figures.causes.values()) == figures.lost
    # what is not down is found where it waits, each once
    assert figures.held == figures.causes.get(NOT_DOWN, 0)
    mesh = figures.mesh
    assert mesh.bytes_offered == mesh.bytes_delivered + mesh.bytes_lost + mesh.bytes_waiting
    for account in run.ledger.done:
        assert sum(account.parts) == account.answered_us - account.query.sent_us
        assert min(account.parts) >= 0
        assert not account.cause
