"""The live page's server: static files of this package, the record as JSON, and a stream that tells of its growth."""

import asyncio
import json
import logging
import mimetypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ascnode.errors import AscnodeError
from ascnode.view.page.guard import Guard
from ascnode.view.page.land import load_land
from ascnode.view.page.source import Source

_POLL_S = 0.5  # between looks at a record that grows
_BEAT_S = 2.0  # the stream says something so often
_STUCK_S = 10.0  # a reader that takes nothing for so long is let go
_MOST_STREAMS = 32
_MOST_BODY = 1024  # bytes of a request
_END_S = 2.0  # for requests under way when the server ends
_COMPRESSED = 1024  # bytes from which on an answer is


class Server:
    """Serves one record. `source` is read in one thread of its own; all streams share one look at it."""

    def __init__(self, source: Source, guard: Guard) -> None:
        self._source, self._guard = source, guard
        self._reader = ThreadPoolExecutor(1, "record")
        self._progress: dict[str, Any] = {}
        self._grew = asyncio.Condition()
        self._closing = asyncio.Event()
        self._streams = 0
        self._runner: web.AppRunner | None = None
        self._poller: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> Self:
        """Listens; AscnodeError when the address cannot be had."""
        self._progress = await self._read(self._source.progress)
        self._runner = web.AppRunner(
            self._app(), handle_signals=False, access_log=None, logger=_log(), shutdown_timeout=_END_S
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as e:
            await self._runner.cleanup()
            raise AscnodeError(f"cannot listen on {host}, port {port}: {e.strerror or e}") from None
        self.port = int(self._runner.addresses[0][1])
        self._poller = asyncio.create_task(self._poll())
        return self

    async def close(self) -> None:
        """Ends all streams and requests, then the reader."""
        self._closing.set()
        async with self._grew:
            self._grew.notify_all()
        if self._poller is not None:
            self._poller.cancel()
            with suppress(asyncio.CancelledError):
                await self._poller
        if self._runner is not None:
            await self._runner.cleanup()
        await self._read(self._source.close)
        self._reader.shutdown()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard.middleware], client_max_size=_MOST_BODY)
        app.router.add_post("/login", self._guard.login)
        app.router.add_get("/api/follow", self._follow)
        land = json_body({"rings": load_land()})
        app.router.add_get("/api/land", partial(_send, land))
        for name, ask in _QUESTIONS.items():
            app.router.add_get(f"/api/{name}", partial(self._ask, ask))
        for name, (kind, body) in static_files().items():
            app.router.add_get(f"/{'' if name == 'index.html' else name}", partial(_send_file, kind, body))
        return app

    async def _read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._reader, function, *arguments)

    async def _ask(self, ask: "Question", request: web.Request) -> web.Response:
        try:
            arguments = [convert(request.query[name]) for name, convert in ask.arguments]
        except (KeyError, ValueError):
            wanted = ", ".join(name for name, _ in ask.arguments)
            return web.json_response({"error": f"it takes {wanted}"}, status=400)
        return await _send(json_body(await self._read(ask.method, self._source, *arguments)), request)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                progress = await self._read(self._source.progress)
            except AscnodeError as e:
                progress = {**self._progress, "state": "unreadable", "error": str(e)}
            if progress != self._progress:
                async with self._grew:
                    self._progress = progress
                    self._grew.notify_all()

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        # Only the newest progress is ever sent: a slow reader skips, and nothing is queued for it.
        if self._streams >= _MOST_STREAMS:
            return web.json_response({"error": f"{_MOST_STREAMS} pages are open already"}, status=503)
        headers = {**self._guard.prepare_headers(), "Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        self._streams += 1
        try:
            await response.prepare(request)
            while not self._closing.is_set():
                async with asyncio.timeout(_STUCK_S):
                    await response.write(f"data: {json.dumps(self._progress)}\n\n".encode())
                await self._growth(self._progress)
        except (ConnectionError, TimeoutError):
            pass  # the page was closed, or stands still
        finally:
            self._streams -= 1
        return response

    async def _growth(self, known: dict[str, Any]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEAT_S), self._grew:
                await self._grew.wait_for(lambda: self._progress is not known or self._closing.is_set())


class Question:
    """One that the page asks: a method of the source, and the names and kinds of what it takes."""

    def __init__(self, method: Callable[..., Any], **arguments: Callable[[str], Any]) -> None:
        self.method = method
        self.arguments = [(name.rstrip("_"), convert) for name, convert in arguments.items()]


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) < 1e12:
        raise ValueError(text)
    return value


def _number(text: str) -> int:
    value = int(text[:20])
    if not abs(value) < 1 << 62:
        raise ValueError(text)
    return value


_QUESTIONS = {
    "scene": Question(Source.scene),
    "slots": Question(Source.slots, first=_number, count=_number),
    "series": Question(Source.series, node=_number, from_=_finite, to=_finite, points=_number),
    "overview": Question(Source.overview),
    "events": Question(Source.events, until=_finite, least=_number, most=_number),
    "queries": Question(Source.queries, from_=_finite, to=_finite),
    "query": Question(Source.query, job=_number),
    "search": Question(Source.search, text=str),
}


def _log() -> logging.Logger:
    # What is no HTTP is answered with 400: a stranger's trouble, and none to fill the terminal with.
    def is_ours(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))

    log = logging.Logger("ascnode live page")
    log.addHandler(logging.StreamHandler())
    log.addFilter(is_ours)
    return log


def json_body(value: Any) -> bytes:
    """Compact, and JSON for certain: nan is refused."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def static_files() -> dict[str, tuple[str, bytes]]:
    """The page's own files by name, each with its content type; nothing else of the disk is ever served."""
    return {
        file.name: (mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())
        for file in files("ascnode.view.page").joinpath("static").iterdir()
        if file.is_file()
    }


async def _send(body: bytes, request: web.Request) -> web.Response:
    response = web.Response(body=body, content_type="application/json", charset="utf-8")
    if len(body) >= _COMPRESSED:
        response.enable_compression()
    return response


async def _send_file(kind: str, body: bytes, request: web.Request) -> web.Response:
    response = web.Response(body=body, content_type=kind, charset="utf-8")
    response.enable_compression()
    return response
