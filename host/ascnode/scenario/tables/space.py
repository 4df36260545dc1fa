"""Which satellites there are, which of them are boards, and which compute."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ascnode.scenario.tables.base import Table
from ascnode.sky.shells import Shell

Index = Annotated[int, Field(ge=0)]
Board = Index | tuple[Index, Index] | tuple[Index, Index, Index]


class ShellTable(Table):
    """One shell of circular orbits in Walker's pattern."""

    altitude_km: Annotated[float, Field(ge=160, le=2000, description="above 6378.137 km")] = 550.0
    inclination_deg: Annotated[float, Field(ge=0, le=180)] = 53.0
    planes: Annotated[int, Field(ge=1)] = 72
    per_plane: Annotated[int, Field(ge=1, description="satellites in each plane")] = 22
    phasing: Annotated[int, Field(ge=0, description="Walker's F")] = 0
    star: Annotated[bool, Field(description="nodes over 180 deg, not 360")] = False

    @model_validator(mode="after")
    def _flies(self) -> "ShellTable":
        self.shell()  # refuses what no shell can be
        return self

    def shell(self) -> Shell:
        """As the sky knows it."""
        return Shell(
            self.altitude_km, self.inclination_deg, self.planes, self.per_plane, self.phasing, self.star
        )


class ConstellationTable(Table):
    """Exactly one of name, code, file or shells."""

    name: Annotated[str | None, Field(description="a ready-made constellation, such as starlink-gen1-1")] = (
        None
    )
    code: Annotated[str | None, Field(description="a compact code, such as D:550:53.0:1584/72/39")] = None
    file: Annotated[str | None, Field(description="element sets: TLE or OMM, beside the scenario")] = None
    shells: Annotated[tuple[ShellTable, ...], Field(description="tables [[constellation.shells]]")] = ()
    boards: Annotated[
        tuple[Board, ...],
        Field(description="satellites that are boards: a number, [plane, slot] or [shell, plane, slot]"),
    ] = ()
    compute: Annotated[
        Literal["all", "boards"] | Annotated[int, Field(ge=1)],
        Field(description="which satellites hold a compute node; a number: boards and others, evenly spread"),
    ] = "all"

    @model_validator(mode="after")
    def _one(self) -> "ConstellationTable":
        given = [key for key in ("name", "code", "file", "shells") if getattr(self, key)]
        if len(given) != 1:
            said = f"{' and '.join(given)} are given" if given else "none of them is given"
            raise ValueError(f"it takes exactly one of name, code, file and shells: {said}")
        if self.compute == "boards" and not self.boards:
            raise ValueError('compute is "boards", and boards is empty')
        return self
