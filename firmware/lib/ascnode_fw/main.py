"""What a board runs: frames in, frames out; with no host that owns time, the node steps itself in real time."""

import gc
import sys
import time

from ascnode_fw.accel.choose import choose_kernel
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight.slots import CPU_IMAGE, PROGRAM, load_model
from ascnode_fw.node import UNEXPECTED, Node
from ascnode_fw.wire.frame import MAX_BODY, Deframer, encode, frame_size

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import Accelerator, Console, Engine, Hal, Loader

# A host that has not spoken for this long has gone: the node is on its own.
_HOST_LOST_MS = 60000


def main(loader: "Loader | None" = None) -> None:
    # Until a frame asks for the REPL, or the firmware fails: either way the console is given back.
    hal = port()
    try:
        run(hal, loader)
    finally:
        hal.repl()


def port() -> "Hal":
    # The module of this port, and no other: imports cost memory.
    if sys.platform == "rp2":
        from ascnode_fw.hal import rp2

        return rp2.Hal()
    if sys.platform == "esp32":
        from ascnode_fw.hal import esp32

        return esp32.Hal()
    from ascnode_fw.hal import unix

    return unix.Hal()


def run(hal: "Hal", loader: "Loader | None") -> None:
    frame = bytearray(frame_size(MAX_BODY))
    console = hal.console

    def send(body: "memoryview | bytes") -> None:
        console.write(frame, encode(body, frame))

    def load(name: str) -> "tuple[Accelerator, Engine | None]":
        return models(hal, name)

    accelerator, engine = load_model(hal.store, load)
    node = Node(hal.store, accelerator, hal.unique_id(), send, engine)
    node.load_model = load
    node.restarts = loader is not None
    node.mpy = getattr(sys.implementation, "_mpy", 0)
    node.has_sim()  # its module loads now, or is not there: a flight image has none
    gc.collect()
    gc.threshold(-1)  # all that stays is there: from here on the default does
    node.capabilities += " " + " ".join(hal.capabilities)
    node.hello()
    serve(node, console, loader)


def models(hal: "Hal", name: str) -> "tuple[Accelerator, Engine | None]":
    # What runs the model of a slot: the CPU, and the accelerator that the flash has a program for, whose modules load
    # only then.
    try:
        hal.store.read_at(name + PROGRAM, 0, memoryview(bytearray(1)))
    except OSError:
        return SoftwareAccelerator(hal.store.read(name + CPU_IMAGE) or b"", choose_kernel()), None
    from ascnode_fw.accel.engine import make_models

    return make_models(hal.accelerator, hal.store, name + PROGRAM)


def serve(node: Node, console: "Console", loader: "Loader | None") -> None:
    deframer = Deframer()
    chunk = bytearray(1024)
    view = memoryview(chunk)
    heard = time.ticks_ms()
    due = heard
    while True:
        # Until the next step is due; a second when the host owns time.
        patience = 1000 if node.lockstep() else max(0, time.ticks_diff(due, time.ticks_ms()))
        if console.wait(patience):
            n = console.read_into(chunk)
            deframer.push(view[:n])
            body = deframer.pop()
            while body is not None:
                heard = time.ticks_ms()
                if not node.handle(body):
                    return
                body = deframer.pop()
        if loader is not None:
            loader.feed()
            if node.wants_reset():
                loader.reset()
        now = time.ticks_ms()
        if node.lockstep() and time.ticks_diff(now, heard) > _HOST_LOST_MS:
            node.release()
            due = now
        if not node.lockstep() and time.ticks_diff(now, due) >= 0:
            try:
                node.step()
            except UNEXPECTED:
                node.recover()
            due = time.ticks_add(due, node.period_ms())
