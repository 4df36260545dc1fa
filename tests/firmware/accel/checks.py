"""Runs recorded cases through a kernel and counts the wrong results; on CPython and, as a script, on MicroPython.

A case file is a run of blocks, each a u32 length and that many bytes; cases.py writes them.
Usage on MicroPython: checks.py CHECK FILE KERNEL, which prints one JSON object.
"""

import gc
import json
import struct
import sys
from array import array

from ascnode_fw.accel.software import SoftwareAccelerator

ON_MICROPYTHON = sys.implementation.name == "micropython"
if ON_MICROPYTHON:
    import micropython
EXACT = 1 << 21  # rescale promises exact results below this


def check_images(kernel, file):
    # Blocks: image, inputs one after the other, expected outputs likewise. Counts runs.
    cases = wrong = allocated = 0
    image = read_block(file)
    while image:
        accelerator = SoftwareAccelerator(image, kernel)
        inputs, expected = read_block(file), read_block(file)
        size_in, size_out = accelerator.input_size, accelerator.output_size
        output = bytearray(size_out)
        for n in range(len(inputs) // size_in):
            one = inputs[n * size_in : (n + 1) * size_in]
            before = lock_heap()
            accelerator.run(one, output)
            allocated += unlock_heap() - before
            cases += 1
            wrong += output != expected[n * size_out : (n + 1) * size_out]
        image = read_block(file)
    return cases, wrong, allocated


def check_rescale(kernel, file):
    # Blocks of int32 rows: sum, multiplier, shift, expected. Counts rows.
    cases = wrong = 0
    block = read_block(file)
    while block:
        rows = array("i", block)
        for i in range(0, len(rows), 4):
            x, m, shift, expected = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
            found = kernel.rescale(x >> 16, x & 0xFFFF, m >> 20, m >> 10 & 1023, m & 1023, shift)
            wrong += not agrees(found, expected)
        cases += len(rows) // 4
        block = read_block(file)
    return cases, wrong, 0


def agrees(found, expected):
    if -EXACT < expected < EXACT:
        return found == expected
    return found >= EXACT if expected > 0 else found <= -EXACT


def check_requantise(kernel, file):
    # Blocks: layer words, table, sums, expected bytes of one row. Counts bytes.
    cases = wrong = allocated = 0
    block = read_block(file)
    while block:
        words, table, sums = array("i", block), array("H", read_block(file)), array("i", read_block(file))
        expected = read_block(file)
        arena = bytearray(len(expected))
        before = lock_heap()
        kernel.requantise(words, table, sums, arena)
        allocated += unlock_heap() - before
        cases += len(expected)
        wrong += sum([arena[i] != expected[i] for i in range(len(expected))])
        block = read_block(file)
    return cases, wrong, allocated


def read_block(file):
    head = file.read(4)
    return file.read(struct.unpack("<I", head)[0]) if head else b""


def lock_heap():
    # Bytes in use; from here to unlock_heap an allocation is a MemoryError.
    if not ON_MICROPYTHON:
        return 0
    gc.collect()
    gc.disable()
    used = gc.mem_alloc()
    micropython.heap_lock()
    return used


def unlock_heap():
    if not ON_MICROPYTHON:
        return 0
    micropython.heap_unlock()
    used = gc.mem_alloc()
    gc.enable()
    return used


def main(check, path, kernel_name):
    if kernel_name == "viper":
        from ascnode_fw.accel import kernel_viper as kernel
    else:
        from ascnode_fw.accel import kernel_portable as kernel
    checks = {"images": check_images, "rescale": check_rescale, "requantise": check_requantise}
    with open(path, "rb") as file:  # noqa: PTH123
        cases, wrong, allocated = checks[check](kernel, file)
    print(json.dumps({"cases": cases, "wrong": wrong, "allocated": allocated}))


if __name__ == "__main__":
    main(*sys.argv[1:])
