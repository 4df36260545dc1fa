"""A scenario: what flies, over whom, with which work and which seed. TOML, checked."""

import tomllib
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ascnode.errors import ScenarioError
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import hardware_files
from ascnode.sky.orbit import CircularOrbit, shell_satellite

Positive = Annotated[float, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shell(_Table):
    """Walker-like shell of circular orbits; satellites are named by (plane, slot)."""

    altitude_km: Annotated[float, Field(ge=160, le=2000)] = 550.0
    inclination_deg: Annotated[float, Field(ge=0, le=180)] = 53.0
    planes: Annotated[int, Field(ge=1)] = 72
    per_plane: Annotated[int, Field(ge=1)] = 22
    phasing: Annotated[int, Field(ge=0)] = 0
    boards: tuple[tuple[int, int], ...] = ((0, 0), (18, 5), (36, 11), (54, 16))

    @model_validator(mode="after")
    def _within(self) -> "Shell":
        if not self.boards:
            raise ValueError("boards is empty: name at least one satellite as [plane, slot]")
        for plane, slot in self.boards:
            if not (0 <= plane < self.planes and 0 <= slot < self.per_plane):
                raise ValueError(
                    f"board [{plane}, {slot}] lies outside {self.planes} planes of {self.per_plane} satellites"
                )
        if len(set(self.boards)) != len(self.boards):
            raise ValueError("boards names a satellite twice")
        self.orbit(*self.boards[0])  # refuses what no orbit can be
        return self

    def orbit(self, plane: int, slot: int) -> CircularOrbit:
        """The orbit of one satellite."""
        return shell_satellite(
            self.altitude_km, self.inclination_deg, self.planes, self.per_plane, self.phasing, plane, slot
        )


class Users(_Table):
    """Ground users: who sends how many queries, and how long they wait for an answer."""

    queries: Annotated[int, Field(ge=0, le=100_000)] = 400
    deadline_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    min_elevation_deg: Annotated[float, Field(ge=0, lt=90)] = 25.0
    # Queries come in bursts: this many from one city at a time, on the average.
    burst: Annotated[int, Field(ge=1, le=1000)] = 8


class Scenario(_Table):
    """Everything that a run follows from; the same scenario gives the same bytes."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "demo"
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 1
    epoch: AwareDatetime = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
    orbits: Positive = 1.0
    step_ms: Annotated[int, Field(ge=10, le=10_000)] = 1000
    round_s: Annotated[int, Field(ge=1, le=3600)] = 60
    profile: Literal["rp2040", "esp32"] = "rp2040"
    age_days: Annotated[int, Field(ge=0, le=10_957)] = 0
    radiator_face: Literal["sun", "antisun", "edge", "zenith", "nadir"] = "edge"
    shell: Shell = Shell()
    users: Users = Users()
    node: Hardware = Hardware()

    @property
    def duration_s(self) -> int:
        """Whole seconds of the run, at least one."""
        orbit = self.shell.orbit(*self.shell.boards[0])
        return max(1, round(self.orbits * orbit.period_s))


def demo_file() -> Path:
    """The scenario of `ascnode demo`."""
    return Path(str(resources.files("ascnode.scenario") / "demo.toml"))


def load(path: Path) -> Scenario:
    """ScenarioError, in one sentence that names the file and the key, when it cannot be read or makes no sense."""
    try:
        scenario = Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        hardware_files(
            scenario.node, scenario.step_ms
        )  # refuses what does not fit before anything is started
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
    key = ".".join(str(part) for part in one["loc"]) or "the scenario"
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "extra_forbidden":
        message = "is not a key that a scenario has"
    return f"{key}: {message[0].lower()}{message[1:]}"
