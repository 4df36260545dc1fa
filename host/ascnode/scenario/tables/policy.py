"""How queries are placed, what power the nodes may take, and what goes wrong."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ascnode.scenario.tables.base import Positive, Seconds, Table

PLACEMENTS = ("nearest", "random", "least-queue", "headroom")
Placement = Literal["nearest", "random", "least-queue", "headroom"]


class Policy(Table):
    """Who gets a query. The weights are those of `headroom`'s cost."""

    placement: Placement = "headroom"
    battery: Annotated[float, Field(ge=0, description="weight of the barrier before the battery reserve")] = (
        1.0
    )
    heat: Annotated[float, Field(ge=0, description="weight of the barrier before the trip temperature")] = 1.0
    queue: Annotated[float, Field(ge=0, description="weight of the barrier before a full queue")] = 1.0
    delay: Annotated[float, Field(ge=0, description="weight of a second until the answer")] = 1.0


class Cap(Table):
    """Demand response: from at_s on, for_s long, the nodes keep within a power."""

    at_s: Seconds
    for_s: Positive
    each_w: Annotated[Positive | None, Field(description="for every node")] = None
    total_w: Annotated[
        Positive | None, Field(description="for all compute nodes together, in equal shares")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> "Cap":
        if (self.each_w is None) == (self.total_w is None):
            raise ValueError("it takes one of each_w and total_w")
        return self


Index = Annotated[int, Field(ge=0)]


class Fault(Table):
    """What is out, from the first slot at or after at_s, for_s long; or at random, rate_per_day times a day.

    A `failure` never ends: the node's queue is lost. In an `outage` or a `manoeuvre` it is off the links, keeps
    its battery and its queue, and does not work.
    """

    kind: Literal["failure", "outage", "manoeuvre", "link", "gateway"]
    at_s: Annotated[Seconds | None, Field(description="when; without it, at random")] = None
    for_s: Annotated[Positive, Field(description="how long; not for a failure")] = 300.0
    rate_per_day: Annotated[Positive | None, Field(description="of each satellite, link or gateway")] = None
    satellite: Annotated[Index | None, Field(description="one end of a link, too")] = None
    other: Annotated[Index | None, Field(description="a link's other end")] = None
    gateway: Annotated[str | None, Field(description="its name")] = None

    @model_validator(mode="after")
    def _whole(self) -> "Fault":
        if (self.at_s is None) == (self.rate_per_day is None):
            raise ValueError("it takes one of at_s and rate_per_day")
        named = {key for key in ("satellite", "other", "gateway") if getattr(self, key) is not None}
        wanted = {"gateway": {"gateway"}, "link": {"satellite", "other"}}.get(self.kind, {"satellite"})
        if self.at_s is not None and named != wanted:
            raise ValueError(
                f"a {self.kind} at a time names {' and '.join(sorted(wanted))}, and nothing else"
            )
        if self.rate_per_day is not None and named:
            raise ValueError(
                f"a {self.kind} at a rate befalls any: it does not name {' or '.join(sorted(named))}"
            )
        return self
