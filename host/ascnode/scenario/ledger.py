"""The account of all queries: each is answered, lost with a cause, or still on its way, with where its time went."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ascnode.scenario.traffic import Query

UPLINK, MESH, QUEUE, COMPUTE, WAIT, DOWNLINK = range(6)
PARTS = ("uplink", "mesh", "queue", "compute", "wait", "downlink")
"""Where a query's time goes: up to its satellite (waiting for a turn, airtime, light), between satellites both ways
(waiting for a route, too), waiting in the node, computing, waiting for a turn of the downlink, down."""

NOT_DOWN = "not down by the end"


@dataclass(eq=False)
class Account:
    """What became of one query. Its parts add up to its latency at any time: `mark_us` is how far they reach."""

    query: Query
    label: int  # -1: the payload has none
    node: int = -1
    answered_us: int = -1
    energy_j: float = 0.0
    guess: int = -1
    cause: str = ""
    tries: int = 0
    mark_us: int = 0
    parts: list[int] = field(default_factory=lambda: [0] * len(PARTS))

    def __post_init__(self) -> None:
        self.mark_us = self.query.sent_us

    def spend(self, part: int, until_us: int) -> None:
        """The time since the last mark went to that part."""
        self.parts[part] += until_us - self.mark_us
        self.mark_us = until_us

    @property
    def open(self) -> bool:
        """Neither answered nor lost."""
        return self.answered_us < 0 and not self.cause

    @property
    def latency_s(self) -> float:
        """From the user's sending to the ground's hearing the answer."""
        return (self.answered_us - self.query.sent_us) / 1e6

    @property
    def late(self) -> bool:
        """Answered after its deadline."""
        return self.answered_us > self.query.deadline_s * 1_000_000


class Ledger:
    """Accounts by job number."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.accounts = list(accounts)

    def add(self, query: Query, label: int) -> Account:
        """Opens the account of a query, whose job number is the next."""
        if query.job != len(self.accounts):
            raise ValueError(f"job {query.job} comes after {len(self.accounts)} accounts")
        self.accounts.append(Account(query, label))
        return self.accounts[-1]

    def close(self) -> None:
        """The run is over: what has not come down by now is lost to its user."""
        for account in self.accounts:
            if account.open:
                account.cause = NOT_DOWN

    @property
    def done(self) -> list[Account]:
        """Those that were answered."""
        return [account for account in self.accounts if account.answered_us >= 0]

    def causes(self) -> Counter[str]:
        """Lost queries by cause, those of a closed ledger."""
        return Counter(account.cause for account in self.accounts if account.answered_us < 0)


def answered(account: Account, time_us: int) -> None:
    """The ground heard an answer; a second copy of it changes nothing."""
    if account.open:
        account.answered_us = time_us


def failed(account: Account, cause: str) -> None:
    """A query is lost; the first cause stands."""
    if account.open:
        account.cause = cause


def guess_of(output: bytes | Sequence[int]) -> int:
    """The class with the greatest int8 logit, the first of equals."""
    logits = [value - 256 if value > 127 else value for value in output]
    return logits.index(max(logits))
