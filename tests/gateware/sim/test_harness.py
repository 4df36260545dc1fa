"""The C++ harness and its Python side, on a stand-in that copies words: bus, stream ring, runs, failures."""

import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.registers.table import IDENTITY
from ascnode_gateware.sim.addresses import address, mask
from ascnode_gateware.sim.device import Device, Ending
from ascnode_gateware.sim.process import Process, SimulationError
from gateware.sim import stand_in
from gateware.sim.stand_in import FROM_RING, MASK, PROGRAM, RING, RING_BLOCKS, feed


@pytest.fixture(scope="module")
def executable(request: pytest.FixtureRequest) -> Path:
    cache = request.config.cache
    assert cache
    return stand_in.build(cache.mkdir("simulators"))


@pytest.fixture
def process(executable: Path) -> Iterator[Process]:
    with Process(executable) as process:
        yield process


@pytest.fixture
def device(process: Process) -> Device:
    device = Device(process)
    device.reset()
    return device


def noise(count: int) -> npt.NDArray[np.uint32]:
    return np.random.default_rng(count).integers(0, 2**32, count, dtype=np.uint32)


def set_program(device: Device, count: int, source: int, target: int, layer_words: int) -> None:
    device.write(PROGRAM, [count, source, target, layer_words])
    device.write(address("PROGRAM"), [PROGRAM])


def set_stream(device: Device, words: npt.NDArray[np.uint32], cycles_per_word: float) -> None:
    set_program(device, len(words), FROM_RING, 0x2000, 64)
    device.write(address("RING_BASE"), [RING, RING_BLOCKS])
    device.feed(feed(RING, RING_BLOCKS, cycles_per_word), words)


def start(device: Device, limit: int = 100_000, **options: bool):  # type: ignore[no-untyped-def]
    return device.run(address("CONTROL"), mask("start"), limit, **options)


def test_words_are_read_back_where_they_were_written_and_nowhere_else(device: Device) -> None:
    device.write(0x0FFF, [0x11223344] * 3)
    device.write(0x1000, [0x12345678])
    assert device.read(0x0FFF, 3).tolist() == [0x11223344, 0x12345678, 0x11223344]
    words = noise(0x8000)  # all of the memory, in one command
    device.write(0, words)
    assert np.array_equal(device.read(0, 0x8000), words)


def test_nothing_may_be_written_and_read(device: Device) -> None:
    device.write(5, [])
    assert device.read(5, 0).size == 0


def test_a_register_answers_with_its_own_value(device: Device) -> None:
    assert device.read(address("ID"), 1).tolist() == [IDENTITY]


def test_memory_starts_with_noise_of_the_seed(executable: Path) -> None:
    contents = []
    for seed in (7, 7, 8):
        with Process(executable, seed) as process:
            contents.append(Device(process).read(0, 64))
    assert np.array_equal(contents[0], contents[1])
    assert not np.array_equal(contents[0], contents[2])
    assert contents[0].all()  # not the zeros that a design could take for granted


def test_a_run_ends_when_the_engine_does_and_counts_what_the_engine_counts(device: Device) -> None:
    words = noise(256)
    device.write(0x100, words)
    set_program(device, 256, 0x100, 0x2000, 64)
    watch = start(device)
    assert watch.ending is Ending.IDLE
    assert np.array_equal(device.read(0x2000, 256), words ^ MASK)
    # 4 cycles for the program and 2 a word; the harness sees the engine idle a cycle later.
    assert device.read(address("CYCLES"), 1)[0] == 4 + 2 * 256
    assert watch.cycles == 4 + 2 * 256 + 1
    assert watch.changes == ((132, 1), (260, 2), (388, 3), (516, 4))


def test_many_runs_share_a_process(device: Device) -> None:
    for count in range(1, 200):
        set_program(device, count, 0x100, 0x2000, 1)
        assert start(device).cycles == 4 + 2 * count + 1


def test_a_run_past_its_limit_ends_there_and_can_be_reset(device: Device) -> None:
    set_program(device, 0, 0, 0, 1)
    watch = start(device, limit=1234)
    assert (watch.ending, watch.cycles) == (Ending.LIMIT, 1234)
    device.reset()
    set_program(device, 1, 0, 0x2000, 1)
    assert start(device).ending is Ending.IDLE


def test_an_interrupt_ends_a_run(device: Device) -> None:
    set_program(device, 1, 0, 0x2000, 1 | 4 << 16)
    watch = device.run(address("CONTROL"), mask("start") | mask("irq_enable"), 1000)
    assert watch.ending is Ending.INTERRUPT
    assert watch.cycles == 4 + 2 + 1


def test_a_run_stops_after_each_layer_and_goes_on(device: Device) -> None:
    set_program(device, 128, 0x100, 0x2000, 64)
    first = start(device, stop_at_layer=True)
    assert (first.ending, first.changes) == (Ending.LAYER, ((132, 1),))
    second = device.run(0, 0, 1000, stop_at_layer=True, same_run=True)
    assert (second.ending, second.changes[0][1]) == (Ending.LAYER, 2)


@pytest.mark.parametrize("cycles_per_word", [1, 3, 8.125])
def test_a_stream_longer_than_the_ring_arrives_whole(device: Device, cycles_per_word: float) -> None:
    words = noise(64 * 11)
    set_stream(device, words, cycles_per_word)
    watch = start(device)
    assert np.array_equal(device.read(0x2000, len(words)), words ^ MASK)
    assert watch.words_fed == len(words)


def test_a_stream_comes_no_faster_than_its_rate_and_hardly_slower(device: Device) -> None:
    words = noise(64 * 16)
    set_stream(device, words, 8.125)
    cycles = start(device).cycles
    assert 8.125 * (len(words) - 1) <= cycles < 8.125 * len(words) * 1.05 + 64 * 2


def test_a_source_faster_than_the_engine_waits_for_room(device: Device) -> None:
    set_stream(device, noise(64 * 16), 1)
    watch = start(device)
    assert watch.ring_full_cycles > 0
    assert watch.bus_wait_cycles > 0


def test_every_run_gets_the_stream_from_its_start(device: Device) -> None:
    words = noise(64 * 6)
    set_stream(device, words, 2)
    for _ in range(3):
        device.write(0x2000, np.zeros(len(words), np.uint32))
        start(device)
        assert np.array_equal(device.read(0x2000, len(words)), words ^ MASK)


def test_a_stream_that_ends_early_leaves_the_engine_waiting(device: Device) -> None:
    set_stream(device, noise(64 * 4), 1)
    device.write(PROGRAM, [64 * 5])
    watch = start(device, limit=5000)
    assert watch.ending is Ending.LIMIT
    assert watch.words_fed == 64 * 4


def test_part_of_a_block_is_refused(device: Device) -> None:
    with pytest.raises(
        SimulationError, match=r"could not take a stream of 65 words: .*whole number of blocks"
    ):
        device.feed(feed(RING, RING_BLOCKS, 1), noise(65))
    assert device.read(address("ID"), 1).tolist() == [IDENTITY]  # and it still answers


@pytest.mark.parametrize(("address", "count"), [(0xFFFF, 2), (0x10000, 1), (-1, 1)])
def test_addresses_past_the_bus_are_refused(device: Device, address: int, count: int) -> None:
    with pytest.raises(SimulationError, match="16-bit addresses"):
        device.read(address, count)
    with pytest.raises(SimulationError, match="16-bit addresses"):
        device.write(address, [0] * count)


def test_a_command_that_does_not_exist_is_refused(process: Process) -> None:
    with pytest.raises(SimulationError, match="could not dance: there is no such command"):
        process.ask("?", b"", "dance", 10)


def test_a_truncated_command_is_refused(process: Process) -> None:
    with pytest.raises(SimulationError, match="too short"):
        process.ask("R", b"\1", "read", 10)


def test_a_run_past_its_wall_time_is_ended_with_one_sentence(device: Device) -> None:
    set_program(device, 0, 0, 0, 1)
    with pytest.raises(SimulationError, match=r"did not run for at most \d+ cycles in 0.2 s"):
        device.run(address("CONTROL"), mask("start"), 10**12, deadline_s=0.2)
    with pytest.raises(SimulationError, match="not running"):
        device.read(0, 1)


def test_a_simulator_that_dies_says_what_it_was_asked(process: Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(SimulationError, match=r"ended when asked to read 1 words at 0x0007 \(exit code -9\)"):
        Device(process).read(7, 1)


def script(folder: Path, text: str) -> Path:
    path = folder / "simulator"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_last_words_of_a_simulator_are_told(tmp_path: Path) -> None:
    with (
        Process(script(tmp_path, "head -c 5 >/dev/null; echo out of luck >&2; exit 3")) as process,
        pytest.raises(SimulationError, match=r"exit code 3\); it said: out of luck"),
    ):
        Device(process).reset()


def test_a_simulator_that_reads_nothing_is_given_up(tmp_path: Path) -> None:
    with (
        Process(script(tmp_path, "exec sleep 30")) as process,
        pytest.raises(SimulationError, match=r"did not swallow in 0\.2 s"),
    ):
        process.ask("W", bytes(1 << 20), "swallow", 0.2)


def test_a_simulator_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="cannot be started: No such file"):
        Process(tmp_path / "none")


def test_leaving_ends_the_process(executable: Path) -> None:
    with Process(executable) as process:
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
