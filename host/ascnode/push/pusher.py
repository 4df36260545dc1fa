"""One node's push: asks what it has, sends what is missing, has it verified and committed, and sees what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from ascnode.push.package import Package
from ascnode.push.uplink import NoContactError, Uplink
from ascnode.session.telemetry import CODE_NAMES, Packet
from ascnode_fw.flight import slots
from ascnode_fw.flight import update_words as u_
from ascnode_fw.flight.transfer import CHUNKS
from ascnode_fw.wire import dictionary as d

IN_USE, ROLLED_BACK, REFUSED, UNFINISHED = "in use", "rolled back", "refused", "unfinished"
_CAUSES = {
    slots.UNCONFIRMED: "not confirmed in time",
    slots.CRASHED: "it crashed",
    slots.COMMANDED: "commanded",
    slots.DAMAGED: "damaged on the flash",
}
_SETTLE_TRIES = 60

Progress = Callable[[int, int], None]
"""Told of how many chunks a node has, of how many."""


@dataclass
class Outcome:
    """What came of a push to one node. `old` and `new` are model ids, or slots of a firmware."""

    node: str
    old: str = ""
    new: str = ""
    size: int = 0
    sent: int = 0
    resent: int = 0
    contacts: int = 0
    self_test: str = "-"
    state: str = UNFINISHED
    why: str = ""


class Pusher:
    """Pushes a package to one node, under the node's key."""

    def __init__(
        self, uplink: Uplink, package: Package, key: bytes, key_index: int, boots: int, trial_s: int
    ) -> None:
        self.outcome = Outcome(uplink.satellite.name, size=len(package.data))
        self._uplink = uplink
        self._package = package
        self._key = key
        self._key_index = key_index
        self._trial = (boots, trial_s) if package.kind == d.UPDATE_FIRMWARE else (0, 0)

    async def push(self, progress: Progress) -> Outcome:
        """To its end, or the flight's: UNFINISHED then, and the next push goes on."""
        try:
            await self._push(progress)
        except NoContactError as error:
            self.outcome.why = str(error).partition(": ")[2]
        self.outcome.contacts = len(self._uplink.contacts)
        return self.outcome

    async def _push(self, progress: Progress) -> None:
        status = await self._uplink.status()
        self.outcome.old = self.outcome.new = self._name(status)
        if self._has(status):
            await self._uplink.ask("update_abort")  # what a cut may have left behind
            self.outcome.state, self.outcome.why = IN_USE, "it had it"
            progress(len(self._package.chunks()), len(self._package.chunks()))
            return
        package = self._package
        arguments = (package.kind, self._key_index, len(package.data))
        data = package.signed(self._key, self._key_index)
        if (
            await self._obeyed("update_begin", *arguments, data=data)
            and await self._send_missing(progress)
            and await self._obeyed("update_verify")
        ):
            await self._commit(status)

    def _name(self, status: Packet) -> str:
        if self._package.kind == d.UPDATE_MODEL:
            return f"{status.fields['model']:08x}"
        return f"slot {status.fields['firmware_slot']}"

    def _has(self, status: Packet) -> bool:
        return self._package.kind == d.UPDATE_MODEL and status.fields["model"] == self._package.model_id

    async def _obeyed(self, name: str, *arguments: int, data: bytes = b"") -> bool:
        code, _ = await self._uplink.ask(name, *arguments, data=data)
        if code:
            if code == d.UPDATE_NOT_OPEN:  # the report that said why was lost on its way down
                code = (await self._uplink.status()).fields["failed"] or code
            self.outcome.state, self.outcome.why = REFUSED, _words(code)
        return not code

    # --- chunks

    async def _send_missing(self, progress: Progress) -> bool:
        chunks = self._package.chunks()
        known: set[int] = set()
        while True:
            missing = await self._missing(len(chunks))
            if missing is None:
                self.outcome.state, self.outcome.why = REFUSED, "the node has dropped what came"
                return False
            progress(len(chunks) - len(missing), len(chunks))
            if not missing:
                return True
            parts = [((chunks[number][0],), chunks[number][1]) for number in missing]
            sent = missing[: await self._uplink.send("update_chunk", parts)]
            self.outcome.sent += len(set(sent) - known)
            self.outcome.resent += len(set(sent) & known)
            known.update(sent)

    async def _missing(self, count: int) -> list[int] | None:
        # Numbers of the chunks that the node has not; None when it knows nothing of this image.
        here = b""
        while len(here) < self._package.blocks:
            status = await self._uplink.status(len(here))
            if status.fields["hash"] != self._package.mark or not status.data:
                return None
            here += status.data
        return [number for number in range(count) if not here[number // CHUNKS] >> number % CHUNKS & 1]

    # --- the swap

    async def _commit(self, before: Packet) -> None:
        for _ in range(_SETTLE_TRIES):
            status = await self._uplink.status()
            if self._settled(status):
                await self._settle(before, status)
                return
            if status.fields["state"] == u_.OPEN:  # a reset on the way
                await self._uplink.ask("update_verify")
            elif status.fields["state"] == u_.VERIFIED:
                await self._uplink.ask("update_commit", *self._trial)
            await self._uplink.wait(10)
        self.outcome.why = "the node's jobs do not end"

    def _settled(self, status: Packet) -> bool:
        # A firmware's trial has begun, or nothing is left of the update.
        if status.fields["firmware_trial"]:
            return True
        return status.fields["state"] == u_.NONE

    async def _settle(self, before: Packet, status: Packet) -> None:
        if self._package.kind == d.UPDATE_FIRMWARE:
            await self._settle_firmware(before, status)
            return
        self.outcome.new = self._name(status)
        passed = self._has(status)
        self.outcome.self_test = "passed" if passed else "failed"
        self.outcome.state = IN_USE if passed else ROLLED_BACK
        if not passed:
            code = status.fields["failed"]
            self.outcome.why = _words(code) if code else "the node was reset and does not know why"
            if code != d.UPDATE_SELF_TEST:
                self.outcome.self_test = "not run"

    async def _settle_firmware(self, before: Packet, status: Packet) -> None:
        # It answers on trial, in a second packet after its reset as well: that is what is confirmed.
        slot = status.fields["firmware_trial"]
        if slot:
            await self._uplink.ask("ping")
            await self._uplink.ask("update_confirm")
            status = await self._uplink.status()
        self.outcome.new = self._name(status)
        if slot and status.fields["firmware_slot"] == slot:
            self.outcome.self_test, self.outcome.state = "passed", IN_USE
        else:
            self.outcome.self_test, self.outcome.state = "failed", ROLLED_BACK
            self.outcome.why = _CAUSES.get(status.fields["rolled_back"], "not installed")


def _words(code: int) -> str:
    return CODE_NAMES.get(code, f"code {code}")
