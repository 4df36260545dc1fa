"""Who may ask the live page's server: the right host name, the right token, nobody from another site."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from ascnode.errors import AscnodeError

SHORTEST_TOKEN = 16  # characters
_WRONG_TOKEN_S = 0.5  # that a wrong token waits for its answer
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone; a name other than localhost counts as one that is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def token_for(host: str, given: str | None) -> str | None:
    """The token that a server on this address asks for: none on loopback unless one is given, else a new one.

    AscnodeError for one that can be guessed.
    """
    if given is None:
        return None if is_loopback(host) else secrets.token_urlsafe(24)
    if len(given) < SHORTEST_TOKEN:
        raise AscnodeError(f"the token has {len(given)} characters: it takes at least {SHORTEST_TOKEN}")
    return given


class Guard:
    """Checks every request; without a token it lets in whoever is on this machine."""

    def __init__(self, host: str, token: str | None) -> None:
        self._token = token
        named = () if is_loopback(host) else (host, socket.gethostname(), socket.getfqdn())
        self._names = _LOOPBACK | {name.lower() for name in named}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers in place of the handler where a request is refused; adds the headers that a browser obeys."""
        refusal = self._refusal(request)
        response = refusal if refusal is not None else await _answer(request, handler)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def login(self, request: web.Request) -> web.Response:
        """POST /login with the token as a bearer: sets the cookie that the page's requests carry."""
        if self._token is None:
            return web.json_response({})
        if not self._bears_token(request):
            await asyncio.sleep(_WRONG_TOKEN_S)
            return _refused(401, "this is not the token")
        response = web.json_response({})
        response.set_cookie(_cookie_name(request), self._cookie(), httponly=True, samesite="Strict", path="/")
        return response

    def prepare_headers(self) -> dict[str, str]:
        """For a response that is sent in pieces, and so is prepared before the middleware sees it."""
        return dict(_HEADERS)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._is_ours(request):
            # a name that a stranger's DNS pointed here
            return _refused(421, "this server is not known by that name")
        if request.path.startswith("/api/"):
            if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
                return _refused(403, "another site may not ask")
            if self._token is not None and not (self._bears_token(request) or self._bears_cookie(request)):
                return _refused(401, "the token is missing or wrong")
        return None

    def _is_ours(self, request: web.Request) -> bool:
        try:
            name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            return False
        return name in self._names or name == _own_address(request)

    def _bears_token(self, request: web.Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return kind == "Bearer" and _equal(token, self._token or "")

    def _bears_cookie(self, request: web.Request) -> bool:
        return _equal(request.cookies.get(_cookie_name(request), ""), self._cookie())

    def _cookie(self) -> str:
        # Not the token itself, and the same after a restart with the same token.
        return hmac.new((self._token or "").encode(), b"ascnode live page", hashlib.sha256).hexdigest()


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as e:
        return _refused(e.status, e.reason)
    except AscnodeError as e:
        return _refused(409, str(e))


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


def _own_address(request: web.Request) -> str:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return str(name[0]) if name else ""


def _cookie_name(request: web.Request) -> str:
    # Cookies are shared by all ports of a host.
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return f"ascnode-{name[1] if name else 0}"


def _equal(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())
