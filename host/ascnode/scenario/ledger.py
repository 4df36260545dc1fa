"""The account of all queries: each is answered, refused, lost with a cause, or still on its way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.scenario.traffic import Query


@dataclass
class Account:
    """What became of one query."""

    query: Query
    label: int
    sequence: int = -1
    answered_us: int = -1
    energy_j: float = 0.0
    guess: int = -1
    cause: str = ""

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

    def __init__(self, queries: Sequence[Query], labels: Sequence[int]) -> None:
        self.accounts = [Account(query, int(labels[query.image])) for query in queries]

    def sent(self, job: int, sequence: int) -> None:
        """A query went up under that telecommand's sequence number."""
        self.accounts[job].sequence = sequence

    def answered(self, job: int, time_us: int, energy_j: float, output: bytes) -> None:
        """The ground heard an answer; a second copy of it changes nothing."""
        account = self.accounts[job]
        if account.answered_us < 0:
            account.answered_us, account.energy_j = time_us, energy_j
            logits = [byte - 256 if byte > 127 else byte for byte in output]
            account.guess = logits.index(max(logits))

    def failed(self, job: int, cause: str) -> None:
        """The ground heard that a job was refused or given up."""
        if self.accounts[job].answered_us < 0 and not self.accounts[job].cause:
            self.accounts[job].cause = cause

    def close(self) -> None:
        """The run is over: what has not come down by now is lost to its user."""
        for account in self.accounts:
            if account.answered_us < 0 and not account.cause:
                account.cause = "not down by the end" if account.sequence >= 0 else "never sent"

    @property
    def done(self) -> list[Account]:
        """Those that were answered."""
        return [account for account in self.accounts if account.answered_us >= 0]

    def causes(self) -> Counter[str]:
        """Lost queries by cause, those of a closed ledger."""
        return Counter(account.cause for account in self.accounts if account.answered_us < 0)
