"""What the nodes are asked to do."""

from typing import Annotated, Literal

from pydantic import Field

from ascnode.scenario.tables.base import Positive, Table

Deadline = Annotated[int, Field(ge=1, le=86_400)]


class Payload(Table):
    """What is sent: by default the project's handwritten digits and its own model."""

    images: Annotated[str | None, Field(description=".npy of int8 inputs (n, ...), beside the scenario")] = (
        None
    )
    labels: Annotated[str | None, Field(description=".npy of n class numbers; without it no accuracy")] = None
    model: Annotated[str | None, Field(description="int8 .tflite that takes these inputs")] = None


class Inference(Table):
    """Many small queries from ground users, by population and time of day."""

    kind: Literal["inference"] = "inference"
    queries: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    burst: Annotated[int, Field(ge=1, le=1000, description="mean number from one city at a time")] = 8
    burst_s: Annotated[float, Field(ge=0, le=3600, description="over which a burst is spread")] = 10.0
    deadline_s: Annotated[Deadline, Field(description="after sending")] = 300
    start_s: Annotated[float, Field(ge=0)] = 0.0
    end_s: Annotated[Positive | None, Field(description="without it, a minute before the end")] = None


class Training(Table):
    """Synchronous waves: a coordinator hands out shards, workers compute, gradients come back, then the next."""

    kind: Literal["training"] = "training"
    workers: Annotated[int, Field(ge=1, le=4096)] = 16
    waves: Annotated[int, Field(ge=1, le=10_000)] = 10
    jobs: Annotated[int, Field(ge=1, le=16, description="inputs of a worker's shard; each is one job")] = 8
    gradient_kb: Annotated[Positive, Field(description="that a worker sends back after its shard")] = 256.0
    deadline_s: Annotated[Deadline, Field(description="of a wave")] = 600
    start_s: Annotated[float, Field(ge=0)] = 0.0


class Ping(Table):
    """Echo requests between users and their exchange points, by the latency model of the access link alone."""

    kind: Literal["ping"] = "ping"
    via: Annotated[
        Literal["bent-pipe", "lasers"],
        Field(description="cities below a gateway's satellites, or places 2,000 km from every gateway"),
    ] = "bent-pipe"
    slots: Annotated[
        int, Field(ge=1, le=5760, description="slots in which they are sent, spread over the run")
    ] = 24
    packets: Annotated[int, Field(ge=1, le=1000, description="of each user in such a slot")] = 20


Workload = Annotated[Inference | Training | Ping, Field(discriminator="kind")]
