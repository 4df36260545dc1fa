"""A roll-out over boards or twins of a small scenario, and what came of it."""

import asyncio
from pathlib import Path
from typing import Any

from ascnode.boards.interpreter import Interpreter
from ascnode.push.campaign import Plan, Result, roll_out
from ascnode.push.package import Package, model_package
from ascnode.push.pusher import Outcome
from ascnode.record.database import Record
from ascnode.scenario.payload import Payload, load_payload
from ascnode.scenario.scenario import Scenario
from push.ground import answer, other_image


def scenario(*faults: dict[str, Any], boards: int = 1, **keys: Any) -> Scenario:
    """So many boards for 3,000 s, under these faults."""
    values = {
        "name": "push",
        "duration_s": 3000,
        "constellation": {"name": "starlink-gen1-1", "boards": list(range(boards)), "compute": boards},
        "fault": list(faults),
        **keys,
    }
    return Scenario.model_validate(values)


def payload() -> Payload:
    return load_payload(scenario().payload, Path())


def model(inputs: Payload, right: bool = True) -> Package:
    """Another model for the payload's inputs; one whose self-test fails when it is not `right`."""
    data = inputs.images[0].tobytes()
    expected = answer(other_image(), data)
    return model_package(other_image(), data, expected if right else bytes(len(expected)))


def fly(
    folder: Path,
    flown: Scenario,
    package: Package,
    interpreter: Interpreter | None = None,
    **options: Any,
) -> Result:
    """One roll-out; the flash of its boards is kept in the folder."""
    number = len(list(folder.glob("push*.sqlite")))
    with Record(folder / f"push{number}.sqlite") as record:
        nodes = tuple(range(len(flown.space.boards)))
        plan = Plan(flown, payload(), package, nodes, folder / "flash", interpreter, **options)
        return asyncio.run(roll_out(plan, record, lambda name, have, of: None))


def only(result: Result) -> Outcome:
    (outcome,) = result.outcomes
    return outcome
