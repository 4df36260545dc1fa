"""One board as the display shows it."""

from dataclasses import dataclass

from ascnode.faults.armed import mode_of
from ascnode.faults.injector import Injector
from ascnode.scenario.board import Flyer
from ascnode.twin.hosted import HostedPlant
from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_


@dataclass(frozen=True)
class Status:
    """Charge as a share of the battery; jobs_done counts answers since the run began."""

    name: str
    mode: str
    charge: float
    accelerator_c: float
    radiator_c: float
    operating_point: int
    jobs: int
    packets: int
    contact: bool
    sunlit: bool
    jobs_done: int


def status_of(flyer: Flyer) -> Status:
    """From the twin's own words."""
    node = flyer.twin.node
    plant = flyer.plant if isinstance(flyer, Injector | HostedPlant) else node.plant
    f = node.computer.f
    return Status(
        name=flyer.name,
        mode=mode_of(flyer.twin),
        charge=f[f_.SOC] / 1000,
        accelerator_c=f[f_.ACCELERATOR_CK] / 100 - 273.15,
        radiator_c=f[f_.RADIATOR_CK] / 100 - 273.15,
        operating_point=f[f_.OP],
        jobs=node.computer.tasks.held(),
        packets=node.computer.links.held(),
        contact=bool(f[f_.CONTACT]),
        sunlit=plant.state[p_.ILLUMINATION] > 512,
        jobs_done=f[f_.JOBS_DONE],
    )
