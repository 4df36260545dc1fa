# main.py of a measured board: the node's own loop with a console that plays a session from a file, and a heap that is
# looked at where much is in use: in an answer, in an inference, in a flash write.
import gc
import json
import struct
import time

FRESH_BYTES = 4352  # in use before a program is there: 233,024 of heap, 228,672 free


def used():
    gc.collect()
    return gc.mem_alloc()


own = used() - FRESH_BYTES  # this program
time.sleep(0.2)  # what is printed before the host has found the board is lost
gc.threshold(4096)  # as boot.py does

from ascnode_fw import main
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.hal.files import FileStore
from ascnode_fw.plant import config
from ascnode_fw.plant.model import Plant

before = used()
peak = 0
inference_us = 0


looked_us = 0


def look():
    global peak, looked_us
    start = time.ticks_us()
    peak = max(peak, used())
    looked_us += time.ticks_diff(time.ticks_us(), start)


class Store(FileStore):
    def write(self, name, data):
        look()
        FileStore.write(self, name, data)


class Console:
    """Plays the frames of session.bin, each behind its length; `times_us` are from the last byte in to the answer."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.times_us = []
        self.started = time.ticks_us()
        self.free = 0

    def wait(self, timeout_ms):
        return True

    def read_into(self, buf):
        if self.at == 0:
            self.free = gc.mem_free() if used() else 0
        (size,) = struct.unpack_from("<H", self.data, self.at)
        self.at += 2
        buf[:size] = self.data[self.at : self.at + size]
        self.at += size
        self.start()
        return size

    def start(self):
        global looked_us
        looked_us = 0
        self.started = time.ticks_us()

    def write(self, buf, n):
        self.times_us.append(time.ticks_diff(time.ticks_us(), self.started) - looked_us)
        if self.at:
            look()
            self.start()


class Hal:
    capabilities = ("rp2", "rp2040")

    def __init__(self):
        self.store = Store("/")
        self.console = Console(memoryview(self.store.read("session.bin")))

    def accelerator(self):
        return None

    def unique_id(self):
        return b"12345678"


def timed(run):
    plain = SoftwareAccelerator.run

    def inference(self, data, output):
        global inference_us
        look()
        start = time.ticks_us()
        plain(self, data, output)
        inference_us = time.ticks_diff(time.ticks_us(), start)

    SoftwareAccelerator.run = inference
    run()


def plant_us():
    plant = Plant(config.load(FileStore("/").read("plant.bin")))
    plant.set_input(0, 1024)
    plant.set_input(1, 1024)
    plant.step()
    start = time.ticks_us()
    for _ in range(100):
        plant.step()
    spent = time.ticks_diff(time.ticks_us(), start) / 100
    allocated = gc.mem_alloc()
    plant.step()
    return spent, gc.mem_alloc() - allocated


hal = Hal()
own += used() - before
timed(lambda: main.run(hal))
hal.console.data = None
spent, allocated = plant_us()
print(
    json.dumps(
        {
            "times_us": hal.console.times_us,
            "free": hal.console.free + own,
            "peak": peak - own,
            "inference_us": inference_us,
            "plant_us": spent,
            "plant_bytes": allocated,
        }
    )
)
