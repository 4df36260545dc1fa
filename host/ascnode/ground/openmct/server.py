"""Serves Open MCT with the plugin and a run's telemetry, to this machine alone."""

import asyncio
import mimetypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import files
from typing import Any, Self

from aiohttp import web

from ascnode.errors import AscnodeError
from ascnode.ground.openmct.archive import Files
from ascnode.ground.openmct.objects import Model
from ascnode.record.reader import Reader
from ascnode.view.page.guard import Guard, Handler

HOST = "127.0.0.1"
_END_S = 2.0  # for requests under way when the server ends
_MOST_BODY = 1024  # bytes of a request
# Open MCT compiles templates and styles in the page; nothing may come from, or go to, another host.
_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Server:
    """Serves one record, which is read in one thread of its own."""

    def __init__(self, reader: Reader, openmct: Files) -> None:
        self._reader, self._openmct = reader, openmct
        self._thread = ThreadPoolExecutor(1, "record")
        self._model = Model(reader)
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int) -> Self:
        """Listens on loopback; AscnodeError when the port cannot be had. Port 0 takes a free one."""
        self._runner = web.AppRunner(
            self._app(), handle_signals=False, access_log=None, shutdown_timeout=_END_S
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except OSError as e:
            await self.close()
            raise AscnodeError(f"cannot listen on {HOST}, port {port}: {e.strerror or e}") from None
        self.port = int(self._runner.addresses[0][1])
        return self

    async def close(self) -> None:
        """Ends requests, and the thread."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._thread.shutdown()

    def _app(self) -> web.Application:
        guard = Guard(HOST, None)
        app = web.Application(middlewares=[_loosen, guard.middleware], client_max_size=_MOST_BODY)
        app.router.add_get("/api/run", self._run)
        app.router.add_get("/api/now", self._now)
        app.router.add_get("/api/samples", self._samples)
        for name, (kind, body) in _own_files().items():
            app.router.add_get(f"/{'' if name == 'index.html' else name}", partial(_send, kind, body))
        for name, (kind, body) in self._openmct.items():
            app.router.add_get(f"/openmct/{name}", partial(_send, kind, body))
        return app

    async def _read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _run(self, request: web.Request) -> web.Response:
        return web.json_response(await self._read(self._model.describe))

    async def _now(self, request: web.Request) -> web.Response:
        return web.json_response(await self._read(self._progress))

    def _progress(self) -> dict[str, Any]:
        # `whole` first: what is read after it is at least as new.
        whole = self._reader.whole
        return {"whole": whole, "end": self._model.newest_ms}

    async def _samples(self, request: web.Request) -> web.Response:
        try:
            start, end = (_finite(request.query[name]) for name in ("start", "end"))
            key, most = request.query["key"], int(request.query.get("most", "1000")[:9])
            return web.json_response(await self._read(self._model.samples, key, start, end, most))
        except (KeyError, ValueError):
            return web.json_response({"error": "it takes a field's key, start and end"}, status=400)


@web.middleware
async def _loosen(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.headers["Content-Security-Policy"] = _CSP
    return response


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) < 1e15:
        raise ValueError(text)
    return value


def _own_files() -> Files:
    return {
        file.name: (mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())
        for file in files("ascnode.ground.openmct").joinpath("static").iterdir()
        if file.is_file()
    }


async def _send(kind: str, body: bytes, request: web.Request) -> web.Response:
    response = web.Response(body=body, content_type=kind, charset="utf-8" if "text" in kind else None)
    response.enable_compression()
    return response
