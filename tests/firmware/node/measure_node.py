"""Runs on MicroPython: prints one line of JSON with what a whole node costs in heap and time.

`measure_node.py FOLDER` with the node's files in it. Keys: heap_* in bytes, *_us a step, *_bytes of heap a step.
"""

import gc
import json
import sys
import time


def held():
    gc.collect()
    return gc.mem_alloc()


before_modules = held()

# Below, since what they take is measured.
from ascnode_fw.flight import layout as f_
from ascnode_fw.hal.files import FileStore
from ascnode_fw.node import Node
from ascnode_fw.plant import layout as p_
from ascnode_fw.sim import SimPlane

after_modules = held()


class Accelerator:
    model_id = 7
    macs = 24000
    input_size = 64
    output_size = 10

    def run(self, data, output):
        output[0] = data[0]


class Bench:
    def __init__(self, folder):
        self.node = Node(FileStore(folder), Accelerator(), bytes(8), self.send)
        self.node.sim = SimPlane(self.node)
        self.node.sim.lockstep = True
        self.input = memoryview(bytes(64))
        plant = self.node.plant
        plant.set_input(p_.ILLUMINATION, 1024)
        plant.set_input(p_.COS_ARRAY, 1024)
        self.node.computer.eclipses.add(1 << 20, (1 << 20) + 2000)
        self.node.computer.contacts.add(0, 1 << 29)

    def send(self, body):
        pass

    def job(self, work_kc):
        computer = self.node.computer
        f = computer.f
        computer.tasks.add(f, (1, 7, 1, f[f_.NOW_S] + 100000), 1, work_kc, self.input)

    def idle(self, steps):
        step = self.node.step
        for _ in range(steps):
            step()

    def short_jobs(self, steps):
        # One job a period, done, answered, sent and taken over.
        node = self.node
        f = node.computer.f
        for _ in range(steps):
            self.job(1000)
            node.step()
            node.computer.links.take_over(f[f_.TM_COUNT] - 1)
            node.sim._start()

    def result(self, name, figures, run):
        run(50)
        gc.collect()
        best = None
        for _ in range(5):
            start = time.ticks_us()
            run(600)
            spent = time.ticks_diff(time.ticks_us(), start) / 600
            best = spent if best is None else min(best, spent)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        run(10)
        middle = gc.mem_alloc()
        run(60)
        after = gc.mem_alloc()
        gc.enable()
        figures[name + "_us"] = round(best, 2)
        figures[name + "_bytes"] = ((after - middle) - (middle - before)) / 50


def main(folder):
    figures = {"heap_modules": after_modules - before_modules}
    bench = Bench(folder)
    figures["heap_node"] = held() - after_modules
    f = bench.node.computer.f
    f[f_.HK_NEXT_S] = 1 << 29  # housekeeping apart
    bench.result("idle", figures, bench.idle)
    f[f_.RADIO_LOCK] = 1
    bench.result("contact", figures, bench.idle)
    f[f_.RADIO_LOCK] = 0
    bench.job((1 << 29) - 1)
    bench.result("working", figures, bench.idle)
    bench.node.computer.tasks.remove(0)
    f[f_.RUNNING] = -1
    f[f_.RADIO_LOCK] = 1
    bench.result("answering", figures, bench.short_jobs)
    print(json.dumps(figures))


main(sys.argv[1])
