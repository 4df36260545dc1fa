"""MicroPython only: power lost at every write of the counter's file, torn in three ways. Prints the cuts."""

import gc

from cutting import cut_everywhere

from ascnode_fw.hal.files import FileStore
from ascnode_fw.wire.auth import OK, REPLAYED, ReplayCounter

USED_BEFORE = 70  # the mark is 128 then, and 192, 256, 320 after each boot of an action
used = []
marks = set()


def boot(root):
    return ReplayCounter(FileStore(root), "counter")


def prepare(root):
    counter = boot(root)
    for sequence in range(1, USED_BEFORE + 1):
        assert counter.accept(sequence) == OK


def action(root):
    # Two reservations: the first number above the mark, and 64 later.
    del used[:]
    counter = boot(root)
    for sequence in range(129, 129 + 70):
        if counter.accept(sequence) != OK:
            return
        used.append(sequence)


def check(root):
    counter = boot(root)
    assert counter.last in (128, 192, 256), counter.last
    marks.add(counter.last)
    assert counter.accept(USED_BEFORE) == REPLAYED
    for sequence in used:
        assert counter.accept(sequence) == REPLAYED, sequence
    assert counter.accept(counter.last + 1) == OK
    assert boot(root).last > counter.last


gc.disable()  # what a cut left open must not be closed on the flash of the next round
cuts = cut_everywhere(prepare, action, check)
assert marks == {128, 192, 256}, marks
print(cuts, "cuts")
