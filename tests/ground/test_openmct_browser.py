"""A run in Open MCT itself, where that is in the cache: a module of its own, as Playwright keeps the event loop."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from ascnode.errors import AscnodeError
from ascnode.ground.openmct.archive import archive, load
from ascnode.ground.openmct.server import Server
from ascnode.record.reader import open_record
from ground.flown import record
from view.browser import Tab
from view.conftest import chromium as chromium

_CHARGE = "openmct.objects.get('ascnode:0.housekeeping.charge')"


@pytest.fixture(scope="module")
def openmct() -> Any:
    """Its files. Skipped, with the way to get them, where they are not."""
    try:
        files = load(archive())
    except AscnodeError as e:
        pytest.skip(str(e))
    record()  # before Playwright has the event loop
    return files


def test_open_mct_shows_history_with_limits_and_asks_no_other_host(
    openmct: Any, chromium: Any, tmp_path: Path
) -> None:
    path = "#/browse/ascnode:run/ascnode:0/ascnode:0.housekeeping/ascnode:0.housekeeping.charge"
    with _Served(openmct) as url, Tab(chromium, url + path) as tab:
        tab.until(
            "the plot", "document.querySelectorAll('.gl-plot-axis-area canvas, .gl-plot canvas').length > 0"
        )
        tab.until("its name", "document.body.innerText.includes('sat-0-0 housekeeping charge')")
        tab.until("the run in the tree", "document.body.innerText.includes('talk')")
        samples = tab.js(_CHARGE + ".then(o => openmct.telemetry.request(o))")
        limits = tab.js(_CHARGE + ".then(o => openmct.telemetry.limitDefinition(o).limits())")
        judge = "openmct.telemetry.limitEvaluator(o).evaluate({value})?.cssClass"
        judged = tab.js(f"{_CHARGE}.then(o => [50, 40, 10].map(value => {judge}))")
        tab.shot(tmp_path / "openmct.png")
        assert len(samples) > 3
        assert limits["WARNING"]["low"]["value"] == 45
        assert judged == [None, "is-limit--yellow is-limit--lwr", "is-limit--red is-limit--lwr"]
        assert tab.hosts() == {url.split("/")[2]}
        assert not [text for text in tab.said if "WebGL" not in text]


class _Served:
    """The server in a thread of its own."""

    def __init__(self, files: Any) -> None:
        self._files = files
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._run()), daemon=True
        )
        self._port = 0

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        server = await Server(open_record(record()), self._files).start(0)
        self._port = server.port
        self._ready.set()
        await self._stop.wait()
        await server.close()

    def __enter__(self) -> str:
        self._thread.start()
        assert self._ready.wait(20)
        return f"http://127.0.0.1:{self._port}/"

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()
