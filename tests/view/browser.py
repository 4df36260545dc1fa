"""A page in the headless browser, with what it said and asked for; waits have deadlines and say what for."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

DEADLINE_S = 60.0
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """The browser that ASCNODE_CHROMIUM names, or one of the usual names on PATH."""
    return os.environ.get("ASCNODE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def launched() -> Iterator[Any]:
    """A headless browser, with a profile of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium_path(), args=list(_FLAGS))
        yield browser
        browser.close()


class Tab:
    """An open page. `said` are errors and warnings of its console, `asked` all addresses that it asked for."""

    def __init__(self, chromium: Any, url: str, **context: Any) -> None:
        self.context = chromium.new_context(**{"viewport": {"width": 1400, "height": 1000}, **context})
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on(
            "console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda e: self.said.append(str(e)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)

    def js(self, code: str) -> Any:
        """The value of an expression; `ascnode` is the page's own object."""
        return self.page.evaluate(code)

    def until(self, what: str, code: str, deadline_s: float = DEADLINE_S) -> None:
        """Waits for an expression to be true; the page's rules forbid Playwright's own way, which evaluates text."""
        end = time.monotonic() + deadline_s
        while not self._now(code):
            if time.monotonic() > end:
                raise AssertionError(f"waited {deadline_s} s for: {what}; the console said {self.said}")
            self.page.wait_for_timeout(30)

    def _now(self, code: str) -> Any:
        try:
            return self.js(code)
        except Exception as e:
            if "navigation" in str(e):  # the page is loading itself anew
                return None
            raise

    def ready(self) -> Self:
        """Once the map, the charts and the events have what they show."""
        self.until("the page to have its data", "!!(window.ascnode && ascnode.series && ascnode.slots.last)")
        self.until("the events", "document.querySelectorAll('#event-rows li').length > 0")
        return self

    def seek(self, t_s: float) -> Self:
        """To a time, with what the panels show of it."""
        self.js(f"ascnode.seek({t_s})")
        self.settle()
        return self

    def settle(self) -> None:
        """Until nothing more is on its way."""
        quiet = "!ascnode.dirty && !ascnode.events.asking"
        idle = f"{quiet} && !ascnode.slots.chunks.asked.size && !ascnode.queries.chunks.asked.size"
        self.until("the page to be at rest", idle)
        self.page.wait_for_timeout(60)

    def text(self, selector: str) -> str:
        """What an element shows."""
        return str(self.page.locator(selector).inner_text())

    def pixels(self, selector: str) -> str:
        """A canvas as it looks."""
        return str(self.js(f"document.querySelector({selector!r}).toDataURL()"))

    def hosts(self) -> set[str]:
        """The hosts that were asked."""
        return {urlsplit(url).netloc for url in self.asked}

    def shot(self, path: Path) -> None:
        """A picture of the whole page."""
        self.page.screenshot(path=str(path), full_page=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.close()
