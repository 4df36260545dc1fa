"""The live page's server for tests: in a thread of this process, or as the command in one of its own."""

import asyncio
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ascnode.errors import RecordError
from ascnode.view.page.guard import Guard
from ascnode.view.page.server import Server
from ascnode.view.page.source import Source

START_S, STOP_S = 120, 60


def until_begun(path: Path) -> None:
    """Waits until a record says what is flown."""
    end = time.monotonic() + START_S
    while True:
        with suppress(RecordError):
            Source(path).close()
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{path} was not begun within {START_S} s")
        time.sleep(0.05)


class Served:
    """A server in a thread of its own, on loopback."""

    def __init__(self, record: Path, token: str | None = None, port: int = 0) -> None:
        self._record, self._token, self._port = record, token, port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._failed: BaseException | None = None

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._run())
        except BaseException as e:
            self._failed = e
            self._ready.set()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        self.source = Source(self._record)
        self.server = await Server(self.source, Guard("127.0.0.1", self._token)).start(
            "127.0.0.1", self._port
        )
        self.port = self.server.port
        self._ready.set()
        await self._stop.wait()
        await self.server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_S):
            raise TimeoutError(f"the server was not there within {START_S} s")
        if self._failed is not None:
            raise self._failed
        return self

    def stop(self) -> None:
        """Ends it, as often as it is asked to."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_S)
        assert not self._thread.is_alive(), f"the server did not end within {STOP_S} s"
        self._loop.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Command:
    """`ascnode serve` in a process of its own; `url` is the address that it prints."""

    def __init__(self, *arguments: str, cwd: Path | None = None, wait_for: Path | None = None) -> None:
        if wait_for is not None:
            until_begun(wait_for)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ascnode", "serve", *arguments],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": cwd},  # type: ignore[call-overload]
        )
        self.said: list[str] = []

    @property
    def url(self) -> str:
        while line := self.process.stdout.readline():  # type: ignore[union-attr]
            self.said.append(line)
            found = re.search(r"Live page: (http\S+)", line)
            if found:
                return found.group(1)
        raise AssertionError(f"no address was printed: {self.said}")

    def end(self, number: int = signal.SIGINT) -> int:
        """Its status after a signal."""
        self.process.send_signal(number)
        try:
            rest, _ = self.process.communicate(timeout=STOP_S)
            self.said.append(rest)
            return self.process.returncode
        finally:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.end()
