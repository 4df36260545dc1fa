"""Reads a report as a program does: its data attributes, its text, and whether it stands alone."""

import re
from collections.abc import Sequence
from functools import cache
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from ascnode.cli.run import Flight
from ascnode.record.reader import open_record
from ascnode.report.facts import gather
from ascnode.report.page import page
from ascnode.scenario.scenario import ready_made
from scenario.flight import scenario

_VOID = {"meta", "br"}


@cache
def report_of(path: Path) -> str:
    """The page of a record that does not change."""
    with open_record(path) as reader:
        return page(gather(reader))


@cache
def stress(orbits: float) -> Path:
    """A record of the stress scenario, cut to a part of its orbit; flown once a process."""
    text = ready_made("stress").read_text(encoding="utf-8")
    text = text.replace("orbits = 1.0", f"orbits = {orbits}")
    text = text.replace("queries = 36_000", f"queries = {int(36_000 * orbits)}")
    folder = Path(mkdtemp(prefix="ascnode-test-"))
    Flight(scenario(folder, text), folder / "stress.sqlite", None, Console(file=StringIO())).fly()
    return folder / "stress.sqlite"


class Parsed(HTMLParser):
    """Checks that tags are closed in order; collects data attributes, and what could ask for something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asks: list[str] = []
        self.data: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "object", "img", "use", "image"):
            self.asks.append(tag)
        self.asks += [
            f"{name}={value}" for name, value in attrs if name in ("src", "href", "xlink:href", "onload")
        ]
        told = {name.removeprefix("data-"): value or "" for name, value in attrs if name.startswith("data-")}
        if told:
            self.data.append(told)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, key: str) -> dict[str, dict[str, str]]:
        """All that carry that attribute, by its value."""
        return {one[key]: one for one in self.data if key in one}

    def figures(self) -> dict[str, float]:
        """The figures at the head."""
        return {key: float(one["value"]) for key, one in self.of("figure").items()}


def words(text: str) -> str:
    """The text of a page or a part of it, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def section(text: str, heading: str) -> str:
    """What stands below a heading."""
    return text.split(f"<h2>{heading}</h2>")[1].split("<h2>")[0]
