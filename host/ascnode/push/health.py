"""How well a node answers: accuracy on labelled images, and error counters, before and after a push."""

from collections.abc import Sequence
from dataclasses import dataclass

from ascnode.push.uplink import Uplink
from ascnode.scenario.ledger import guess_of
from ascnode.scenario.payload import Payload
from ascnode_fw.wire import dictionary as d

# A node that spares itself says so: that is no fault of its model, and it is asked again.
_LATER = {d.QUEUE_FULL, d.NO_ENERGY, d.TOO_HOT, d.TOO_LATE, d.SHED, d.EXPIRED, d.UPDATE_BUSY}
_AGAIN_S = 60.0
_TRIES = 30
_DEADLINE_S = 600
_JOBS = 1 << 28  # numbers of these queries, apart from others'


@dataclass(frozen=True)
class Health:
    """Of `asked` queries so many right answers; `errors` counts refusals, failures, missing answers, severe events."""

    asked: int
    right: int
    errors: int

    def worse_than(self, before: "Health", tolerance: float) -> str:
        """Why it is, as the end of a sentence; "" when it is not. `tolerance`: share of answers that may get wrong."""
        if self.right < before.right - tolerance * self.asked:
            return f"{self.right} of {self.asked} answers are right, and {before.right} were before"
        if self.errors > before.errors:
            return f"{self.errors} errors, and {before.errors} before"
        return ""


async def measure(uplink: Uplink, payload: Payload, images: Sequence[int]) -> Health:
    """Asks the node what it makes of these images of the payload, one after the other."""
    severe = sum(uplink.severe.values())
    model_id = (await uplink.status()).fields["model"]
    right = errors = 0
    for number, image in enumerate(images):
        output = await _answer(uplink, payload.images[image].tobytes(), model_id, _JOBS + number)
        if output is None:
            errors += 1
        elif guess_of(output) == payload.label(image):
            right += 1
    return Health(len(images), right, errors + sum(uplink.severe.values()) - severe)


async def _answer(uplink: Uplink, data: bytes, model_id: int, job: int) -> bytes | None:
    # The model's output, None when the node fails to give one.
    for _ in range(_TRIES):
        uplink.results.pop(job, None)
        deadline_s = int(uplink.now_s) + _DEADLINE_S
        code, _ = await uplink.ask("query", job, model_id, 0, deadline_s, data=data)
        if not code:
            code = await _result(uplink, job, deadline_s)
        if not code:
            return uplink.results[job].data
        if code not in _LATER:
            return None
        await uplink.wait(_AGAIN_S)
    return None


async def _result(uplink: Uplink, job: int, deadline_s: int) -> int:
    # The result's code; EXPIRED when none comes.
    while job not in uplink.results and uplink.now_s < deadline_s:
        await uplink.contact()
        await uplink.wait(5)
    if job not in uplink.results:
        return d.EXPIRED
    return uplink.results[job].fields["code"]
