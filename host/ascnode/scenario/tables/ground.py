"""Ground users and gateways: where they are, and what links them to satellites."""

from typing import Annotated, Literal

from pydantic import Field

from ascnode.scenario.tables.base import Elevation, Positive, Share, Table

Sites = Literal["all"] | Annotated[int, Field(ge=1)] | tuple[str, ...]


class Users(Table):
    """Where queries come from."""

    cities: Annotated[Sites, Field(description='"all", the N largest, or a list of CITY or "LAT,LON"')] = (
        "all"
    )
    min_elevation_deg: Elevation = 25.0
    night_share: Annotated[
        Share, Field(description="demand at 4 h local solar time, over that at 16 h [A]")
    ] = 0.3


class Gateways(Table):
    """Ground stations with many antennas: telemetry comes down here, and answers if [downlink] says so."""

    sites: Annotated[
        Sites | Literal["none"],
        Field(description='"all" of the table, the first N, "none", or a list of CITY or "LAT,LON"'),
    ] = "all"
    antennas: Annotated[int, Field(ge=1, description="satellites that one gateway tracks at a time")] = 8


class Downlink(Table):
    """Slots of 15 s at :12 :27 :42 :57, and inside them turns of 1/750 s."""

    to: Annotated[Literal["user", "gateway"], Field(description="where answers come down")] = "user"
    beams: Annotated[int, Field(ge=1, description="cells that a satellite serves at a time")] = 8
    cell_users: Annotated[
        int, Field(ge=1, le=750, description="terminals of a cell that share its turns [A]")
    ] = 16
    rate_mbps: Annotated[Positive, Field(description="of a beam, down and up")] = 100.0
    disturbance_ms: Annotated[float, Field(ge=0, le=1000, description="no turns after a slot's edge")] = 140.0
    loss: Annotated[Share, Field(description="packets lost on a ground link in fair weather")] = 0.005
    loss_low: Annotated[Share, Field(description="the same at the least elevation; between, by 1/sin")] = 0.02
    rain_margin_db: Annotated[
        Positive,
        Field(description="fade that a ground link stands [A]; rain beyond it holds it down for a slot"),
    ] = 6.0
    tries: Annotated[int, Field(ge=1, le=100, description="how often an answer is sent in all")] = 8
    gso_deg: Annotated[Elevation, Field(description="kept from the geostationary arc; 0 for none")] = 22.0


class Lasers(Table):
    """Links between satellites."""

    layout: Literal["grid", "nearest", "both", "none"] = "grid"
    max_range_km: Positive = 5000.0
    acquisition_s: Annotated[float, Field(ge=0, le=600)] = 12.0
    outage_share: Annotated[Share, Field(description="of the links, down at random in each minute")] = 0.0
    rate_mbps: Annotated[Positive, Field(description="each way")] = 10_000.0
    hop_us: Annotated[int, Field(ge=0, le=1_000_000, description="to forward in a satellite [A]")] = 100
    buffer_mb: Annotated[Positive, Field(description="of a satellite, for what waits for a route")] = 16.0
