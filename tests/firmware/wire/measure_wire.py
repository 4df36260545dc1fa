"""Microseconds and heap bytes per frame and telecommand, on MicroPython and CPython; prints one JSON line."""

import gc
import json
import time

from dict_store import DictStore

from ascnode_fw.wire.auth import ReplayCounter, Verifier, seal
from ascnode_fw.wire.frame import MAX_FRAME, Deframer, encode
from ascnode_fw.wire.packet import pack_tc

KEY = bytes(range(32))
ROUNDS = 2000


def body_of(size):
    # One byte in 23 is zero, as in telemetry of small numbers.
    return bytes([0 if index % 23 == 5 else (index * 37 + 11) % 255 + 1 for index in range(size)])


def per_round_us(action):
    gc.collect()
    before = time.time_ns()
    for _ in range(ROUNDS):
        action()
    return (time.time_ns() - before) // ROUNDS / 1000


def heap_bytes(action):
    # MicroPython only: what a call takes from the heap, the smallest of several.
    if not hasattr(gc, "mem_alloc"):
        return None
    gc.collect()
    gc.disable()
    least = 1 << 30
    for _ in range(5):
        before = gc.mem_alloc()
        action()
        least = min(least, gc.mem_alloc() - before)
    gc.enable()
    return least


def telecommands(count):
    # Signed ones with ascending sequence numbers; the list is made first, before the heap is in pieces.
    packets = [None] * count
    for sequence in range(1, count + 1):
        packet = bytearray(64)
        used = pack_tc(packet, 0x2A5, sequence, 1, sequence, 2, bytes(6))
        view = memoryview(packet)[:used]
        seal(KEY, view)
        packets[sequence - 1] = view
    return packets


def measure_frame(size, figures):
    body = body_of(size)
    out = bytearray(MAX_FRAME)
    deframer = Deframer()
    frame = bytes(out[: encode(body, out)])

    def deframe():
        deframer.push(frame)
        if deframer.pop() is None or deframer.pop() is not None:
            raise ValueError("the frame did not come through")

    figures[f"encode_{size}_us"] = per_round_us(lambda: encode(body, out))
    figures[f"encode_{size}_bytes"] = heap_bytes(lambda: encode(body, out))
    figures[f"deframe_{size}_us"] = per_round_us(deframe)
    figures[f"deframe_{size}_bytes"] = heap_bytes(deframe)


def measure_verify(figures):
    packets = iter(telecommands(ROUNDS + 5))
    verifier = Verifier({1: KEY}, {1: ReplayCounter(DictStore(), "counter1")})

    def verify():
        if verifier.check(next(packets)):
            raise ValueError("a telecommand was refused")

    figures["verify_us"] = per_round_us(verify)
    figures["verify_bytes"] = heap_bytes(verify)


def main():
    figures = {}
    for size in (64, 1000):
        measure_frame(size, figures)
    measure_verify(figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
