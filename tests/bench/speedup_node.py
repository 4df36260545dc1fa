# main.py of a measured board: one model, on its CPU and on the accelerator at its pins, as far as its flash has them.
import gc
import json
import time

time.sleep(0.2)  # what is printed before the host has found the board is lost
gc.threshold(8192)

from ascnode_fw.accel.choose import choose_kernel
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.hal import rp2
from ascnode_fw.hal.files import FileStore

TOP_KHZ = 24000
store = FileStore("/")
figures = {}


def timed(name, run):
    start = time.ticks_us()
    code = run()
    figures[name] = time.ticks_diff(time.ticks_us(), start)
    return code


def on_cpu(image):
    cpu = SoftwareAccelerator(image, choose_kernel())
    output = bytearray(cpu.output_size)
    data = memoryview(store.read("cpu_input.bin"))
    timed("cpu_us", lambda: cpu.run(data, output))
    figures["cpu_macs"] = cpu.macs
    figures["cpu_output"] = output.hex()


def on_accelerator():
    from ascnode_fw.accel.engine import make_engine
    from ascnode_fw.accel.program import Program
    from ascnode_fw.hal.spi import SpiBus

    bus = SpiBus(rp2._PINS)
    frame = memoryview(bytearray(1042))
    timed("frame_us", lambda: bus.transfer(frame, frame, 1042))
    figures["frame_bytes"] = 1042
    gc.collect()
    engine = make_engine(lambda: bus, Program(store, "program.acc"))
    data = memoryview(store.read("input.bin"))
    output = bytearray(len(store.read("output.bin")))
    runs = [("first_us", 1), ("checked_us", 1), ("unchecked_us", 0)]
    figures["codes"] = []
    for name, verify_every in runs:
        engine.verify_every = verify_every
        code = timed(name, lambda: engine.run(data, output, TOP_KHZ, TOP_KHZ, None))
        figures["codes"].append(code)
        figures["right"] = figures.get("right", True) and output == store.read("output.bin")
    figures["cycles"] = engine.measured
    figures["resent"] = engine.resent


image = store.read("cpu.bin")
if image:
    on_cpu(image)
del image
gc.collect()
if store.read("input.bin"):
    on_accelerator()
print(json.dumps(figures))
