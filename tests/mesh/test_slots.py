"""Slots and frames, in the calendar's own terms."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ascnode.mesh.slots import (
    disturbed,
    frame_start_us,
    next_frame,
    slot_edges_s,
    slot_number,
    slot_start_s,
    turn_us,
)

EPOCH = datetime(2024, 5, 17, 6, 30, 5, 250_000, tzinfo=UTC)


def test_slots_start_at_12_27_42_and_57_seconds_of_each_minute() -> None:
    edges = slot_edges_s(EPOCH, 0.0, 3600.0)
    starts = [EPOCH + timedelta(seconds=float(edge)) for edge in edges]
    assert len(starts) == 240
    assert {(start.second, start.microsecond) for start in starts} == {(12, 0), (27, 0), (42, 0), (57, 0)}
    assert starts[0] == datetime(2024, 5, 17, 6, 30, 12, tzinfo=UTC)


def test_edge_belongs_to_the_slot_that_it_starts() -> None:
    number = slot_number(EPOCH, 6.75)
    assert slot_start_s(EPOCH, number) == 6.75
    assert slot_number(EPOCH, 6.749999) == number - 1
    assert slot_edges_s(EPOCH, 6.75, 21.75).tolist() == [6.75]


def test_slots_do_not_depend_on_the_epochs_time_zone() -> None:
    elsewhere = EPOCH.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert slot_number(elsewhere, 100.0) == slot_number(EPOCH, 100.0)
    with pytest.raises(ValueError, match="has no time zone: give it in UTC"):
        slot_number(EPOCH.replace(tzinfo=None), 0.0)


def test_140_ms_after_an_edge_are_disturbed() -> None:
    assert [disturbed(EPOCH, 6.75 + late) for late in (-0.001, 0.0, 0.139, 0.141, 14.9)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_frames_of_a_second_start_at_floor_k_10e6_over_750() -> None:
    assert [frame_start_us(k) for k in (0, 1, 2, 3, 749, 750, 751)] == [
        0,
        1333,
        2666,
        4000,
        998666,
        1_000_000,
        1_001_333,
    ]
    assert [frame_start_us(k) for k in range(-1, 2000, 17)] == [
        k // 750 * 1_000_000 + (k % 750 * 1_000_000) // 750 for k in range(-1, 2000, 17)
    ]


def test_next_frame_is_the_first_that_is_not_past() -> None:
    for t_us in (0, 1, 1332, 1333, 1334, 2666, 2667, 999_999, 1_000_000, 1_000_001):
        frame = next_frame(t_us)
        assert frame_start_us(frame) >= t_us and (frame == 0 or frame_start_us(frame - 1) < t_us)


def test_terminals_of_a_beam_take_frames_in_turn() -> None:
    for terminals in (1, 3, 20):
        starts = [turn_us(100_000, place, terminals) for place in range(terminals)]
        assert sorted(starts) == [frame_start_us(75 + k) for k in range(terminals)]
        again = [turn_us(start + 1, place, terminals) for place, start in enumerate(starts)]
        assert all(
            next_frame(later) - next_frame(start) == terminals
            for start, later in zip(starts, again, strict=True)
        )
    with pytest.raises(ValueError, match="place 3 is not among 3 terminals"):
        turn_us(0, 3, 3)
