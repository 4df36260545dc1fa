"""Updates by radio: a model or a firmware is taken in chunks, verified, and swapped in at once when no job runs.

Nothing is used before its hash, its signature and itself have been looked at. A model that fails its self-test gives
way to the one before it; a firmware starts on trial, and its board goes back to the one before unless it is confirmed.
"""

import gc
import struct

from ascnode_fw.accel.package import open_package
from ascnode_fw.compat import const
from ascnode_fw.flight import install, slots
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight import update_words as u_
from ascnode_fw.flight.links import PACKET_MAX
from ascnode_fw.flight.transfer import BLOCK, BLOCKS_MAX, FOLDER, Head, Transfer, code_of, signed_text
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import Signer, same
from ascnode_fw.wire.packet import MAC_BYTES, TM_BYTES

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.node import Node

HASH_BYTES = const(32)
_REPORT_S = const(10)  # before a reset, for reports to go down
_TRIAL_MAX_S = const(1 << 28)
_MAP_MAX = (
    PACKET_MAX - TM_BYTES - struct.calcsize(d.TELEMETRY[d.TM_UPDATE - 1][2])
)  # blocks in a status packet


class Update:
    """One node's updates. Their state is words of the flight computer (`UPDATE_...` of flight/layout.py)."""

    def __init__(self, node: "Node", buffer: bytearray) -> None:
        self.node = node
        self.words = node.computer.update
        self.transfer = Transfer(node.store, self.words, buffer)

    def boot(self) -> None:
        # After a reset: what was on its way goes on, and what the loader did is told.
        w = self.words
        self.transfer.look()
        if self.transfer.head is not None:
            w[u_.STATE] = u_.OPEN
            w[u_.KIND] = self.transfer.head.kind
            w[u_.SIZE] = self.transfer.head.size
        chosen = slots.firmware(self.node.store)
        if chosen.trial:
            w[u_.END_S] = self._now_s() + chosen.trial_s
            w[u_.DUE] = 1
            self._event(d.EV_FIRMWARE_TRIAL, chosen.trial)
        elif chosen.cause:
            self._event(d.EV_FIRMWARE_ROLLED_BACK, chosen.cause)

    def crashed(self) -> None:
        # The flight computer had to start afresh: no firmware on trial may do that.
        if slots.firmware(self.node.store).trial:
            self._give_up(slots.CRASHED)

    # --- telecommands: each gives a code

    def obey(self, command: int, fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
        if command == d.CMD_UPDATE_BEGIN:
            return self.begin(fixed[0], fixed[1], fixed[2], rest)
        if command == d.CMD_UPDATE_CHUNK:
            return self.chunk(fixed[0], rest)
        if command == d.CMD_UPDATE_STATUS:
            return self.status(fixed[0])
        if command == d.CMD_UPDATE_VERIFY:
            return self.verify()
        if command == d.CMD_UPDATE_COMMIT:
            return self.commit(fixed[0], fixed[1], sequence)
        if command == d.CMD_UPDATE_ABORT:
            return self.abort()
        if command == d.CMD_UPDATE_CONFIRM:
            return self.confirm()
        return self.revert(fixed[0], sequence)

    def begin(self, kind: int, key: int, size: int, rest: memoryview) -> int:
        if kind > d.UPDATE_FIRMWARE or len(rest) != HASH_BYTES + MAC_BYTES:
            return d.BAD_ARGUMENTS
        if not 0 < size <= BLOCKS_MAX * BLOCK:
            return d.OUT_OF_LIMITS
        if self._busy() or slots.firmware(self.node.store).trial:
            return d.UPDATE_BUSY
        head = Head(kind, key, size, bytes(rest[:HASH_BYTES]), bytes(rest[HASH_BYTES:]))
        if not self._signed(head):
            return d.UPDATE_NOT_SIGNED
        try:
            self.transfer.begin(head)
        except OSError as error:
            return self._drop(code_of(error))
        self.words[u_.FAILED] = d.OK
        self.words[u_.STATE] = u_.OPEN
        self.words[u_.KIND] = kind
        self.words[u_.SIZE] = size
        return d.OK

    def chunk(self, offset: int, data: memoryview) -> int:
        code = self._open_code()
        if code:
            return code
        try:
            code = self.transfer.chunk(offset, data)
        except OSError as error:
            return code_of(error)
        return self._drop(code) if code == d.UPDATE_NO_ROOM else code

    def status(self, first: int) -> int:
        transfer = self.transfer
        if first > len(transfer.masks):
            return d.OUT_OF_LIMITS
        store = self.node.store
        chosen = slots.firmware(store)
        w = self.words
        blocks = len(transfer.masks)
        here = bytes([transfer.mask(block) for block in range(first, min(blocks, first + _MAP_MAX))])
        mark = struct.unpack(">I", transfer.head.hash[:4])[0] if transfer.head is not None else 0
        self.node.computer.telemetry.with_data(
            d.TM_UPDATE,
            here,
            w[u_.STATE],
            w[u_.KIND],
            slots.model(store),
            chosen.confirmed,
            chosen.trial,
            chosen.cause,
            w[u_.FAILED],
            self.node.accelerator.model_id,
            mark,
            w[u_.SIZE],
            blocks,
            first,
        )
        return d.OK

    def verify(self) -> int:
        code = self._open_code()
        if code:
            return code
        if not self.transfer.complete():
            return d.UPDATE_INCOMPLETE
        code = self._judge()
        if code:
            return self._drop(code)
        self.words[u_.STATE] = u_.VERIFIED
        return d.OK

    def commit(self, boots: int, trial_s: int, sequence: int) -> int:
        code = self._open_code()
        if code:
            return code
        if self.words[u_.STATE] != u_.VERIFIED:
            return d.UPDATE_NOT_VERIFIED
        if self.words[u_.KIND] == d.UPDATE_FIRMWARE:
            if not self.node.restarts:
                return d.UPDATE_NOT_POSSIBLE
            if not boots or not 0 < trial_s <= _TRIAL_MAX_S:
                return d.OUT_OF_LIMITS
        elif self.node.load_model is None:
            return d.UPDATE_NOT_POSSIBLE
        self.words[u_.BOOTS] = boots
        self.words[u_.TRIAL_S] = trial_s
        self._wait(sequence, 0)
        return d.OK

    def abort(self) -> int:
        # Throws away what came, and forgets why the last firmware was rolled back.
        if self._busy():
            return d.UPDATE_BUSY
        try:
            chosen = slots.firmware(self.node.store)
            if chosen.cause and not chosen.trial:
                slots.choose_firmware(self.node.store, slots.Firmware(chosen.confirmed, 0, 0, 0, 0))
        except OSError as error:
            return code_of(error)
        return self._drop(d.OK)

    def confirm(self) -> int:
        chosen = slots.firmware(self.node.store)
        if not chosen.trial:
            return d.UPDATE_NO_TRIAL
        try:
            slots.choose_firmware(self.node.store, slots.Firmware(chosen.trial, 0, 0, 0, 0))
        except OSError as error:
            return code_of(error)
        self.words[u_.END_S] = 0
        self.words[u_.DUE] = 0
        self._event(d.EV_FIRMWARE_CONFIRMED, chosen.trial)
        return d.OK

    def revert(self, kind: int, sequence: int) -> int:
        # Back to the model before this one; or ends a firmware's trial.
        if kind > d.UPDATE_FIRMWARE:
            return d.BAD_ARGUMENTS
        if self._busy():
            return d.UPDATE_BUSY
        store = self.node.store
        if kind == d.UPDATE_FIRMWARE:
            return self._end_trial(sequence) if slots.firmware(store).trial else d.UPDATE_NO_TRIAL
        if (
            self.node.load_model is None
            or store.crc(slots.MODELS[1 - slots.model(store)] + slots.CPU_IMAGE) < 0
        ):
            return d.UPDATE_NOT_POSSIBLE
        self._wait(sequence, 1)
        return d.OK

    def _end_trial(self, sequence: int) -> int:
        code = self._give_up(slots.COMMANDED)
        if code == d.OK:
            self._report(d.CMD_UPDATE_REVERT, sequence, code)
        return code

    # --- what goes on by itself

    def step(self) -> None:
        # In each period while there is something to do.
        w = self.words
        state = w[u_.STATE]
        try:
            if state == u_.WAITING and not self.node.computer.tasks.held():
                self._start()
            elif state == u_.INSTALLING:
                self._install()
            elif state != u_.RESET_NOW and w[u_.END_S] and self._now_s() >= w[u_.END_S]:
                self._time_up(state)
        except (OSError, ValueError, MemoryError) as error:
            self._failed(code_of(error) if isinstance(error, OSError) else d.UPDATE_BAD_IMAGE)

    def _failed(self, code: int) -> None:
        if self.words[u_.STATE] == u_.INSTALLING:
            try:
                install.clear(self.transfer, self._next_firmware())
            except OSError:
                pass  # the next install clears it
        self._end(code)

    def _wait(self, sequence: int, revert: int) -> None:
        self.words[u_.SEQUENCE] = sequence
        self.words[u_.REVERT] = revert
        self.words[u_.STATE] = u_.WAITING
        self.words[u_.DUE] = 1

    def _start(self) -> None:
        if self.words[u_.REVERT]:
            self._swap(None)
            return
        code = self._judge() if self.transfer.complete() else d.UPDATE_INCOMPLETE
        if code:
            self._end(code)
        elif self.words[u_.KIND] == d.UPDATE_MODEL:
            self._take_model()
        else:
            install.clear(self.transfer, self._next_firmware())
            self.words[u_.AT] = install.HEADER_BYTES
            self.words[u_.STATE] = u_.INSTALLING

    def _time_up(self, state: int) -> None:
        if state == u_.RESETTING:
            self.words[u_.STATE] = u_.RESET_NOW
        else:
            self._give_up(slots.UNCONFIRMED)

    # --- a model

    def _take_model(self) -> None:
        store = self.node.store
        head = self.transfer.head
        assert head is not None
        package = open_package(self.transfer.read, head.size)
        name = slots.MODELS[1 - slots.model(store)]
        self._remove(name)  # room for what comes
        at = package.image_bytes
        store.write_parts(name + slots.CPU_IMAGE, self.transfer.parts(0, at))
        if package.program_bytes and self.node.computer.engine is not None:
            store.write_parts(name + slots.PROGRAM, self.transfer.parts(at, package.program_bytes))
        self._swap((package.input, package.output))

    def _remove(self, name: str) -> None:
        self.node.store.remove(name + slots.PROGRAM)
        self.node.store.remove(name + slots.CPU_IMAGE)

    def _swap(self, test: "tuple[bytes, bytes] | None") -> None:
        # To the other model, and back when it does not work. One at a time has room in memory.
        store = self.node.store
        old = slots.model(store)
        code = self._try(slots.MODELS[1 - old], test)
        if code == d.OK:
            try:
                slots.choose_model(store, 1 - old)
            except OSError as error:
                code = code_of(error)
        if code == d.OK:
            self._event(d.EV_MODEL_SWAPPED, 1 - old)
        else:
            self._event(d.EV_MODEL_ROLLED_BACK, code)
            self._back_to(slots.MODELS[old])
            if test is not None:
                self._remove(slots.MODELS[1 - old])
        self._end(code)

    def _try(self, name: str, test: "tuple[bytes, bytes] | None") -> int:
        # Loads a model and has it answer its self-test.
        try:
            self._load(name)
            return d.OK if test is None else self._answer(test)
        except (ValueError, OSError):
            return d.UPDATE_BAD_IMAGE
        except MemoryError:
            return d.UPDATE_NO_MEMORY

    def _answer(self, test: "tuple[bytes, bytes]") -> int:
        # Of the CPU, and of an accelerator beside it.
        data = memoryview(test[0])
        accelerator = self.node.accelerator
        if len(data) != accelerator.input_size or len(test[1]) != accelerator.output_size:
            return d.UPDATE_BAD_IMAGE
        accelerator.run(data, self.node.computer.output)
        if self.node.computer.output != test[1]:
            return d.UPDATE_SELF_TEST
        return d.OK if self.node.computer.engine_gives(data, test[1]) else d.UPDATE_SELF_TEST

    def _load(self, name: str) -> None:
        if self.node.load_model is None:
            raise ValueError("no model can be loaded here")
        self.node.unload()
        gc.collect()
        self.node.use(*self.node.load_model(name))

    def _back_to(self, name: str) -> None:
        try:
            self._load(name)
        except (ValueError, OSError, MemoryError):
            self._reset_soon()  # memory is in pieces: the model is loaded from flash after a reset

    # --- a firmware

    def _install(self) -> None:
        head = self.transfer.head
        w = self.words
        if head is None:
            self._end(d.UPDATE_NOT_OPEN)
        elif w[u_.AT] < head.size:
            w[u_.AT] = install.unpack(self.transfer, self._next_firmware(), w[u_.AT])
        else:
            confirmed = slots.firmware(self.node.store).confirmed
            trial = (confirmed, self._next_firmware(), w[u_.BOOTS], 0, w[u_.TRIAL_S])
            slots.choose_firmware(self.node.store, slots.Firmware(*trial))
            self._end(d.OK)
            self._reset_soon()

    def _next_firmware(self) -> int:
        # The slot that the firmware in use is not in; what was delivered stays.
        return 2 if slots.firmware(self.node.store).confirmed == 1 else 1

    def _give_up(self, cause: int) -> int:
        # Ends the trial. When the flash does not take it, the loader counts the boot.
        chosen = slots.firmware(self.node.store)
        self._reset_soon()
        try:
            slots.choose_firmware(self.node.store, slots.Firmware(chosen.confirmed, 0, 0, cause, 0))
        except OSError as error:
            return code_of(error)
        return d.OK

    def _reset_soon(self) -> None:
        self.words[u_.STATE] = u_.RESETTING
        self.words[u_.DUE] = 1
        self.words[u_.END_S] = self._now_s() + _REPORT_S

    # --- small things

    def _end(self, code: int) -> None:
        # The commit is done, for good or not; nothing of it stays.
        w = self.words
        reset = w[u_.STATE] == u_.RESETTING
        self._drop(code)
        command = d.CMD_UPDATE_REVERT if w[u_.REVERT] else d.CMD_UPDATE_COMMIT
        self._report(command, w[u_.SEQUENCE], code)
        w[u_.DUE] = 0
        if reset:
            self._reset_soon()

    def _report(self, command: int, sequence: int, code: int) -> None:
        f = self.node.computer.f
        report = self.node.computer.telemetry.report
        report(d.TM_COMPLETE, sequence, command, code, f[f_.NOW_S], f[f_.NOW_MS])

    def _drop(self, code: int) -> int:
        for word in (u_.STATE, u_.KIND, u_.SIZE, u_.AT):
            self.words[word] = 0
        if code:
            self.words[u_.FAILED] = code
        try:
            if self.transfer.head is not None or self.node.store.names(FOLDER):
                self.transfer.drop()
        except OSError as error:
            return code or code_of(error)
        return code

    def _judge(self) -> int:
        # Whether a complete image is what was signed, and one for this node.
        head = self.transfer.head
        assert head is not None
        try:
            if self.transfer.digest() != head.hash:
                return d.UPDATE_WRONG_HASH
            if not self._signed(head):
                return d.UPDATE_NOT_SIGNED
            if head.kind == d.UPDATE_FIRMWARE:
                return install.check(self.transfer, self.node.mpy)
            open_package(self.transfer.read, head.size)
        except ValueError:
            return d.UPDATE_BAD_IMAGE
        except MemoryError:
            return d.UPDATE_NO_MEMORY
        return d.OK

    def _signed(self, head: Head) -> bool:
        key = self.node.keys.get(head.key)
        return key is not None and same(Signer(key).sign(signed_text(head)), head.signature)

    def _open_code(self) -> int:
        if self._busy():
            return d.UPDATE_BUSY
        return d.OK if self.transfer.head is not None else d.UPDATE_NOT_OPEN

    def _busy(self) -> bool:
        return self.words[u_.STATE] >= u_.WAITING

    def _now_s(self) -> int:
        return self.node.computer.f[f_.NOW_S]

    def _event(self, event: int, value: int) -> None:
        self.node.computer.telemetry.event(event, value)
