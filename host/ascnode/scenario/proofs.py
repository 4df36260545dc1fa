"""What computed the answers of a run's boards, by the proof that each answer carries, and whether the proofs hold."""

from collections import Counter
from dataclasses import dataclass
from zlib import crc32

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.payload import Payload
from ascnode.session.telemetry import Packet
from ascnode_fw.wire import dictionary as d

_LEAST = 15 / 16  # of the predicted cycles: the prediction errs by less than 5 %
_MOST = 1.25  # of those at the operating point's clock: what a throttle in 256ths may miss in one run


@dataclass(frozen=True)
class ProofFigures:
    """`accelerator`: kind of the boards' accelerators. `engines`: answers by what computed them, in the dictionary's
    words. `wrong`: proofs that do not hold. `cycles`: measured over all accelerated answers, over what their operating
    points ask for; None without any."""

    accelerator: str
    engines: dict[str, int]
    wrong: int
    cycles: float | None


class Proofs:
    """Checks answers as the ground hears them."""

    def __init__(self, accelerator: str, hardware: Hardware, payload: Payload) -> None:
        self._accelerator = accelerator
        self._points = hardware.operating_points
        self._payload = payload
        self._engines: Counter[str] = Counter()
        self._wrong = 0
        self._measured = self._asked = 0.0

    def check(self, packet: Packet, data: bytes) -> bool:
        """Whether a result packet proves that the model, on the engine it names, gave this output for that input."""
        fields = packet.fields
        right = (
            fields["model"] == self._payload.model.model_id
            and fields["proof"] == crc32(packet.data, crc32(data))
            and packet.data == self._payload.answer(data)
            and self._cycles_hold(fields["engine"], fields["cycles"], fields["operating_point"])
        )
        engine = fields["engine"]
        self._engines[d.ENGINES[engine] if engine < len(d.ENGINES) else f"engine {engine}"] += 1
        self._wrong += not right
        return right

    def _cycles_hold(self, engine: int, measured: int, point: int) -> bool:
        if engine != d.ENGINE_ACCELERATOR:
            return measured == 0
        if self._accelerator == "none" or not 0 < point < len(self._points):
            return False
        asked = self._payload.cycles * self._points[-1].clock_khz / self._points[point].clock_khz
        self._measured += measured
        self._asked += asked
        return self._payload.cycles * _LEAST <= measured <= asked * _MOST

    def figures(self) -> ProofFigures:
        """Of all answers so far."""
        ratio = round(self._measured / self._asked, 5) if self._asked else None
        return ProofFigures(self._accelerator, dict(sorted(self._engines.items())), self._wrong, ratio)
