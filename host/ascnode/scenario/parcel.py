"""Bytes on their way, and the causes by which they are lost there."""

from dataclasses import dataclass

from ascnode.scenario.ledger import Account

LOST_UP = "lost on the uplink"
LOST_DOWN = "lost on the downlink"
NO_SATELLITE = "no satellite in view"
NO_ROUTE = "no route"
BUFFER_FULL = "queue full on the way"
ANYWHERE = -1  # a query's node is not chosen yet; an answer's user moves from satellite to satellite


@dataclass
class Parcel:
    """Bytes of one account on their way. `at`: the satellite where they are; `to`: where they go, or ANYWHERE."""

    kind: str  # query, answer, shard or gradient
    account: Account
    size: int
    at: int
    to: int
    ready_us: int
    jobs: tuple[Account, ...] = ()


@dataclass
class Bytes:
    """What the links were asked to carry, and what became of it."""

    offered: int = 0
    delivered: int = 0
    lost: int = 0


def by_time(parcel: Parcel) -> tuple[int, int, str]:
    """In which parcels move."""
    return parcel.ready_us, parcel.account.query.job, parcel.kind
