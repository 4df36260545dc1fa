"""A scenario: what flies, over whom, with which work and which seed. TOML, checked."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationError

from ascnode.boards.accelerators import AcceleratorKind
from ascnode.errors import ScenarioError
from ascnode.faults import schedule as faults
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import hardware_files
from ascnode.scenario.space import Space
from ascnode.scenario.tables.base import Positive, Table
from ascnode.scenario.tables.faults import AnyFault
from ascnode.scenario.tables.ground import Downlink, Gateways, Lasers, Users
from ascnode.scenario.tables.policy import Cap, Policy
from ascnode.scenario.tables.space import ConstellationTable
from ascnode.scenario.tables.work import Inference, Payload, Workload


class Scenario(Table):
    """Everything that a run follows from; the same scenario gives the same bytes."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "run"
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    epoch: Annotated[AwareDatetime, Field(description="with a time zone")] = datetime(
        2026, 3, 20, 12, 0, tzinfo=UTC
    )
    orbits: Annotated[Positive, Field(description="length of the run, in orbits of the first satellite")] = (
        1.0
    )
    duration_s: Annotated[
        Annotated[int, Field(ge=1, le=10**9)] | None, Field(description="length in s, in place of orbits")
    ] = None
    step_ms: Annotated[int, Field(ge=10, le=10_000, description="control period")] = 1000
    profile: Annotated[Literal["rp2040", "esp32"], Field(description="of the virtual boards")] = "rp2040"
    plant: Annotated[
        Literal["board", "host"],
        # what is as ever is left out, so that the digests of earlier runs stay
        Field(description="where the boards' plants run", exclude_if=lambda where: where == "board"),
    ] = "board"
    accelerator: Annotated[
        AcceleratorKind,
        Field(
            description="beside each virtual board, and what simulated nodes compute as fast as",
            exclude_if=lambda kind: kind == "none",
        ),
    ] = "none"
    age_days: Annotated[int, Field(ge=0, le=10_957, description="of all nodes")] = 0
    radiator_face: Literal["sun", "antisun", "edge", "zenith", "nadir"] = "edge"
    constellation: ConstellationTable = ConstellationTable(name="starlink-gen1-1")
    users: Users = Users()
    gateways: Gateways = Gateways()
    downlink: Downlink = Downlink()
    lasers: Lasers = Lasers()
    payload: Payload = Payload()
    policy: Policy = Policy()
    workload: Annotated[tuple[Workload, ...], Field(description="tables [[workload]]")] = (Inference(),)
    cap: Annotated[tuple[Cap, ...], Field(description="tables [[cap]]")] = ()
    fault: Annotated[tuple[AnyFault, ...], Field(description="tables [[fault]]")] = ()
    node: Hardware = Hardware()
    folder: Annotated[Path, Field(exclude=True, description="where the files that it names lie")] = Path()

    @cached_property
    def space(self) -> Space:
        """The satellites that the constellation's table means; ScenarioError when it means none."""
        return Space.of(self.constellation, self.epoch, self.folder)

    def board_faults(self) -> faults.Schedule:
        """The faults of its boards, each naming one as the run does; ScenarioError for one that hits none."""
        found = {
            i: self._placed(i, one) for i, one in enumerate(self.fault) if isinstance(one, faults.BoardFault)
        }
        return faults.Schedule(found.values(), self.seed, list(found))

    def _placed(self, number: int, one: faults.Fault) -> faults.Fault:
        space, key = self.space, f"fault.{number}.node"
        if not space.boards:
            raise ScenarioError(f"{key}: a {one.kind} fault hits boards, and there are none")
        if one.node == "*":
            return one
        name = one.node if isinstance(one.node, str) else space.name(space.number(one.node, key))
        if name not in map(space.name, space.boards):
            raise ScenarioError(f"{key}: {name} is not a board of this scenario")
        return one.model_copy(update={"node": name})

    def without_boards(self) -> "Scenario":
        """The same, with simulated nodes in the places of its boards."""
        return self.model_copy(update={"space": replace(self.space, boards=())})

    @property
    def length_s(self) -> int:
        """Whole seconds of the run, at least one."""
        if self.duration_s is not None:
            return self.duration_s
        return max(1, round(self.orbits * self.space.orbit(0).period_s))


def ready_made(name: str) -> Path:
    """A scenario that ships with ascnode, such as `demo` or `stress`."""
    return Path(str(resources.files("ascnode.scenario") / f"{name}.toml"))


def load(path: Path) -> Scenario:
    """ScenarioError, in one sentence that names the file and the key, when it cannot be read or makes no sense."""
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8"))
        if "folder" in keys:
            raise ScenarioError("folder: is not a key that a scenario has")
        scenario = Scenario.model_validate({**keys, "folder": path.parent})
        # refuses what does not fit before anything is started
        hardware_files(scenario.node, scenario.step_ms)
        scenario.board_faults()
        return scenario
    except ScenarioError as e:
        raise ScenarioError(f"{path}: {e}") from None
    except OSError as e:
        raise ScenarioError(f"{path}: {e.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}: not a text file") from None
    except tomllib.TOMLDecodeError as e:
        raise ScenarioError(f"{path}: not TOML: {e}") from None
    except ValidationError as e:
        raise ScenarioError(f"{path}: {_first(e)}") from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    # of a fault, what pydantic puts after its number is its kind, and none of its keys
    loc = one["loc"][:2] + one["loc"][3:] if one["loc"][:1] == ("fault",) else one["loc"]
    key = ".".join(map(str, loc)) or "the scenario"
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "extra_forbidden":
        message = "is not a key that a scenario has"
    return f"{key}: {message[0].lower()}{message[1:]}"
