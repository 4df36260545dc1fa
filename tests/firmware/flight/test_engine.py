"""The flight computer with an accelerator: what runs a job, what a failure costs and tells, and the way back."""

import struct
from dataclasses import dataclass, field
from zlib import crc32

from ascnode_fw.accel import causes
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.computer import FlightComputer
from ascnode_fw.wire import dictionary as d
from firmware.flight.bench import Bench, Model, counts

SECOND = 20_000  # 1000 cycles of a second at the one clock there is


@dataclass
class FakeEngine:
    """Comes to what `outcomes` say, one a use: (code, repairs); then to OK. A job takes a second of it."""

    outcomes: list[tuple[int, int]] = field(default_factory=list)
    cycles: int = SECOND
    code: int = 0
    repairs: int = 0
    resent: int = 0
    measured: int = 0
    verify_every: int = -1
    calls: list[tuple[bytes, int, int, bytes | None]] = field(default_factory=list)
    tries: int = 0

    def run(
        self, data: memoryview, output: bytearray, clock_khz: int, top_khz: int, following: memoryview | None
    ) -> int:
        self.calls.append((bytes(data), clock_khz, top_khz, None if following is None else bytes(following)))
        self._come_to()
        self.measured = 1234
        if not self.code:
            output[:] = bytes(range(100, 100 + len(output)))
        return self.code

    def recover(self) -> int:
        self.tries += 1
        self._come_to()
        return self.code

    def upset(self, at: int, mask: int) -> None: ...

    def _come_to(self) -> None:
        self.code, self.repairs = self.outcomes.pop(0) if self.outcomes else (0, 0)


class EngineBench(Bench):
    """A node whose CPU takes three seconds for what its accelerator does in one."""

    def __init__(self, engine: FakeEngine | None, model: Model | None = None, **by_name: int) -> None:
        names = {"operating_points": 2, "clock_1": SECOND, "power_1": 1000, "work_scale": 1000}
        super().__init__(model or Model(macs=SECOND * 3), cycles_per_mac=1000, **{**names, **by_name})
        self.witnessed: list[int] = []
        self.computer = FlightComputer(
            self.params, self.model, self._hear, engine, lambda one: self.witnessed.append(one.code)
        )
        self.f = self.computer.f

    def query(self, job: int, deadline_s: int = 5000) -> int:
        head = struct.pack(">IIBI", job, self.model.model_id, 0, deadline_s)
        return self.command("query", head + bytes([job]) * self.model.input_size)

    def results(self) -> list[dict[str, int]]:
        return self.reports(d.TM_RESULT)

    def seconds(self, count: int) -> None:
        self.period(counts(array_w=420), times=count)


def _bench(*outcomes: tuple[int, int], **by_name: int) -> tuple[EngineBench, FakeEngine]:
    engine = FakeEngine(list(outcomes))
    bench = EngineBench(engine, **by_name)
    bench.seconds(5)
    return bench, engine


def test_without_an_accelerator_the_cpu_answers_and_says_so() -> None:
    bench = EngineBench(None)
    bench.seconds(5)
    assert bench.query(1) == d.OK
    bench.seconds(4)
    (result,) = bench.results()
    data, output = bytes([1]) * 64, bytes([2]) * 10
    assert (result["engine"], result["cycles"], result["work"]) == (d.ENGINE_CPU, 0, 3 * SECOND)
    assert result["proof"] == crc32(data + output)


def test_the_accelerator_answers_in_its_own_time_with_its_proof() -> None:
    bench, engine = _bench()
    assert bench.query(1) == d.OK
    bench.seconds(2)
    (result,) = bench.results()
    assert (result["engine"], result["cycles"]) == (d.ENGINE_ACCELERATOR, 1234)
    assert (result["work"], result["duration"]) == (SECOND, 1000)
    assert result["proof"] == crc32(bytes([1]) * 64 + bytes(range(100, 110)))
    assert not bench.model.runs and bench.witnessed == [0]
    assert engine.calls == [(bytes([1]) * 64, SECOND, SECOND, None)]


def test_the_job_that_comes_next_is_handed_over_beforehand() -> None:
    bench, engine = _bench()
    for job in (1, 2, 3):
        assert bench.query(job) == d.OK
    bench.seconds(4)
    assert [following and following[0] for _, _, _, following in engine.calls] == [2, 3, None]


def test_a_failure_is_told_with_its_cause_and_the_job_goes_on_on_the_cpu() -> None:
    bench, _ = _bench((3, 0))
    assert bench.query(1) == d.OK
    bench.seconds(6)
    (result,) = bench.results()
    assert (result["code"], result["engine"], result["cycles"]) == (d.OK, d.ENGINE_FALL_BACK, 0)
    assert (result["duration"], result["work"]) == (
        4000,
        4 * SECOND,
    )  # the accelerator's second, and the CPU's three
    assert result["proof"] == crc32(bytes([1]) * 64 + bytes([2]) * 10)
    assert bench.events()[-1] == ("accelerator lost: the CPU goes on", 3)


def test_after_a_failure_jobs_are_admitted_with_the_cpus_work() -> None:
    bench, engine = _bench((3, 0))
    bench.query(1)
    bench.seconds(6)
    assert bench.query(2) == d.OK
    bench.seconds(4)
    assert [result["work"] for result in bench.results()] == [4 * SECOND, 3 * SECOND]
    assert len(engine.calls) == 1


def test_what_was_mended_is_told_and_the_answer_stands() -> None:
    bench, _ = _bench((0, 64))
    bench.query(1)
    bench.seconds(2)
    assert bench.results()[0]["engine"] == d.ENGINE_ACCELERATOR
    assert bench.events()[-1] == ("accelerator mended", 64)


def test_it_is_tried_again_only_after_its_time_and_only_when_there_is_work() -> None:
    bench, engine = _bench((1, 0), (1, 0), accelerator_retry=60)
    bench.query(1)
    bench.seconds(10)
    failed_s = bench.f[f_.RETRY_S] - 60
    bench.seconds(100)
    assert engine.tries == 0  # nothing to do
    bench.query(2)
    bench.seconds(10)
    assert engine.tries == 1 and bench.f[f_.RETRY_S] > failed_s + 120
    assert bench.f[f_.ENGINE] == d.ENGINE_FALL_BACK
    bench.seconds(60)
    bench.query(3)
    bench.seconds(5)
    assert engine.tries == 2
    assert bench.f[f_.ENGINE] == d.ENGINE_ACCELERATOR
    assert [name for name, _ in bench.events()].count("accelerator back") == 1
    assert bench.results()[-1]["engine"] == d.ENGINE_ACCELERATOR
    assert bench.witnessed == [1, 1, 0, 0]


def test_a_reset_gives_the_accelerator_another_chance() -> None:
    bench, _ = _bench((2, 0))
    bench.query(1)
    bench.seconds(3)
    assert bench.f[f_.ENGINE] == d.ENGINE_FALL_BACK
    bench.computer.restart(bench.params)
    assert bench.f[f_.ENGINE] == d.ENGINE_ACCELERATOR


def test_a_model_that_the_cpu_cannot_run_fails_with_the_accelerator_and_is_refused_afterwards() -> None:
    engine = FakeEngine([(1, 0)])
    bench = EngineBench(engine, Model(macs=0))
    bench.seconds(5)
    assert bench.query(1) == d.OK
    bench.seconds(2)
    assert bench.results()[0]["code"] == d.ACCELERATOR_FAILED
    assert bench.query(2) == d.ACCELERATOR_FAILED


def test_how_often_memory_is_verified_is_a_parameter() -> None:
    bench, engine = _bench(accelerator_verify=7)
    bench.query(1)
    bench.seconds(2)
    assert engine.verify_every == 7


def test_work_past_the_clock_words_is_refused_not_crashed_on() -> None:
    bench = EngineBench(FakeEngine(cycles=(1 << 29) + 1000))
    assert bench.query(1) == d.OUT_OF_LIMITS


def test_every_cause_has_its_words() -> None:
    numbers = {value for name, value in vars(causes).items() if name.isupper()}
    assert numbers == set(range(len(d.ACCELERATOR_CAUSES)))
