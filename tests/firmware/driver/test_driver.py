"""The driver on the golden accelerator: answers, throttle, and what it does about faults."""

import dataclasses

import pytest

from ascnode.models.image import compile_image
from ascnode_fw.accel import causes, registers
from ascnode_fw.accel.driver import Driver
from ascnode_fw.accel.engine import NoEngine, NoKernel, make_engine, make_models
from ascnode_fw.accel.errors import ProgramError
from ascnode_fw.accel.program import Program
from ascnode_gateware.compiler.compile import compile_model
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_gateware.program.image import SelfTest, write_image
from ascnode_gateware.registers.constants import constants, constants_module
from ascnode_gateware.registers.table import ErrorCode
from firmware.driver.rig import KWS, TOP_KHZ, Rig, case, model_file

needs_kws = pytest.mark.skipif(model_file(KWS) is None, reason="the MLPerf Tiny models are not at hand")


def test_the_drivers_registers_are_the_tables() -> None:
    written = {name: value for name, value in vars(registers).items() if name.isupper()}
    assert written == constants()
    assert len(list(ErrorCode)) == sum(name.startswith("ERROR_") for name in written)
    assert "from ascnode_fw.compat import const" in constants_module("ascnode_fw.compat")


@pytest.mark.parametrize(
    ("name", "count"), [("digits", 60), pytest.param(KWS, 6, marks=needs_kws)], ids=["digits", "kws"]
)
def test_answers_are_the_reference_models_bytes(name: str, count: int) -> None:
    rig = Rig(case(name))
    assert all(rig.right(data) for data in rig.case.inputs(count))
    assert (rig.driver.repairs, rig.driver.resent) == (0, 0)


def test_the_same_input_twice_gives_the_same_answer_twice() -> None:
    rig = Rig(case())
    (data,) = rig.case.inputs(1)
    assert rig.right(data) and rig.right(data)


@pytest.mark.parametrize("clock_khz", [20_000, 48_000, 80_000, 105_000, 120_000, 133_000])
def test_cycles_go_with_the_clock_within_a_percent(clock_khz: int) -> None:
    rig = Rig(case())
    inputs = rig.case.inputs(64)
    measured = 0
    for data in inputs:
        assert rig.run(data, clock_khz) == causes.OK
        measured += rig.driver.measured
    asked = rig.driver.cycles * TOP_KHZ / clock_khz
    assert measured / len(inputs) == pytest.approx(asked, rel=0.01)


def test_what_no_throttle_reaches_is_run_as_slowly_as_can_be_and_owed_no_longer() -> None:
    rig = Rig(case())
    first, *others = rig.case.inputs(4)
    assert rig.run(first, 1) == causes.OK
    slowest = rig.driver.measured
    assert slowest > 100 * rig.driver.cycles
    for data in others:  # at the top clock the debt is paid with at most one more such run
        assert rig.run(data) == causes.OK
    assert rig.driver.measured < 1.05 * rig.driver.cycles


# --- faults: recovered, or said


def _spoilt(*faults: Fault, inputs: int = 6) -> tuple[Rig, list[int]]:
    # Runs with the program loaded, then the faults planted; the repairs of each run, all of whose answers were right.
    rig = Rig(case())
    first, *others = rig.case.inputs(inputs)
    assert rig.right(first)
    rig.device.plant(faults)
    repairs = []
    for data in others:
        assert rig.right(data)
        repairs.append(rig.driver.repairs)
    return rig, repairs


def test_wire_noise_costs_frames_and_no_answer() -> None:
    noise = [Fault(kind, 0, frames=0, rate=1e-4, seed=3) for kind in (FaultKind.MOSI, FaultKind.MISO)]
    rig = Rig(case(), noise)
    resent = 0
    for data in rig.case.inputs(20):
        assert rig.right(data)
        resent += rig.driver.resent
    assert resent > 20


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.CUT, FaultKind.REPEAT])
def test_frames_that_are_lost_cut_or_doubled_change_no_answer(kind: FaultKind) -> None:
    rig, _ = _spoilt(*(Fault(kind, frame) for frame in range(3, 60, 7)))
    assert rig.device.happened[kind] > 5


def test_a_hung_engine_is_reset_within_its_deadline_and_the_run_repeated() -> None:
    rig, repairs = _spoilt(Fault(FaultKind.HANG, 4))
    assert repairs == [1 << causes.HUNG, 0, 0, 0, 0]
    assert rig.bus.waited_us < 20_000


def test_a_reset_at_any_frame_of_a_run_is_noticed() -> None:
    seen = set()
    for frame in range(20):
        for after_us in (0, 5, 40):
            _, repairs = _spoilt(Fault(FaultKind.RESET, frame, after_us=after_us), inputs=3)
            seen.add(repairs[0])
    assert 1 << causes.RESET in seen
    assert seen <= {0, 1 << causes.RESET, 1 << causes.STOPPED}


def test_a_changed_weight_is_found_before_the_answer_is_given() -> None:
    (at,) = [max(case_segments(Rig(case())))]
    _, repairs = _spoilt(Fault(FaultKind.FLIP, 0, address=at, bit=7))
    assert repairs == [1 << causes.WEIGHTS, 0, 0, 0, 0]


def case_segments(rig: Rig) -> list[int]:
    """Word addresses of the program's segments."""
    return list(Program(rig.store, "model.acc").segments[0::4])


def test_without_verification_a_changed_weight_goes_unseen() -> None:
    # What the read-back is for.
    rig = Rig(case(), verify_every=0)
    first, *others = rig.case.inputs(8)
    assert rig.right(first)
    at = max(case_segments(rig))
    rig.device.plant([Fault(FaultKind.FLIP, 0, address=at + k, bit=7) for k in range(8)])
    assert not all(rig.right(data) for data in others)
    assert rig.driver.repairs == 0


def test_an_accelerator_that_hangs_for_good_is_given_up_with_the_cause() -> None:
    rig = Rig(case())
    (data,) = rig.case.inputs(1)
    rig.device.plant([Fault(FaultKind.HANG, frame) for frame in range(400)])
    assert rig.run(data) == causes.HUNG
    assert rig.bus.waited_us < 50_000 and rig.bus.frames < 200


@pytest.mark.parametrize("kind", [FaultKind.STUCK_0, FaultKind.STUCK_1, FaultKind.DROP])
def test_a_dead_link_is_given_up_after_few_frames(kind: FaultKind) -> None:
    rig = Rig(case(), [Fault(kind, 0, frames=0)])
    (data,) = rig.case.inputs(1)
    assert rig.run(data) == causes.LINK
    assert rig.bus.frames <= 3 * 8
    assert rig.driver.recover() == causes.LINK


def test_what_answers_with_another_identity_is_not_used() -> None:
    rig = Rig(case())
    rig.golden.engine.registers = _Impostor(rig.golden.engine.registers)
    (data,) = rig.case.inputs(1)
    assert rig.run(data) == causes.IDENTITY


class _Impostor:
    """Registers whose ID reads as another."""

    def __init__(self, inner: object) -> None:
        self.__dict__["_inner"] = inner

    def __getattr__(self, name: str) -> object:
        found = getattr(self._inner, name)
        if name != "read":
            return found
        return lambda address: 0x12345678 if address == registers.ID else found(address)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._inner, name, value)


def test_it_comes_back_once_the_link_is_whole() -> None:
    rig = Rig(case(), [Fault(FaultKind.STUCK_0, 0, frames=0)])
    first, second = rig.case.inputs(2)
    assert rig.run(first) == causes.LINK
    rig.device.plant([])
    assert rig.driver.recover() == causes.OK
    assert rig.right(second)


# --- a program's file


def test_a_file_damaged_anywhere_is_refused_or_never_runs() -> None:
    whole = case().image
    for at in range(0, len(whole), 97):
        rig = Rig(case())
        rig.store.files["model.acc"] = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        _, engine = make_models(lambda rig=rig: rig.bus, rig.store, "model.acc")
        code = engine.run(memoryview(rig.case.inputs(1)[0]), rig.output, TOP_KHZ, TOP_KHZ, None)
        assert code == causes.PROGRAM, at


@pytest.mark.parametrize("size", [0, 19, 20, 35, 700])
def test_a_file_that_is_cut_short_is_refused(size: int) -> None:
    rig = Rig(case())
    rig.store.files["model.acc"] = case().image[:size]
    with pytest.raises(ProgramError):
        Program(rig.store, "model.acc")


def test_without_an_accelerator_the_engine_says_so_at_every_use() -> None:
    rig = Rig(case())
    program = Program(rig.store, "model.acc")
    engine = make_engine(lambda: None, program)
    assert isinstance(engine, NoEngine) and engine.cycles == rig.driver.cycles
    assert engine.run(memoryview(bytes(64)), rig.output, 1, 1, None) == engine.recover() == causes.LINK
    assert isinstance(make_engine(lambda: rig.bus, program), Driver)


# --- the CPU behind it


def test_the_cpus_model_comes_out_of_the_programs_file() -> None:
    rig = Rig(case())
    kernel, _ = make_models(lambda: rig.bus, rig.store, "model.acc")
    (data,) = rig.case.inputs(1)
    kernel.run(memoryview(data), rig.output)
    assert bytes(rig.output) == rig.case.answer(data)
    assert kernel.model_id == rig.case.model.model_id


def test_a_cpu_model_of_another_program_is_not_used() -> None:
    rig = Rig(case())
    other = dataclasses.replace(compile_model(rig.case.model), model_id=7)
    rig.store.files["model.acc"] = write_image(other, cpu_model=compile_image(rig.case.model))
    kernel, engine = make_models(lambda: rig.bus, rig.store, "model.acc")
    assert isinstance(kernel, NoKernel)
    assert (kernel.model_id, kernel.macs, kernel.input_size, kernel.output_size) == (7, 0, 64, 10)
    assert isinstance(engine, Driver)


def test_a_node_boots_with_a_damaged_program() -> None:
    rig = Rig(case())
    rig.store.files["model.acc"] = b"ASAC"
    kernel, engine = make_models(lambda: rig.bus, rig.store, "model.acc")
    assert kernel.macs == 0 and engine.recover() == causes.PROGRAM


# --- overlap


def test_the_next_input_goes_over_while_the_engine_runs() -> None:
    rig = Rig(case())
    inputs = rig.case.inputs(12)
    rig.run(inputs[0])
    frames = []
    for data, following in zip(inputs[1:], [*inputs[2:], None], strict=True):
        rig.output[:] = bytes(len(rig.output))
        before = rig.bus.frames
        assert rig.run(data, following=following) == causes.OK
        frames.append(rig.bus.frames - before)
        assert bytes(rig.output) == rig.case.answer(data)
    # the first writes two inputs, the last none
    assert frames[0] > frames[5] > frames[-1]


def test_another_job_than_foretold_may_follow() -> None:
    rig = Rig(case())
    first, second, third = rig.case.inputs(3)
    assert rig.run(first, following=second) == causes.OK
    assert rig.right(third)


def test_an_input_that_changes_in_memory_is_found_and_written_again() -> None:
    rig = Rig(case())
    first, second, third = rig.case.inputs(3)
    assert rig.run(first, following=second) == causes.OK
    address = Program(rig.store, "model.acc").input_address
    rig.device.plant([Fault(FaultKind.FLIP, 0, address=address + 9, bit=2)])
    assert rig.right(second)
    assert rig.driver.repairs == 1 << causes.INPUT
    assert rig.right(third)


# --- self-test


def test_a_program_whose_own_question_has_another_answer_does_not_come_back() -> None:
    rig = Rig(case())
    assert rig.driver.recover() == causes.OK
    model = rig.case.model
    wrong = SelfTest(bytes(model.input.size), bytes(model.output.size))
    rig.store.files["model.acc"] = write_image(compile_model(model), self_test=wrong)
    driver = Driver(rig.bus, Program(rig.store, "model.acc"))
    assert driver.recover() == causes.SELF_TEST
