"""MicroPython only: power lost at every write of littlefs in a push, torn in three ways. Prints the cuts.

`cut_update.py FOLDER WHAT`: FOLDER holds a node's files, `package` and `signed` (hash and signature); WHAT is model or
firmware. After each cut the old or the new one is in use, whole; then the same push goes on to its end.
"""

import gc
import sys

from cutting import cut_everywhere

from ascnode_fw.accel import kernel_portable
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight import slots
from ascnode_fw.flight import update_words as u_
from ascnode_fw.flight.transfer import CHUNK
from ascnode_fw.hal.files import FileStore
from ascnode_fw.node import Node
from ascnode_fw.wire import dictionary as d

FOLDER, WHAT = sys.argv[1:]
NODE_FILES = ("plant.bin", "keys.bin", "params", "model.bin")
_PERIODS = 60


def content(name):
    with open(FOLDER + "/" + name, "rb") as file:  # noqa: PTH123 -- MicroPython has no pathlib
        return file.read()


PACKAGE = content("package")
SIGNED = memoryview(content("signed"))
found = set()


def boot(root):
    store = FileStore(root)

    def load(name):
        return SoftwareAccelerator(store.read(name + ".bin") or b"", kernel_portable), None

    accelerator, _ = slots.load_model(store, load)
    node = Node(store, accelerator, bytes(8), lambda body: None)
    node.load_model = load
    node.restarts = True
    return node


def prepare(root):
    store = FileStore(root)
    for name in NODE_FILES:
        store.write(name, content(name))


def push(root):
    # True when it came to its end. What the flash does not take is an OSError in a handler: a code.
    node = boot(root)
    update = node.updates()
    kind = d.UPDATE_MODEL if WHAT == "model" else d.UPDATE_FIRMWARE
    if update.begin(kind, 0, len(PACKAGE), SIGNED):
        return False
    for at in range(0, len(PACKAGE), CHUNK):
        if update.chunk(at, memoryview(PACKAGE)[at : at + CHUNK]):
            return False
    if update.verify() or update.commit(3, 600, 1):
        return False
    for _ in range(_PERIODS):
        node.step()
        if node.computer.update[u_.STATE] in (u_.NONE, u_.RESET_NOW):
            return True
    return False


def in_use(root):
    # "old" or "new": what a node uses that boots from this flash, and it is whole.
    store = FileStore(root)
    if WHAT == "model":
        return "new" if boot(root).accelerator.model_id != OLD else "old"
    chosen = slots.firmware(store)
    if not chosen.trial:
        return "old"
    assert len(store.names(slots.FIRMWARES[chosen.trial])) == 3
    for name in store.names(slots.FIRMWARES[chosen.trial]):
        assert store.read(name) in PACKAGE, name
    return "new"


def action(root):
    push(root)


def check(root):
    found.add(in_use(root))
    if in_use(root) == "old":
        assert push(root)
    assert in_use(root) == "new"
    node = boot(root)
    node.updates().abort()
    assert not [name for name in node.store.names("update") if not name.endswith(".new")]


OLD = 0
with open(FOLDER + "/model.bin", "rb") as file:  # noqa: PTH123
    OLD = int.from_bytes(file.read()[12:16], "little")
gc.disable()  # what a cut left open must not be closed on the flash of the next round
cuts = cut_everywhere(prepare, action, check, blocks=48)
assert found == {"old", "new"}, found
print(cuts, "cuts")
