"""A simulated node's jobs beside the firmware's own task table."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascnode.scenario.job import Job, Jobs
from ascnode.scenario.ledger import Account
from ascnode.scenario.traffic import Query
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.tasks import DEADLINE_S, SLOTS, WORDS, Tasks
from ascnode_fw.flight.tasks import JOB as JOB_WORD

CLOCK_KHZ, POWER_PW, PERIOD_MS = 1000, 12_000, 1000


def account(job: int) -> Account:
    return Account(Query(job, "inference", 0, "", 0, 0, 0, 0), 0)


def firmware_order(jobs: list[tuple[int, int, int]]) -> list[int]:
    """Which job the flight software ends in each period, until none is left; its own loop in short."""
    tasks, f, ended = Tasks(), array("i", bytes(4 * f_.SIZE)), []
    for number, (priority, deadline_s, work_kc) in enumerate(jobs):
        tasks.add(f, (number, 0, priority, deadline_s), number, work_kc, memoryview(b""))
    running = -1
    while tasks.held():
        left_ms = PERIOD_MS
        while left_ms > 0:
            running = tasks.next() if running < 0 else running
            if running < 0:
                break
            left_ms -= tasks.work(running, CLOCK_KHZ, POWER_PW, left_ms)
            if tasks.done(running):
                ended.append(tasks.words[running * WORDS + JOB_WORD])
                tasks.remove(running)
                running = -1
    return ended


several = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 4000)), min_size=1, max_size=SLOTS
)


@given(several)
def test_jobs_end_in_the_order_of_the_flight_software(jobs: list[tuple[int, int, int]]) -> None:
    mine = Jobs()
    for number, (priority, deadline_s, work_kc) in enumerate(jobs):
        mine.add(Job(priority, deadline_s, number, account(number), float(work_kc)))
    ended = []
    while len(mine):
        ended += [job.account.query.job for _, job in mine.work(CLOCK_KHZ, 12.0, PERIOD_MS * 1000)]
    assert ended == firmware_order(jobs)


@given(several, st.integers(0, 2), st.integers(1, 9))
def test_the_work_ahead_of_a_new_job_is_the_flight_softwares(
    jobs: list[tuple[int, int, int]], priority: int, deadline_s: int
) -> None:
    mine, tasks, f = Jobs(), Tasks(), array("i", bytes(4 * f_.SIZE))
    for number, (own, due_s, work_kc) in enumerate(jobs):
        mine.add(Job(own, due_s, number, account(number), float(work_kc)))
        tasks.add(f, (number, 0, own, due_s), number, work_kc, memoryview(b""))
    assert mine.ahead_kc(priority, deadline_s) == tasks._ahead_kc(priority, deadline_s, -1)
    assert mine.kc() == tasks.backlog_kc()
    assert mine.full == (tasks.held() == SLOTS)


def test_expired_jobs_go_the_running_one_too() -> None:
    mine = Jobs()
    for number, due_s in enumerate((5, 9)):
        mine.add(Job(0, due_s, number, account(number), 10_000.0))
    mine.work(CLOCK_KHZ, 12.0, 1_000_000)
    assert [job.account.query.job for job in mine.expired(5.0)] == [0]
    assert (len(mine), mine.running) == (1, None)
    assert DEADLINE_S == 4  # of the firmware's words, that both order by


def test_time_and_energy_of_a_job_follow_from_clock_and_power() -> None:
    mine = Jobs()
    mine.add(Job(0, 99, 0, account(0), 1500.0))
    assert mine.work(1000.0, 12.0, 1_000_000) == []
    ((after_us, job),) = mine.work(2000.0, 30.0, 1_000_000)
    assert after_us == pytest.approx(250_000)
    assert job.spent_us == pytest.approx(1_250_000)
    assert job.spent_j == pytest.approx(12.0 + 7.5)
