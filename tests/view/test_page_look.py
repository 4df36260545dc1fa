"""Light, dark and narrow: contrast, names for screen readers, nothing that is cut off."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ascnode.view.page.server import static_files
from view.browser import Tab
from view.recorded import charge
from view.served import Served

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
LEAST_LINES = 3.0  # 1.4.11

# WCAG 2.2's relative luminance, of the page's own colours as the browser resolves them.
CONTRAST = """(pairs) => {
  const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => {
    probe.fillStyle = style.getPropertyValue('--' + name);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...probe.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map(([a, b]) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  });
}"""
TEXT = [
    *(["ink", "panel"], ["soft", "panel"], ["accent", "panel"], ["ink", "ground"], ["soft", "ground"]),
    *(["accent-ink", "accent"], ["panel", "ink"]),
]
LINES = [["accent", "land"], ["ink", "land"], ["soft", "land"], ["second", "panel"]]


@pytest.fixture(scope="module")
def url(record: Path) -> Iterator[str]:
    with Served(record) as served:
        yield served.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_systems_colours_are_taken_and_all_text_can_be_read(chromium: Any, url: str, scheme: str) -> None:
    with Tab(chromium, url, color_scheme=scheme) as tab:
        tab.ready()
        assert tab.page.get_attribute("html", "data-theme") == scheme
        assert min(tab.page.evaluate(CONTRAST, TEXT)) >= LEAST_CONTRAST
        assert min(tab.page.evaluate(CONTRAST, LINES)) >= LEAST_LINES


def test_the_switch_wins_over_the_system_and_is_remembered(chromium: Any, url: str) -> None:
    with Tab(chromium, url, color_scheme="light") as tab:
        tab.ready()
        before = tab.pixels("#map")
        tab.page.click("#theme")
        tab.settle()
        assert tab.page.get_attribute("html", "data-theme") == "dark"
        assert tab.pixels("#map") != before
        tab.page.reload()
        tab.ready()
        assert tab.page.get_attribute("html", "data-theme") == "dark"


@pytest.mark.parametrize("width", [390, 820, 1400])
def test_nothing_is_wider_than_the_screen(chromium: Any, url: str, width: int) -> None:
    with Tab(chromium, url, viewport={"width": width, "height": 844}) as tab:
        tab.ready().seek(1203)
        assert tab.js("document.documentElement.scrollWidth") <= width
        sections = tab.js(
            "[...document.querySelectorAll('section')].map(s => s.getBoundingClientRect().width)"
        )
        assert min(sections) > 300
        table = tab.js("(e => [e.scrollWidth, e.clientWidth])(document.querySelector('.nodes .scroll'))")
        assert table[0] <= table[1]


def test_on_a_phone_fingers_hit_the_controls(chromium: Any, url: str) -> None:
    with Tab(chromium, url, viewport={"width": 390, "height": 844}, has_touch=True) as tab:
        tab.ready()
        sizes = tab.js(
            "[...document.querySelectorAll('header button, header input, .time button, select')]"
            ".filter(e => e.offsetParent).map(e => e.offsetHeight)"
        )
        assert min(sizes) >= 36
        tab.page.tap("#play")
        tab.until("time to go on", "ascnode.clock.t > 5")


def test_every_control_has_a_name_and_tab_reaches_it_with_a_visible_focus(chromium: Any, url: str) -> None:
    with Tab(chromium, url) as tab:
        tab.ready()
        named = """[...document.querySelectorAll('button, select, input, [role=img], section')]
          .filter(e => !e.closest('dialog'))
          .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
            || (e.labels && e.labels.length))).map(e => e.outerHTML)"""
        assert tab.js(named) == []
        reached = set()
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            name, style = tab.js(
                "[document.activeElement, getComputedStyle(document.activeElement).outlineStyle]"
                ".map((e, i) => i ? e : e.id || e.tagName)"
            )
            reached.add(name)
            assert name == "BODY" or style != "none", name
        assert {
            "search",
            "theme",
            "help-open",
            "play",
            "speed",
            "lasers",
            "scrub",
            "span",
            "severity",
        } <= reached


def test_the_documentation_has_the_keys_of_the_pages_help() -> None:
    keys = static_files()["keys.js"][1].decode()
    helped = re.findall(r'^  \["(.+?)", "(.+?)"\],$', keys, re.MULTILINE)
    page = (Path(__file__).parents[2] / "docs" / "live-page.md").read_text(encoding="utf-8")
    table = page.split("| key | |\n|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == [f"| {key} | {does} |" for key, does in helped] and len(helped) > 10


def test_who_cannot_see_the_map_is_told_what_is_on_it(chromium: Any, url: str) -> None:
    with Tab(chromium, url) as tab:
        tab.ready().seek(601)
        assert tab.page.get_attribute("#map", "aria-describedby") == "map-words"
        assert "sunlit" in tab.text("#map-words") and "1 queries in flight" in tab.text("#map-words")
        assert tab.page.get_attribute("#scrub", "aria-valuetext") == "0:10:01 of 0:30:00"
        charts = tab.js(
            "[...document.querySelectorAll('#charts canvas')].map(c => c.getAttribute('aria-label'))"
        )
        assert charts[0] == f"Charge over time; now {100 * charge(600, 0):.1f} %"
