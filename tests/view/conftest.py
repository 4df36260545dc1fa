"""A record for all tests of the page, and headless Chromium where there is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from view.browser import chromium_path, launched
from view.recorded import write_record


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour with four boards."""
    return write_record(tmp_path_factory.mktemp("record") / "known.sqlite", 1800)


# For a module, not for the session: while Playwright is open, its event loop runs in the thread of the tests, and no
# other test could run one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser; skipped, with the reason, where there is none."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if chromium_path() is None:
        pytest.skip("no Chromium here: apt install chromium, or name one in ASCNODE_CHROMIUM")
    with launched() as browser:
        yield browser
