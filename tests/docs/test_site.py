"""The site builds strictly, asks no other host for anything, and shows what the pages hold."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ascnode.cli.reference import commands
from docs.reading import DOCS, ROOT

_LOADED = {"src", "href", "data", "poster", "action", "srcset", "xlink:href"}
_FOREIGN = re.compile(r"""(?:url\(|@import\s+)['"]?(?:https?:)?//""")
_MADE_BY_SCRIPT = re.compile(r"""(?:fetch|importScripts|open)\(\s*['"](?:GET['"],\s*['"])?https?://""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the docs extra is not installed")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    ran = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


class _Requests(HTMLParser):
    """What a browser asks for when it shows a page; a link that a reader may follow is no request."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self.found += [value for name, value in attrs if name in _LOADED and value]


def requests(html: str) -> list[str]:
    parser = _Requests()
    parser.feed(html)
    return parser.found


def test_no_page_asks_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    asked = {asked for page in pages for asked in requests(page.read_text())}
    assert [one for one in asked if re.match(r"(?:\w+:)?//", one)] == []
    assert not [page for page in pages if _FOREIGN.search(page.read_text())]


def test_no_style_and_no_script_asks_another_host(site: Path) -> None:
    assert not [style for style in site.rglob("*.css") if _FOREIGN.search(style.read_text())]
    assert not [script for script in site.rglob("*.js") if _MADE_BY_SCRIPT.search(script.read_text())]


def test_a_foreign_request_would_be_found() -> None:
    assert requests('<a href="//x"><img src="//y"><link href="https://z">') == ["//y", "https://z"]
    assert _FOREIGN.search("body { background: url(//fonts.example/a.png) }")


def test_every_page_and_every_command_is_there(site: Path) -> None:
    names = {page.stem for page in site.glob("*.html")}
    assert {page.stem for page in DOCS.glob("*.md")} <= names
    text = (site / "commands.html").read_text()
    assert [name for name, _ in commands() if f"ascnode {name}</" not in text] == []


def test_lists_and_tables_are_lists_and_tables_in_the_site(site: Path) -> None:
    """Python-Markdown wants blank lines that other renderers do without."""
    from markdown_it import MarkdownIt

    for page in DOCS.glob("*.md"):
        wanted = MarkdownIt("commonmark").enable("table").render(page.read_text())
        shown = (site / f"{page.stem}.html").read_text()
        body = shown[shown.index('itemprop="articleBody"') : shown.index("<footer>")]
        for tag in ("<table", "<pre", "<ol", "<tr", "<h2"):
            assert body.count(tag) == wanted.count(tag), f"{page.name} {tag}"
        assert body.count("<ul") == wanted.count("<ul"), page.name
