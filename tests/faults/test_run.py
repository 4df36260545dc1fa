"""A whole scenario through a schedule of faults: the injector flies in the place of a flyer."""

import asyncio
from pathlib import Path
from typing import Any

from ascnode.faults.injector import Injector
from ascnode.faults.schedule import Injection, Schedule
from ascnode.record.database import Record
from ascnode.scenario.figures import Figures
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.ground import Gateways, Users
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.scenario.tables.work import Inference

SCENARIO = Scenario(
    name="faulty",
    orbits=0.3,
    constellation=ConstellationTable(name="starlink-gen1-1", boards=((0, 0), (18, 5)), compute="boards"),
    users=Users(cities=20),
    gateways=Gateways(sites=5),
    workload=(Inference(queries=60, deadline_s=900),),
)


def fly(folder: Path, *tables: dict[str, Any]) -> tuple[Figures, list[Injection]]:
    """Twins alone, each behind an injector."""
    injected: list[Injection] = []

    async def body() -> Figures:
        payload = load_payload(SCENARIO.payload, SCENARIO.folder)
        with Record(folder / f"{len(tables)}.sqlite") as record:
            async with Hangar(SCENARIO, payload, None, record) as hangar:
                schedule = Schedule.of(tables, SCENARIO.seed)
                flyers = [
                    Injector(flyer, schedule, SCENARIO.step_ms * 1000, injected.append)  # type: ignore[arg-type]
                    for flyer in hangar.flyers
                ]
                run = Run(SCENARIO, flyers, payload, hangar.kind, record)
                return await run.fly(lambda sim_s, boards: None)

    return asyncio.run(body()), injected


def test_a_run_with_no_faults_gives_the_figures_it_gives_without_an_injector(tmp_path: Path) -> None:
    async def plain() -> Figures:
        payload = load_payload(SCENARIO.payload, SCENARIO.folder)
        with Record(tmp_path / "plain.sqlite") as record:
            async with Hangar(SCENARIO, payload, None, record) as hangar:
                run = Run(SCENARIO, hangar.flyers, payload, hangar.kind, record)
                return await run.fly(lambda sim_s, boards: None)

    figures, injected = fly(tmp_path)
    assert injected == []
    assert figures == asyncio.run(plain())
    assert figures.answered > 10


def test_a_bad_radio_costs_answers_and_counts_none_twice(tmp_path: Path) -> None:
    quiet, _ = fly(tmp_path)
    figures, injected = fly(
        tmp_path,
        {"kind": "radio", "way": "up", "effect": "drop", "rate": 0.4, "start_s": 60},
        {"kind": "radio", "way": "down", "effect": "duplicate", "rate": 0.5},
        {"kind": "radio", "way": "down", "effect": "bit_errors", "rate": 1e-4},
        {"kind": "sensor", "sensor": "array", "effect": "noisy", "sigma": 20},
    )
    assert 0 < figures.answered < quiet.answered
    assert {one.kind for one in injected} == {"radio", "sensor"}
    assert {one.node for one in injected} == {"sat-0-0", "sat-18-5"}
