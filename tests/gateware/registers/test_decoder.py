"""The register block, simulated: every kind of field, by hand-written addresses."""

import random

import pytest
from pyrtl import Const, Input, Output, Simulation, reset_working_block

from ascnode_gateware.registers.decoder import Bus, hardware_wires, registers
from ascnode_gateware.registers.table import REGISTERS, Access
from ascnode_gateware.synth.process import GatewareError

CONTROL, STATUS, IRQ, PROGRAM, RING_COMMIT, ERRORS, CYCLES = (
    0x8002,
    0x8003,
    0x8004,
    0x8005,
    0x800A,
    0x800F,
    0x8010,
)


EVENTS = ("hw_cycles", "hw_stalls", "hw_throttled", "hw_words", "hw_pixels")


class Block:
    """The block in a simulation: `step` is a cycle, `read` and `write` are bus accesses."""

    def __init__(self):
        reset_working_block()
        bus = Bus(Input(1, "valid"), Input(1, "write"), Input(16, "address"), Input(32, "wdata"))
        wires = {name: Input(width, f"hw_{name}") for name, width in hardware_wires().items()}
        block = registers(bus, wires, Input(1, "reset"))
        shown = {"rdata": block.rdata, "irq": block.irq, "may_read": block.may_read, "tick": block.tick}
        shown |= {f"config_{name}": wire for name, wire in block.config.items()}
        for name, wire in shown.items():
            port = Output(len(wire), name)
            port <<= wire
        self.idle = dict.fromkeys(
            ["valid", "write", "address", "wdata", "reset", *(f"hw_{n}" for n in wires)], 0
        )
        self._simulation = Simulation(tracer=None)
        self.reset()

    def reset(self):
        self.step(reset=1)
        self.step()  # clears the counters

    def step(self, **inputs):
        self._simulation.step({**self.idle, **inputs})

    def tick_after_cycle(self):
        self.step(hw_cycles=1)
        return self["tick"]

    def write(self, address, word, **inputs):
        self.step(valid=1, write=1, address=address, wdata=word, **inputs)

    def read(self, address):
        for _ in range(8):
            self.step(address=address)
            if self["may_read"]:
                break
        else:
            raise TimeoutError(f"{address:#x} could not be read in 8 cycles")
        self.step(valid=1, address=address)
        self.step()
        return self["rdata"]

    def __getitem__(self, name):
        return self._simulation.inspect(name)


def counter_memory(block):
    """The counters' memory in a simulation that has cleared them."""
    for _ in range(8):
        block.step()
    memory = next(iter(block._simulation.block.logic_subset("m"))).op_param[1]
    return block._simulation.memvalue[memory.id]


@pytest.fixture(scope="module")
def built():
    return Block()


@pytest.fixture
def block(built):
    built.reset()
    return built


def test_identity_is_the_text_ascn(block):
    assert block.read(0x8000).to_bytes(4, "little") == b"ASCN"
    assert block.read(0x8001) == 0x100


def test_written_fields_reach_their_wires_a_cycle_later(block):
    block.write(PROGRAM, 0xFFFF_DEAD)
    block.step()
    assert block["config_program"] == 0x5EAD
    block.write(0x800B, 0xAB123456)
    block.step()
    assert (block["config_flash_address"], block["config_program"]) == (0x123456, 0x5EAD)
    assert block.read(PROGRAM) == 0


def test_pulse_lasts_the_cycle_of_its_write_and_levels_stay(block):
    block.write(CONTROL, 0x303)
    assert (block["config_start"], block["config_abort"], block["config_resume"]) == (1, 1, 0)
    assert block.read(CONTROL) == 0x300
    assert (block["config_start"], block["config_single_step"], block["config_irq_enable"]) == (0, 1, 1)


def test_read_of_a_pulse_register_is_no_pulse(block):
    block.step(valid=1, address=CONTROL, wdata=0xFFFFFFFF)
    assert block["config_start"] == 0
    block.step(write=1, address=CONTROL, wdata=0xFFFFFFFF)
    assert block["config_start"] == 0


def test_command_carries_its_value(block):
    block.write(RING_COMMIT, 0x1C3)
    assert (block["config_ring_commit_written"], block["config_ring_commit"]) == (1, 0xC3)
    block.step()
    assert block["config_ring_commit_written"] == 0


def test_status_is_what_the_hardware_says_at_the_read(block):
    block.step(valid=1, address=STATUS, hw_busy=1, hw_error=0xA, hw_layer=0x5B, hw_ring_free=0x101)
    block.step()
    assert block["rdata"] == 0x0101_5BA1


def test_flags_stay_until_ones_are_written_and_setting_wins(block):
    block.step(hw_irq_done=1)
    block.step(hw_irq_paused=1)
    assert block.read(IRQ) == 0b101
    block.write(IRQ, 0b011)
    assert block.read(IRQ) == 0b100
    block.write(IRQ, 0b111, hw_irq_paused=1)
    assert block.read(IRQ) == 0b100


def test_irq_needs_a_flag_and_its_enable(block):
    block.step(hw_irq_error=1)
    block.step()
    assert block["irq"] == 0
    block.write(CONTROL, 0x200)
    block.step()
    assert block["irq"] == 1
    block.write(IRQ, 0b010)
    block.step()
    assert block["irq"] == 0


def test_counters_count_cycles_and_clear_with_start(block):
    for event in (1, 0, 1, 1):
        block.step(hw_cycles=1, hw_stalls=event)
    assert (block.read(CYCLES), block.read(CYCLES + 1)) == (4, 3)
    block.write(CONTROL, 1, hw_cycles=1)
    block.step(hw_cycles=1)
    assert (block.read(CYCLES), block.read(CYCLES + 1)) == (0, 0)
    block.write(CONTROL, 1)
    block.step()
    block.step(hw_cycles=1)
    assert block.read(CYCLES) == 1


def test_counters_miss_no_event_whenever_it_comes(block):
    generator = random.Random(7)
    expected = [0] * 5
    for _ in range(400):
        events = [generator.randrange(2) for _ in expected]
        block.step(**dict(zip(EVENTS, events, strict=True)))
        expected = [count + event for count, event in zip(expected, events, strict=True)]
        if generator.random() < 0.1:
            assert [block.read(CYCLES + n) for n in range(5)] == expected
        if generator.random() < 0.05:
            block.write(CONTROL, 1, **dict.fromkeys(EVENTS, 1))
            block.step(**dict.fromkeys(EVENTS, 1))
            expected = [0] * 5
    assert [block.read(CYCLES + n) for n in range(5)] == expected


def test_tick_comes_when_the_first_counter_has_counted_256_cycles(block):
    memory = counter_memory(block)
    for before, ticks in ((256 - 20, 1), (256 + 20, 0), (512 - 20, 1)):
        memory[0] = before
        block.step(hw_cycles=1)
        assert sum(block.tick_after_cycle() for _ in range(40)) == ticks


def test_error_counters_stop_at_15_and_clear_by_a_write_only(block):
    for _ in range(20):
        block.step(hw_crc_errors=1)
    block.step(hw_flash_errors=1, hw_frame_errors=1)
    block.write(CONTROL, 1)
    assert block.read(ERRORS) == 0x01010F
    block.write(ERRORS, 0)
    assert block.read(ERRORS) == 0


def test_counter_carries_through_all_its_bits(built):
    memory = counter_memory(block := Block())
    memory.update(dict.fromkeys(range(5), (1 << 28) - 2))
    for expected in (-1, 0, 1):
        block.step(hw_cycles=1, hw_pixels=1)
        assert [block.read(CYCLES + n) for n in (0, 4)] == [expected % (1 << 28)] * 2


def test_addresses_without_register_read_zero_and_change_nothing(block):
    block.write(PROGRAM, 0x1234)
    used = {register.offset for register in REGISTERS}
    aliases = [0x8000 | 1 << bit | PROGRAM & 0x1F for bit in range(5, 15)]
    for address in [*aliases, *(0x8000 + offset for offset in set(range(32)) - used)]:
        block.write(address, 0xFFFFFFFF)
        assert block["config_start"] == 0
        assert block.read(address) == 0, hex(address)
    assert block.read(0x8020) == 0
    assert block["config_program"] == 0x1234


def test_only_writable_fields_change_by_random_writes(block):
    generator = random.Random(5)
    kept = {f.name: 0 for r in REGISTERS for f in r.fields if f.access in (Access.HELD, Access.WRITE_ONLY)}
    for _ in range(200):
        register = generator.choice(REGISTERS)
        word = generator.getrandbits(32)
        block.write(0x8000 + register.offset, word)
        kept |= {f.name: (word & f.mask) >> f.low for f in register.fields if f.name in kept}
        block.step()
        assert {name: block[f"config_{name}"] for name in kept} == kept


def test_reset_clears_what_was_written(block):
    block.write(CONTROL, 0x700)
    block.write(PROGRAM, 77, hw_irq_done=1)
    block.step(reset=1, hw_cycles=1)
    block.step()
    assert (block["config_program"], block["config_stream_host"], block["irq"]) == (0, 0, 0)
    assert block.read(IRQ) == block.read(CYCLES) == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"busy": None}, "needs a wire for busy"), ({"layer": 7}, "layer has 7 bits, not 8")],
)
def test_missing_or_narrow_wire_is_refused(changed, message):
    reset_working_block()
    widths = {**hardware_wires(), **changed}
    wires = {name: Const(0, width) for name, width in widths.items() if width}
    bus = Bus(Const(0, 1), Const(0, 1), Const(0, 16), Const(0, 32))
    with pytest.raises(GatewareError, match=message):
        registers(bus, wires, Const(0, 1))
