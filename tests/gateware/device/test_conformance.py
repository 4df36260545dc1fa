"""The golden device and the Verilog at its pins answer the same bytes to every frame, good or bad."""

import random

import pytest

from ascnode_gateware.bus.frames import read_request, write_request
from ascnode_gateware.device.interface import Accelerator, Rates
from ascnode_gateware.sim.addresses import address
from gateware.device.conftest import Pair
from gateware.device.driving import fill
from gateware.device.frames import MEMORY_WORDS, in_parts, random_frames

SCK_HZ = (31_200_000, 24_000_000, 9_000_000)


def same(devices: tuple[Accelerator, ...], frame: bytes) -> bytes:
    golden, rtl = (device.transfer(frame) for device in devices)
    assert golden == rtl, f"{frame.hex()}: golden {golden.hex()}, RTL {rtl.hex()}"
    return golden


@pytest.mark.parametrize("sck_hz", SCK_HZ)
def test_frames_whole_damaged_cut_and_repeated_get_the_same_bytes(pair: Pair, sck_hz: int) -> None:
    devices = pair(rates=Rates(sck_hz=sck_hz))
    fill(devices, 1)
    answered = sum(any(same(devices, frame)) for frame in random_frames(sck_hz, 400))
    assert 100 < answered < 380
    for at in range(0, MEMORY_WORDS, 255):
        same(devices, read_request(0, at, min(255, MEMORY_WORDS - at)).encode())


@pytest.mark.parametrize("sck_hz", SCK_HZ)
def test_bytes_one_by_one_are_the_frame(pair: Pair, sck_hz: int) -> None:
    devices = pair(rates=Rates(sck_hz=sck_hz))
    fill(devices, 2)
    for number, frame in enumerate(random_frames(7, 90)):
        found = []
        for device in devices:
            device.begin()
            found.append(b"".join(device.exchange(part) for part in in_parts(number, frame)))
            device.end()
        assert found[0] == found[1], frame.hex()


def test_a_reset_between_frames_and_inside_one_forgets_the_same(pair: Pair) -> None:
    devices, rng = pair(), random.Random(3)
    fill(devices, 3)
    for frame in random_frames(8, 60):
        cut = rng.randrange(len(frame) + 1)
        found = []
        for device in devices:
            device.begin()
            head = device.exchange(frame[:cut])
            device.reset()
            found.append(head)
            device.end()
        assert found[0] == found[1]
        same(devices, read_request(1, address("ERRORS"), 1).encode())
        same(devices, write_request(0, address("PROGRAM"), [5]).encode())  # 0 counts as used after a reset
