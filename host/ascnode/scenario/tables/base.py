"""What all tables of a scenario file share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Elevation = Annotated[float, Field(ge=0, lt=90)]


class Table(BaseModel):
    """Frozen; a key that it does not have is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
