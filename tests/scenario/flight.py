"""Flies small scenarios in this process: simulated nodes, and twins in the place of boards."""

import asyncio
from pathlib import Path

from ascnode.boards.interpreter import Interpreter
from ascnode.record.database import Record
from ascnode.scenario.figures import Figures
from ascnode.scenario.hangar import Hangar
from ascnode.scenario.payload import load_payload
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import Scenario, load


def scenario(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def fly(flown: Scenario, record: Path, interpreter: Interpreter | None = None) -> tuple[Run, Figures, str]:
    """The run as it stands at its end, its figures, and its record's digest; with an interpreter boards fly."""

    async def body() -> tuple[Run, Figures, str]:
        payload = load_payload(flown.payload, flown.folder)
        with Record(record) as database:
            async with Hangar(flown, payload, interpreter, database) as hangar:
                run = Run(flown, hangar.flyers, payload, hangar.kind, database, hangar.injected)
                figures = await run.fly(lambda sim_s, boards: None)
            return run, figures, database.digest()

    return asyncio.run(body())
