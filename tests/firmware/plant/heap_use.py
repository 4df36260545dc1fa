"""Runs on MicroPython: `main(image file)` prints events, heap that came free in flight, and in a collection."""

import gc

import micropython
from drive import inputs

from ascnode_fw.plant import config, layout
from ascnode_fw.plant.model import Plant


def prepared(image):
    with open(image, "rb") as f:  # noqa: PTH123 -- MicroPython has no pathlib
        words = config.load(f.read())
    # Ready-made inputs: through brown-out and full, accelerator on and off, hot and cold.
    return Plant(words), [inputs(1, change, words[layout.ARRAY_FULL_PW]) for change in range(40)]


def fly(plant, change, counts):
    # Frames of this harness have to stay off the heap as well: few locals in what is called while it is watched.
    set_inputs(plant, change)
    take_steps(plant)
    plant.sample(counts)
    counts[5] |= plant.take_events()


def set_inputs(plant, change):
    for word in range(8):
        plant.set_input(word, change[word])


def take_steps(plant):
    for _ in range(50):
        plant.step()


def fill():
    # A chain of the smallest objects until not even one of them finds room.
    chain = None
    try:
        while True:
            chain = (chain,)
    except MemoryError:
        return chain


def main(image):
    plant, changes = prepared(image)
    counts = [0] * 6
    for change in changes:
        fly(plant, change, counts)

    # Nothing asks for an object: the heap is locked.
    micropython.heap_lock()
    for change in changes:
        fly(plant, change, counts)
    micropython.heap_unlock()

    # No frame comes from the heap: on a full one it would start a collection, which would find the garbage.
    garbage = bytearray(20000)
    gc.disable()
    chain = fill()
    garbage = None
    before = gc.mem_alloc()
    gc.enable()
    for change in changes:
        fly(plant, change, counts)
    after = gc.mem_alloc()
    gc.collect()
    print(counts[5], before - after, before - gc.mem_alloc(), chain is garbage)
