"""A page beside a run that goes on, and beside a server that goes away."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from view.browser import Tab
from view.hours import follow
from view.recorded import write_record
from view.served import Command, Served, until_begun

OPEN_S = 2.0  # the limit, on two cores


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Path]:
    """A record to which another process adds a slot five times a second."""
    path = tmp_path / "growing.sqlite"
    root = Path(__file__).parents[1]
    writer = subprocess.Popen([sys.executable, "-m", "view.recorded", str(path), "900", "0.2"], cwd=root)
    try:
        until_begun(path)
        yield path
    finally:
        writer.kill()
        writer.wait()


def test_a_run_that_goes_on_is_followed_until_it_ends(chromium: Any, growing: Path) -> None:
    with Served(growing) as served, Tab(chromium, served.url) as tab:
        tab.until("its first slots", "window.ascnode && ascnode.clock.newest > 100")
        assert tab.text("#run-state") == "● live"
        assert tab.page.get_attribute("#follow", "aria-pressed") == "true"
        tab.until(
            "the page to keep up", "ascnode.clock.newest - ascnode.clock.t < 60 && ascnode.clock.t > 100"
        )
        tab.page.keyboard.press("Space")
        paused = tab.js("ascnode.clock.t")
        tab.until("the run to go on without", f"ascnode.clock.newest > {paused} + 100")
        assert tab.js("ascnode.clock.t") == paused
        tab.page.keyboard.press("f")
        tab.until("the page to catch up", "ascnode.clock.newest - ascnode.clock.t < 60")
        tab.until("the end", "document.querySelector('#run-state').textContent === '■ ended'", 60)
        tab.until("the last slot", "ascnode.clock.t === 900 && ascnode.slots.last.index === 60")
        tab.until("the charts to the end", "ascnode.series.t.at(-1) === 840")
        assert tab.said == []


def test_a_run_whose_writer_was_killed_is_told_as_interrupted(chromium: Any, tmp_path: Path) -> None:
    path = write_record(tmp_path / "cut.sqlite", 900, slots=20, end=False)
    with Served(path) as served, Tab(chromium, served.url) as tab:
        tab.ready()
        assert tab.text("#run-state") == "▲ interrupted: the record ends early"
        assert tab.js("ascnode.clock.newest") == 297


def test_a_killed_server_is_noticed_and_rejoined(chromium: Any, record: Path) -> None:
    with Command(str(record)) as first:
        url = first.url
        with Tab(chromium, url) as tab:
            tab.ready().seek(600)
            first.end(signal.SIGKILL)
            lost = "document.querySelector('#connection').textContent"
            tab.until("the loss to be noticed", f"/^connection lost since \\d\\d:/.test({lost})")
            shown = tab.js("getComputedStyle(document.querySelector('#connection')).display")
            assert shown != "none"
            with Command(str(record), "--port", url.rstrip("/").rsplit(":", 1)[1]) as second:
                assert second.url == url
                tab.until("the page to be back", "document.querySelector('#connection').textContent === ''")
                assert tab.js("ascnode.clock.t") == 600  # where the user was
                tab.seek(900)
                tab.until("new data", "ascnode.slots.last.index === 60")


def test_another_run_at_the_same_address_is_shown_as_such(
    chromium: Any, record: Path, tmp_path: Path
) -> None:
    other = write_record(tmp_path / "other.sqlite", 300)
    with Served(record) as first, Tab(chromium, first.url) as tab:
        tab.ready()
        port = first.port
        first.stop()
        tab.until("the loss to be noticed", "document.querySelector('#connection').textContent !== ''")
        with Served(other, port=port):
            tab.until("the other run", "window.ascnode && ascnode.scene.length_s === 300")


def test_a_server_that_asks_for_a_token_is_entered_by_its_printed_address_or_by_typing(
    chromium: Any, record: Path
) -> None:
    token = "sixteen characters or more"
    with Served(record, token) as served:
        with Tab(chromium, f"{served.url}#token={token.replace(' ', '+')}") as tab:
            tab.ready()
            assert "token" not in tab.js("location.href")
        with Tab(chromium, served.url) as tab:
            tab.until("the question", "document.querySelector('#login').open")
            tab.page.fill("#token", "wrong")
            tab.page.keyboard.press("Enter")
            tab.until(
                "the refusal",
                "document.querySelector('#login-words').textContent === 'this is not the token'",
            )
            tab.page.fill("#token", token)
            tab.page.keyboard.press("Enter")
            tab.ready()


@pytest.mark.deep
def test_eight_hours_of_a_run_leave_page_and_server_as_small_as_half_an_hour(
    chromium: Any, tmp_path: Path
) -> None:
    early, late = follow(tmp_path / "hours.sqlite", chromium, 8 * 3600, 60)
    assert late.heap < 1.3 * early.heap + 1e6
    assert late.server < 1.15 * early.server


@pytest.mark.deep
def test_a_day_of_eight_boards_is_open_within_two_seconds(chromium: Any, tmp_path: Path) -> None:
    record = write_record(tmp_path / "day.sqlite", 86_400, 8, busy=True)
    with Served(record) as served, Tab(chromium, served.url) as warm:
        warm.ready()  # a browser's first page of all starts its processes, too
        begun = time.monotonic()
        with Tab(chromium, served.url) as tab:
            tab.ready()
            assert time.monotonic() - begun < OPEN_S
