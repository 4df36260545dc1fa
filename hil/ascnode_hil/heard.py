"""What a test is told of a node: packets that its radio sent, answers, reports."""

from dataclasses import dataclass

from ascnode.session.telemetry import CODE_NAMES, EVENT_NAMES, Packet


@dataclass(frozen=True)
class Heard:
    """A telemetry packet and the time (us) at which its last byte left the radio."""

    sent_us: int
    packet: Packet
    raw: bytes

    @property
    def name(self) -> str:
        """As in the dictionary: acceptance, completion, event, housekeeping, result, parameter."""
        return self.packet.name

    @property
    def fields(self) -> dict[str, int]:
        """By the dictionary's names."""
        return self.packet.fields

    @property
    def sent_s(self) -> float:
        """The time in seconds."""
        return self.sent_us / 1e6

    @property
    def made_s(self) -> float:
        """When the node made it."""
        return self.packet.time_us / 1e6

    @property
    def code(self) -> str:
        """Of a report or result, by name; "ok" when nothing is wrong."""
        return CODE_NAMES.get(self.fields["code"], f"code {self.fields['code']}")

    @property
    def event(self) -> str:
        """Of an event, by name; empty for other packets."""
        return EVENT_NAMES.get(self.fields["event"], "unknown") if self.name == "event" else ""

    @property
    def value(self) -> int:
        """Of an event."""
        return self.fields["value"]


@dataclass(frozen=True)
class Answer:
    """A job's result: int8 logits, and what it was charged."""

    job: int
    code: str
    output: bytes
    duration_ms: int
    energy_j: float
    work_kcycles: int
    sent_s: float
    count: int

    @property
    def guess(self) -> int:
        """The class with the largest logit, the first of equals; -1 for a job without an output."""
        logits = [byte - 256 if byte > 127 else byte for byte in self.output]
        return logits.index(max(logits)) if logits else -1
