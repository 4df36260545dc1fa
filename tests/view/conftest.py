"""A record for all tests of the page, and headless Chromium where there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from view.recorded import write_record

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-precise-memory-info"),
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour with four boards."""
    return write_record(tmp_path_factory.mktemp("record") / "known.sqlite", 1800)


# For a module, not for the session: while Playwright is open, its event loop runs in the thread of the tests, and no
# other test could run one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser; skipped, with the reason, where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = os.environ.get("ASCNODE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium here: apt install chromium, or name one in ASCNODE_CHROMIUM")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()
