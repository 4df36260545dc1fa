"""MicroPython only: power lost at every write of the parameter file, torn in three ways. Prints the cuts."""

import gc

from cutting import cut_everywhere

from ascnode_fw.flight.params import Params
from ascnode_fw.hal.files import FileStore

DEFINITIONS = (
    (7, "capacity", 1080000, 1, 1 << 29, "J"),
    (0x1203, "offset", -5, -200000, 200000, "cK"),
)
BEFORE = (1080000, -123456)
# What the file may hold, in the order it was written.
STATES = (BEFORE, (0x12345678, -123456), (0x12345678, 77))
acknowledged = [0]  # index of the last state that a set() said was stored
seen = set()


def boot(root):
    return Params(FileStore(root), DEFINITIONS)


def prepare(root):
    assert boot(root).set(0x1203, BEFORE[1]) == 0


def action(root):
    acknowledged[0] = 0
    params = boot(root)
    for number, change in enumerate(((7, 0x12345678), (0x1203, 77))):
        if params.set(*change):
            return
        acknowledged[0] = number + 1


def check(root):
    params = boot(root)
    assert params.corrupt == 0
    state = STATES.index(tuple(params.values))
    assert state - acknowledged[0] in (0, 1), (state, acknowledged[0])
    seen.add(state)
    assert params.set(7, 4321) == 0 and boot(root).get(7) == 4321


def prepare_nothing(root):
    pass


def first_action(root):
    boot(root).set(0x1203, 77)


def first_check(root):
    params = boot(root)
    assert params.corrupt == 0 and params.get(0x1203) in (-5, 77)


gc.disable()  # what a cut left open must not be closed on the flash of the next round
cuts = cut_everywhere(prepare, action, check)
cuts += cut_everywhere(prepare_nothing, first_action, first_check)
assert seen == {0, 1, 2}, seen
print(cuts, "cuts")
