"""Prints what inference costs on this MicroPython: heap of the modules and of a model, time a run and a MAC.

Usage, with firmware/lib on the module path: measure_accel.py IMAGE portable|viper
"""

import gc
import sys
import time

RUNS = 20


def in_use():
    gc.collect()
    return gc.mem_alloc()


def load(name):
    if name == "viper":
        from ascnode_fw.accel import kernel_viper as kernel
    else:
        from ascnode_fw.accel import kernel_portable as kernel
    from ascnode_fw.accel.software import SoftwareAccelerator

    return kernel, SoftwareAccelerator


def best_ms(accelerator, output):
    data = bytes(accelerator.input_size)
    best = 1 << 30
    for _ in range(RUNS):
        start = time.ticks_us()
        accelerator.run(data, output)
        best = min(best, time.ticks_diff(time.ticks_us(), start))
    return best / 1000


def main(path, name):
    with open(path, "rb") as file:  # noqa: PTH123
        image = file.read()
    at_start = in_use()
    kernel, accelerator_class = load(name)
    with_modules = in_use()
    accelerator = accelerator_class(image, kernel)
    output = bytearray(accelerator.output_size)
    with_model = in_use()
    ms = best_ms(accelerator, output)
    print(f"{name}: {ms} ms a run of {accelerator.macs} MACs, {ms * 1000 / accelerator.macs:.4f} us a MAC")
    print(
        f"heap, bytes: modules {with_modules - at_start}, model {with_model - with_modules} and {len(image)} of image"
    )


main(*sys.argv[1:])
