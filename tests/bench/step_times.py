# Times steps of plant and node; runs unchanged in MicroPython and CPython. Prints "name us" lines.
import sys
import time

if sys.implementation.name == "micropython":
    now_us = time.ticks_us
else:

    def now_us():
        return time.perf_counter_ns() // 1000


def report(name, step, times):
    step()
    best = None
    for _ in range(5):
        start = now_us()
        for _ in range(times):
            step()
        spent = (now_us() - start) / times
        best = spent if best is None else min(best, spent)
    print(name, best)


def node():
    # The node of the default hardware, its files in the folder that is the argument.
    from ascnode_fw.hal.files import FileStore
    from ascnode_fw.node import Node

    class NoAccelerator:
        model_id = macs = input_size = output_size = 1

    return Node(FileStore(sys.argv[1]), NoAccelerator(), bytes(8), lambda body: None)


one = node()
one.plant.set_input(0, 1024)
one.plant.set_input(1, 1024)
report("plant step", one.plant.step, 20000)
report("whole node step, idle", one.step, 5000)
