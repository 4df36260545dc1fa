"""Compiles the kernels that a run needs, so that numba's cache has them: `python -m ascnode.scenario.kernels`."""

import asyncio
import tempfile
from pathlib import Path

from ascnode.record.database import Record
from ascnode.scenario import slot
from ascnode.scenario.payload import load_payload
from ascnode.scenario.run import Run
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.ground import Lasers
from ascnode.scenario.tables.policy import Fault
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.scenario.tables.work import Inference

# A few slots that pass through every kernel: satellites in planes, and one of them out.
SHORT = Scenario(
    duration_s=45,
    constellation=ConstellationTable(name="starlink-gen1-1", compute=10),
    lasers=Lasers(layout="both"),
    workload=(Inference(queries=20),),
    fault=(Fault(kind="outage", at_s=20, for_s=10, satellite=3),),
)


def cached() -> bool:
    """Whether a run has left compiled kernels beside the sources, where numba keeps them if it may write there."""
    return any((Path(slot.__file__).parent / "__pycache__").glob("slot.*.nbi"))


def compile_kernels() -> None:
    """Flies the short scenario; seconds when they are cached."""
    payload = load_payload(SHORT.payload, SHORT.folder)
    with tempfile.TemporaryDirectory() as folder, Record(Path(folder) / "run.sqlite") as record:
        asyncio.run(Run(SHORT, [], payload, "twin", record).fly(lambda sim_s, boards: None))


if __name__ == "__main__":
    compile_kernels()
