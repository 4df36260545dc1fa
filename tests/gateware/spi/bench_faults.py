"""cocotb: damaged, cut, overlong and repeated frames, resets and a host that is too fast. Run by test_spi.py."""

import random
from types import SimpleNamespace

import cocotb
from cocotb.triggers import Timer

from ascnode_gateware.bus.frames import (
    GAP_BYTES,
    HEADER_BYTES,
    FrameError,
    Status,
    read_request,
    with_crc,
    write_request,
)
from ascnode_gateware.bus.host import Host
from ascnode_gateware.registers.table import BASE, field_named
from gateware.spi.clocks import CORE_PERIOD_PS, cycles, power_up, pulse_reset, within
from gateware.spi.driver import SpiDriver
from gateware.spi.model import MemoryModel
from gateware.spi.monitor import Access, BusMonitor, PulseCounter

RATIOS = (0.1, 0.37, 0.9, 1.0, 1.3)
CONTROL = BASE + 2
ERRORS = field_named("crc_errors")[0].address
COUNTED = [field_named(name)[1] for name in ("crc_errors", "frame_errors")]
START = 1


async def start(dut, ratio=1.3, seed=0):
    """A powered bench: driver, its random numbers, every access seen, count of START pulses."""
    await power_up(dut)
    generator = random.Random(seed)
    seen = []
    return SimpleNamespace(
        dut=dut,
        random=generator,
        driver=SpiDriver(dut, ratio, generator),
        seen=seen,
        clears=0,
        monitor=BusMonitor(dut, "spi", seen.append),
        started=PulseCounter(dut, "spi_pulse_start"),
    )


async def ask(bench, request):
    return request.decode(await bench.driver.exchange(request.encode()))


async def errors(bench):
    """(CRC errors, frame errors) since the last call, after which they are cleared: the counters stop early."""
    word = (await ask(bench, read_request(15, ERRORS, 1))).words[0]
    bench.clears += 1
    cleared = await ask(bench, write_request(13 + bench.clears % 2, ERRORS, [0]))
    assert cleared.status == Status.OK
    return tuple((word & field.mask) >> field.low for field in COUNTED)


def status_only(status, number):
    head = bytes([status << 4 | number])
    return head + bytes(GAP_BYTES) + with_crc(head)[1:]


def writes(bench, address):
    return [access for access in bench.seen if access.address == address and access.word is not None]


@cocotb.test()
async def frame_cut_at_any_bit_has_no_effect_and_next_frame_works(dut):
    """A register write acts from the last bit of its CRC on, and memory's words each from their last bit on."""
    bench = await start(dut)
    frame = write_request(1, CONTROL, [START]).encode()
    acts_from = 8 * (HEADER_BYTES + 4 + 4)
    sequence = 0
    for bits in range(8 * len(frame)):
        bench.driver.half_ps = round(CORE_PERIOD_PS / bench.random.choice(RATIOS[1:]) / 2)
        sequence = sequence % 11 + 1
        frame = write_request(sequence, CONTROL, [START]).encode()
        bench.started.count = 0
        await bench.driver.exchange(frame, bits)
        counted = await errors(bench)
        assert counted == (0, int(bits >= 8)), bits
        assert bench.started.count == int(bits >= acts_from), bits


@cocotb.test()
async def cut_memory_write_lands_only_whole_words_of_itself(dut):
    bench = await start(dut, seed=1)
    words = [0x01234567, 0x89ABCDEF]
    frame = write_request(1, 0x100, words).encode()
    for bits in range(0, 8 * len(frame), 3):
        bench.seen.clear()
        await bench.driver.exchange(frame, bits)
        await ask(bench, read_request(0, 0, 0))
        landed = max(0, min(2, (bits - 8 * HEADER_BYTES) // 32))
        assert bench.seen == [Access(0x100 + i, word) for i, word in enumerate(words[:landed])]


@cocotb.test()
async def cut_read_does_not_leak_into_next_answer(dut):
    bench = await start(dut, seed=2)
    await ask(bench, write_request(1, 0, [0x11111111 * n for n in range(8)]))
    for bits in range(8 * HEADER_BYTES, 8 * 50, 5):
        await bench.driver.exchange(read_request(2, 0, 8).encode(), bits)
        assert (await ask(bench, read_request(3, 5, 1))).words == (0x55555555,)


@cocotb.test()
async def any_wrong_bit_of_a_register_write_is_noticed_and_does_nothing(dut):
    bench = await start(dut, seed=3)
    for number, bit in enumerate(range(8 * (HEADER_BYTES + 8))):
        bench.started.count = 0
        request = write_request(number % 11 + 1, CONTROL, [START])
        bench.driver.flip_mosi = lambda at, bit=bit: at == bit
        received = await bench.driver.exchange(request.encode())
        bench.driver.flip_mosi = lambda at: 0
        assert bench.started.count == 0, bit
        if bit >= 8 * HEADER_BYTES:
            assert request.decode(received).status == Status.CRC_ERROR
        assert (await errors(bench))[0] == 1, bit


@cocotb.test()
async def any_wrong_bit_of_a_header_writes_nothing(dut):
    bench = await start(dut, seed=4)
    for bit in range(8 * HEADER_BYTES):
        bench.driver.flip_mosi = lambda at, bit=bit: at == bit
        await bench.driver.exchange(write_request(1, 0x40, [1, 2, 3]).encode())
    assert bench.seen == []


@cocotb.test()
async def any_wrong_bit_of_an_answer_is_noticed(dut):
    bench = await start(dut, seed=5)
    await ask(bench, write_request(1, 7, [0xFFFF0000, 0x80000001]))
    request = read_request(2, 7, 2)
    gap = range(8 * (request.answer_at + 1), 8 * (request.answer_at + 1 + GAP_BYTES))
    for bit in range(8 * request.answer_at, 8 * (request.answer_at + request.answer_bytes)):
        if bit in gap:
            continue
        bench.driver.flip_miso = lambda at, bit=bit: at == bit
        received = await bench.driver.exchange(request.encode())
        try:
            answer = request.decode(received)
        except FrameError:
            continue
        raise AssertionError(f"bit {bit} went unnoticed: {answer}")


@cocotb.test()
async def noisy_line_loses_no_word_and_repeats_no_command(dut):
    for number, ratio in enumerate((0.37, 1.3)):
        bench = await start(dut, ratio, 6 + number)
        bench.driver.flip_mosi = bench.driver.flip_miso = lambda at, bench=bench: (
            bench.random.random() < 0.0008
        )
        host, model = Host(sequence=number), MemoryModel()
        for turn in range(25):
            words = [bench.random.getrandbits(32) for _ in range(4)]
            model.write(16 * turn, words)
            await bench.driver.run(host.write(16 * turn, words))
            assert await bench.driver.run(host.read(16 * turn, 4)) == model.words(16 * turn, 4)
            await bench.driver.run(host.write_register(CONTROL, START))
        assert bench.started.count == 25
        assert host.resent > 5
        bench.monitor.stop()


@cocotb.test()
async def random_bits_never_act_nor_block_the_port(dut):
    bench = await start(dut, seed=8)
    for _ in range(60):
        junk = bench.random.randbytes(bench.random.randrange(1, 60))
        await bench.driver.exchange(junk, bench.random.randrange(1, 8 * len(junk)))
        assert not [access for access in bench.seen if access.word is not None]
        assert (await ask(bench, read_request(1, BASE, 1))).words[0].to_bytes(4, "little") == b"ASCN"


@cocotb.test()
async def overlong_frame_is_done_and_counted_once(dut):
    bench = await start(dut, seed=9)
    request = write_request(1, CONTROL, [START])
    received = await bench.driver.exchange(request.encode() + bytes(range(1, 8)))
    assert request.decode(received).status == Status.OK
    assert received[-7:] == bytes(7)
    assert await errors(bench) == (0, 1)
    assert bench.started.count == 1
    request = read_request(1, 0, 2)
    request.decode(await bench.driver.exchange(request.encode() + bytes(1)))
    assert await errors(bench) == (0, 1)


@cocotb.test()
async def unknown_opcodes_and_register_bursts_are_rejected(dut):
    bench = await start(dut, seed=10)
    for opcode in set(range(16)) - {1, 2}:
        request = read_request(5, 0x10, 3)
        frame = with_crc(bytes([opcode << 4 | 5]) + request.encode()[1:4]) + bytes(30)
        answer = (await bench.driver.exchange(frame))[10:18]
        assert answer == status_only(Status.REJECTED, 5)
        assert await errors(bench) == (0, 1)
    burst = SimpleNamespace(address=CONTROL, count=2)
    header = bytes([0x2 << 4 | 6]) + burst.address.to_bytes(2, "little") + bytes([burst.count])
    frame = with_crc(header) + with_crc(bytes([1, 0, 0, 0] * 2)) + bytes(9)
    bench.seen.clear()
    assert (await bench.driver.exchange(frame))[10:18] == status_only(Status.REJECTED, 6)
    assert bench.started.count == 0
    assert bench.seen == []


@cocotb.test()
async def register_write_sent_twice_acts_once(dut):
    bench = await start(dut, seed=11)
    for _ in range(3):
        answer = await ask(bench, write_request(9, CONTROL, [START]))
    assert answer.status == Status.REPEATED
    assert bench.started.count == 1
    await ask(bench, write_request(9, 0x20, [1]))  # memory has no such rule
    assert writes(bench, 0x20)
    assert (await ask(bench, write_request(10, CONTROL, [START]))).status == Status.OK
    assert bench.started.count == 2


@cocotb.test()
async def host_that_restarts_with_the_last_number_is_still_heard(dut):
    bench = await start(dut, seed=12)
    await bench.driver.run(Host(sequence=4).write_register(CONTROL, START))
    await bench.driver.run(Host(sequence=4).write_register(CONTROL, START))
    await cycles(4)
    assert bench.started.count == 2


@cocotb.test()
async def reset_at_any_moment_of_a_frame_leaves_a_working_port(dut):
    bench = await start(dut, seed=13)
    request = write_request(3, 0x200, [0xCAFEF00D, 0x12345678])
    length = 8 * len(request.encode()) * 2 * bench.driver.half_ps
    for moment in range(0, length, length // 60):
        transfer = cocotb.start_soon(bench.driver.exchange(request.encode()))
        await Timer(max(1, moment), "ps")
        await pulse_reset(dut)
        await within(transfer, 200, "the frame under reset")
        assert (await ask(bench, request)).status == Status.OK
        assert (await ask(bench, read_request(4, 0x200, 2))).words == tuple(request.words)


@cocotb.test()
async def reset_starts_with_the_wire_and_ends_with_the_clock(dut):
    await power_up(dut)
    for phase in range(0, CORE_PERIOD_PS, CORE_PERIOD_PS // 7):
        await Timer(CORE_PERIOD_PS + phase, "ps")
        dut.rst.value = 1
        await Timer(1, "ps")
        assert dut.reset.value == 1
        dut.rst.value = 0
        await Timer(CORE_PERIOD_PS - 1, "ps")
        assert dut.reset.value == 1
        await Timer(2 * CORE_PERIOD_PS, "ps")
        assert dut.reset.value == 0


def check_prefix(received, whole):
    """What was sent is the right answer up to some byte, and zeros from there on; the answer is cut for certain."""
    same = next(at for at, (a, b) in enumerate(zip(received, whole, strict=True)) if a != b)
    assert not any(received[same:]), f"rubbish from byte {same} on: {received.hex()}"


@cocotb.test()
async def long_stall_of_bus_spoils_the_frame_and_says_so(dut):
    """A word was not there in its turn: zeros in place of what follows, and so a wrong CRC."""
    bench = await start(dut, seed=14)
    words = [0x10203040 * (n + 1) & 0xFFFFFFFF for n in range(6)]
    await ask(bench, write_request(1, 0, words))
    request = read_request(2, 0, 6)
    whole = await bench.driver.exchange(request.encode())
    assert request.decode(whole).words == tuple(words)
    for moment in range(60, 200, 20):
        transfer = cocotb.start_soon(bench.driver.exchange(request.encode()))
        await cycles(moment)
        dut.spi_stall.value = 1
        await cycles(60)
        dut.spi_stall.value = 0
        check_prefix(await transfer, whole)
        assert (await errors(bench))[1] == 1
        assert (await ask(bench, request)).words == tuple(words)


@cocotb.test()
async def host_that_is_too_fast_is_never_told_a_wrong_word(dut):
    bench = await start(dut, seed=15)
    words = [0x0F1E2D3C * (n + 1) & 0xFFFFFFFF for n in range(40)]
    await ask(bench, write_request(1, 0, words))
    request = read_request(2, 0, 40)
    whole = await bench.driver.exchange(request.encode())
    failures = 0
    for ratio in (1.6, 1.9, 2.3, 2.7, 3.1, 4.0, 6.0):
        bench.driver.half_ps = round(CORE_PERIOD_PS / ratio / 2)
        received = await bench.driver.exchange(request.encode())
        if spoilt := received != whole:
            check_prefix(received, whole)
            failures += 1
        bench.driver.half_ps = round(CORE_PERIOD_PS / 1.3 / 2)
        assert (await ask(bench, read_request(3, 1, 1))).words == (words[1],)
        assert ((await errors(bench))[1] > 0) == spoilt, ratio
    assert failures >= 3
