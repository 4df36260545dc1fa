"""The live page in headless Chromium: what a user sees, clicks and types."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ascnode.view.live import clock
from view.browser import Tab
from view.recorded import FAULT_S, FLIGHT_S, TRIP_S, charge
from view.served import Served

LOAD_MS = 3000  # the limit, on two cores


@pytest.fixture(scope="module")
def url(record: Path) -> Iterator[str]:
    with Served(record) as served:
        yield served.url


@pytest.fixture(scope="module")
def opened(chromium: Any, url: str) -> Iterator[Tab]:
    with Tab(chromium, url) as tab:
        yield tab.ready()


@pytest.fixture
def tab(opened: Tab) -> Iterator[Tab]:
    """The page as it opened."""
    opened.js(
        "ascnode.seek(0); ascnode.clock.playing = false; ascnode.clock.speed = 60; ascnode.controls();"
        "ascnode.severity(1); ascnode.select(0); document.activeElement.blur()"
    )
    opened.until("its charts", "!!ascnode.series")
    opened.settle()
    yield opened
    assert opened.said == []


def cell(tab: Tab, row: int, column: int) -> str:
    return tab.text(f"#node-rows tr:nth-child({row}) td:nth-child({column})")


def test_it_loads_within_three_seconds_asks_no_other_host_and_says_nothing_on_the_console(
    opened: Tab, url: str
) -> None:
    tab = opened
    loaded = tab.js("performance.getEntriesByType('navigation')[0].loadEventEnd")
    first = tab.js("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert 0 < first < LOAD_MS and 0 < loaded < LOAD_MS
    assert tab.hosts() == {url.removeprefix("http://").rstrip("/")}
    assert len(tab.asked) > 15


def test_all_that_the_page_loads_is_about_150_kb(tab: Tab) -> None:
    sizes = tab.js("performance.getEntriesByType('resource').map(e => [e.name, e.decodedBodySize])")
    code = [size for name, size in sizes if "/api/" not in name]
    assert 40_000 < sum(code) < 150_000


def test_a_record_opens_at_its_start_and_the_state_is_told_in_words(tab: Tab) -> None:
    assert tab.text("#run-name") == "known"
    assert tab.text("#run-state") == "■ ended"
    assert tab.text("#utc") == "2026-03-20 12:00:00 UTC"
    assert "8 nodes, 4 of them boards" in tab.text("#nodes-words")
    assert "1,584 satellites" in tab.text("#map-words")


def test_the_table_shows_what_the_record_has_of_the_slot(tab: Tab) -> None:
    tab.seek(TRIP_S + 100)
    assert cell(tab, 1, 1).startswith("sat-0-0")
    # the slot under way then ends at 1,002 s
    assert float(cell(tab, 1, 4)) == pytest.approx(100 * charge(1002, 0), abs=0.3)
    assert cell(tab, 1, 5) == "57" and cell(tab, 1, 6) == "47"
    names = [cell(tab, row, 1).split("■")[0].strip() for row in range(1, 9)]
    assert cell(tab, names.index("sat-18-5") + 1, 2) == "tripped"
    assert cell(tab, names.index("sat-0-0") + 1, 2) == "COMPUTE"


def test_map_and_charts_change_with_time(tab: Tab) -> None:
    tab.seek(100)
    before = tab.pixels("#map"), tab.pixels("#charts figure:nth-child(1) canvas"), tab.text("#map-words")
    tab.seek(1500)
    after = tab.pixels("#map"), tab.pixels("#charts figure:nth-child(1) canvas"), tab.text("#map-words")
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_playing_moves_time_at_the_speed_that_is_chosen_and_ends_with_the_record(tab: Tab) -> None:
    tab.page.select_option("#speed", "1200")
    tab.page.click("#play")
    tab.until("time to go on", "ascnode.clock.t > 100")
    assert tab.text("#play") == "Pause"
    tab.until("the end", "ascnode.clock.t === 1800 && !ascnode.clock.playing")
    tab.until("the button to say so", "document.querySelector('#play').textContent === 'Play'")


def test_a_page_at_rest_draws_nothing(tab: Tab) -> None:
    tab.seek(500)
    before = tab.js("ascnode.frames.count")
    tab.page.wait_for_timeout(2500)  # the stream's beat is 2 s
    assert tab.js("ascnode.frames.count") == before


def test_scrubbing_shows_that_time_everywhere(tab: Tab) -> None:
    tab.page.locator("#scrub").fill("1203")
    tab.settle()
    assert tab.text("#elapsed") == f"T+{clock(1203)}"
    assert tab.text("#events-words").endswith(" up to 0:20:03")
    assert "injected: board power_cut: off for 40 s" in tab.text("#event-rows")
    assert "slot 118267279" in tab.text("#slot")
    tab.page.locator("#scrub").fill("300")
    tab.settle()
    assert tab.text("#elapsed") == f"T+{clock(300)}"
    assert "injected" not in tab.text("#event-rows")


def test_events_are_told_by_word_and_shape_and_filtered_by_severity(tab: Tab) -> None:
    tab.seek(FAULT_S + 1)
    rows = tab.text("#event-rows")
    assert "■ high" in rows and "sat-18-5 thermal trip: accelerator 96.0 °C" in rows
    assert "◆ medium" in rows and "○ info" in rows
    tab.page.select_option("#severity", "4")
    tab.until("the others to go", "document.querySelectorAll('#event-rows li').length === 1")
    tab.page.click("#event-rows button")
    tab.settle()
    assert tab.js("ascnode.clock.t") == TRIP_S
    assert tab.text("#charts-words").startswith("sat-18-5,")


def test_charts_show_values_with_units_and_the_limits_of_the_flight_software(tab: Tab) -> None:
    tab.seek(605)
    captions = [tab.text(f"#charts figure:nth-child({i}) figcaption") for i in range(1, 7)]
    assert f"{100 * charge(600, 0):.1f} %" in captions[0]
    assert re.search(r"accel. 62.9\s+radiator 46.9 °C", captions[1])
    assert re.search(r"array 350\s+load 60 W", captions[2])
    assert "50 % of time" in captions[4]
    limits = tab.js("ascnode.scene.limits")
    assert [one["value"] for one in limits["charge"]] == [0.6, 0.45, 0.15]
    assert [one["value"] for one in limits["accelerator_c"]] == [95.0, 83.0]


def test_a_simulated_node_has_charts_from_the_slots_and_says_what_is_not_recorded(tab: Tab) -> None:
    tab.js("ascnode.select(197)")
    tab.until("its charts", "ascnode.series && ascnode.series.charge.hi.length > 100")
    tab.seek(1000)
    assert tab.text("#charts figure:nth-child(1) figcaption").endswith("90.2 %")
    assert tab.text("#charts figure:nth-child(3) figcaption").endswith("not in this record")


def test_queries_in_flight_are_counted_at_their_time(tab: Tab) -> None:
    tab.seek(601)
    assert tab.text("#query-words") == "1 in flight"
    tab.page.click("#query-rows button")
    tab.until(
        "its card", "document.querySelector('#query-card').textContent.includes('answered after 2.500 s')"
    )
    tab.seek(600 + FLIGHT_S + 1)
    assert tab.text("#query-words") == "0 in flight"


def test_search_finds_nodes_queries_and_events(tab: Tab) -> None:
    tab.page.fill("#search", "sat-36-11")
    tab.page.keyboard.press("Enter")
    tab.until("the node", "ascnode.selected === 803")
    tab.page.fill("#search", "120")
    tab.until("the query", "document.querySelector('#found').textContent.includes('120 from Lahore')")
    tab.page.locator("#found li", has_text="120 from Lahore").dispatch_event("mousedown")
    tab.until("its card", "document.querySelector('#query-card').textContent.includes('2200.0 ms')")
    assert tab.js("ascnode.clock.t") == 600
    card = tab.text("#query-card")
    assert "answered after 2.500 s" in card and "117.5 J" in card and "4, label 4" in card
    tab.page.fill("#search", "trip")
    tab.until("the event", "document.querySelector('#found').textContent.includes('thermal trip')")
    tab.page.fill("#search", "no such thing")
    tab.until("the truth", "document.querySelector('#found').textContent === 'nothing found'")


def test_every_key_of_the_help_does_what_it_says(tab: Tab) -> None:
    press = tab.page.keyboard.press
    tab.seek(900)
    press("ArrowRight")
    press("ArrowRight")
    assert tab.js("ascnode.clock.t") == 930
    press("Shift+ArrowLeft")
    assert tab.js("ascnode.clock.t") == 330
    press("End")
    assert tab.js("ascnode.clock.t") == 1800
    press("Home")
    assert tab.js("ascnode.clock.t") == 0
    press("Space")
    assert tab.js("ascnode.clock.playing") is True
    press("Space")
    assert tab.js("ascnode.clock.playing") is False
    press("+")
    assert tab.page.locator("#speed").input_value() == "300"
    press("-")
    assert tab.page.locator("#speed").input_value() == "60"
    press("j")
    assert tab.js("ascnode.selected") == 197
    press("k")
    assert tab.js("ascnode.selected") == 0
    press("l")
    assert tab.page.get_attribute("#lasers", "aria-pressed") == "false"
    press("l")
    assert tab.page.get_attribute("#lasers", "aria-pressed") == "true"
    press("3")
    assert tab.page.locator("#severity").input_value() == "3"
    theme = tab.page.get_attribute("html", "data-theme")
    press("t")
    assert tab.page.get_attribute("html", "data-theme") != theme
    press("/")
    assert tab.js("document.activeElement.id") == "search"
    press("Escape")
    press("?")
    assert tab.page.locator("#help").is_visible()
    press("Escape")
    assert not tab.page.locator("#help").is_visible()


def test_keys_that_are_typed_into_the_search_box_do_nothing_else(tab: Tab) -> None:
    tab.page.focus("#search")
    tab.page.keyboard.type("l t 3 j")
    assert tab.page.get_attribute("#lasers", "aria-pressed") == "true"
    assert tab.js("ascnode.selected") == 0


def test_a_click_on_the_map_selects_the_node_there(tab: Tab) -> None:
    tab.seek(700)
    x, y = tab.js("[ascnode.map.x[1204], ascnode.map.y[1204]]")
    tab.page.click("#map", position={"x": x, "y": y})
    assert tab.js("ascnode.selected") == 1204


def test_the_land_is_drawn_where_its_package_is_there(tab: Tab) -> None:
    pytest.importorskip("cosmo", reason="the extra `page` is not installed")
    assert tab.js("ascnode.map.land.length") > 100
