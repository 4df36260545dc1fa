"""The server as others meet it: who is let in, what is served, what hostile requests get."""

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ascnode.errors import AscnodeError
from ascnode.view.page.guard import Guard, is_loopback, token_for
from ascnode.view.page.server import Server, static_files
from ascnode.view.page.source import Source
from view.served import Served

TOKEN = "a token that is long enough"
JUNK = (
    *(b"\x00" * 500, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000),
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
)
Headers = dict[str, str]


@pytest.fixture(scope="module")
def open_server(record: Path) -> Iterator[Served]:
    with Served(record) as served:
        yield served


@pytest.fixture(scope="module")
def locked(record: Path) -> Iterator[Served]:
    with Served(record, TOKEN) as served:
        yield served


def ask(
    served: Served, path: str, headers: Headers | None = None, method: str = "GET"
) -> tuple[int, Headers, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def asked(served: Served, path: str) -> Any:
    status, _, body = ask(served, path)
    assert status == 200, body
    return json.loads(body)


def test_all_the_pages_files_are_served_with_their_types_and_nothing_else_is(open_server: Served) -> None:
    status, headers, body = ask(open_server, "/")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8" and b"<title>" in body
    for name, (kind, data) in static_files().items():
        if name != "index.html":
            status, headers, body = ask(open_server, f"/{name}")
            assert (status, body) == (200, data) and headers["Content-Type"].startswith(kind)
    for path in (
        "/../pyproject.toml",
        "/%2e%2e/app.js",
        "/static/",
        "/api/",
        "/api/nothing",
        "//etc/passwd",
        "/.git",
    ):
        assert ask(open_server, path)[0] == 404, path


def test_no_inline_code_no_other_host_and_no_frame_is_allowed(open_server: Served) -> None:
    for path in ("/", "/app.js", "/api/scene", "/nothing"):
        headers = ask(open_server, path)[1]
        rules = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
        assert rules["default-src"] == "'none'" and rules["script-src"] == rules["connect-src"] == "'self'"
        assert rules["frame-ancestors"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers
    for name, (_, body) in static_files().items():
        for sign in (b"http://", b"https://", b"style=", b"onclick", b"eval(", b"innerHTML"):
            assert sign not in body.replace(b"http://www.w3.org/", b""), (name, sign)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "192.0.2.7:80"])
def test_a_name_that_a_stranger_pointed_here_is_refused(open_server: Served, host: str) -> None:
    status, _, body = ask(open_server, "/api/scene", {"Host": host})
    assert status in (400, 421)
    assert b"planes" not in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1", "[::1]:80"])
def test_this_machines_own_names_are_let_in(open_server: Served, host: str) -> None:
    assert ask(open_server, "/api/overview", {"Host": host})[0] == 200


def test_another_sites_page_may_not_ask(open_server: Served) -> None:
    for site in ("cross-site", "same-site"):
        assert ask(open_server, "/api/scene", {"Sec-Fetch-Site": site})[0] == 403
    assert ask(open_server, "/api/scene", {"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_with_a_token_nothing_of_the_run_is_told_without_it(locked: Served) -> None:
    for path in (
        "/api/scene",
        "/api/follow",
        "/api/land",
        "/api/slots?first=0&count=1",
        "/api/search?text=a",
    ):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"ascnode-{locked.port}=0"}):
            status, _, body = ask(locked, path, headers)
            assert (status, b"token" in body) == (401, True), path
    assert ask(locked, "/")[0] == 200  # the page itself, which asks for it
    assert ask(locked, "/api/scene", {"Authorization": f"Bearer {TOKEN}"})[0] == 200


def test_a_login_gives_a_cookie_that_scripts_cannot_read_and_other_sites_do_not_send(locked: Served) -> None:
    assert ask(locked, "/login", {"Authorization": "Bearer wrong"}, "POST")[0] == 401
    status, headers, _ = ask(locked, "/login", {"Authorization": f"Bearer {TOKEN}"}, "POST")
    cookie = headers["Set-Cookie"]
    assert status == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    assert ask(locked, "/api/scene", {"Cookie": cookie.split(";")[0]})[0] == 200


def test_only_other_addresses_than_loopback_need_a_token_and_a_short_one_is_refused() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.0.2.1", "box.example")] == [False] * 4
    assert token_for("127.0.0.1", None) is None
    first, second = token_for("0.0.0.0", None), token_for("0.0.0.0", None)
    assert first and second and first != second and len(first) >= 32
    assert token_for("127.0.0.1", TOKEN) == TOKEN
    with pytest.raises(AscnodeError, match="at least 16"):
        token_for("0.0.0.0", "secret")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api/slots",
            "/api/slots?first=x&count=1",
            "/api/slots?first=1e9&count=1",
            "/api/query?job=" + "9" * 400,
        ),
        *("/api/series?node=0&from=nan&to=1&points=10", "/api/series?node=0&from=0&to=inf&points=10"),
        *("/api/events?until=1&least=1", "/api/queries?from=a&to=b"),
    ],
)
def test_a_question_that_makes_no_sense_gets_one_sentence(open_server: Served, path: str) -> None:
    status, _, body = ask(open_server, path)
    assert status == 400
    assert json.loads(body)["error"].startswith("it takes ")


def test_what_the_record_does_not_have_is_said_and_not_a_fault_of_the_server(open_server: Served) -> None:
    status, _, body = ask(open_server, "/api/query?job=123456")
    assert (status, json.loads(body)["error"]) == (409, "query 123456 is not in this record")
    status, _, body = ask(open_server, "/api/series?node=99999&from=0&to=9&points=9")
    assert (status, json.loads(body)["error"]) == (409, "there is no satellite 99999 in this run")
    assert asked(open_server, "/api/slots?first=-5&count=0") == {"slots": []}
    assert asked(open_server, "/api/slots?first=99999&count=8") == {"slots": []}
    assert asked(open_server, "/api/slots?first=0&count=-3") == {"slots": []}


def test_one_question_never_gets_the_whole_record(open_server: Served) -> None:
    assert len(asked(open_server, "/api/slots?first=0&count=100000")["slots"]) == 64
    many = asked(open_server, "/api/series?node=0&from=0&to=1800&points=1000000")
    assert len(many["t"]) <= 2000


def test_large_answers_are_compressed(open_server: Served) -> None:
    status, headers, body = ask(open_server, "/api/scene", {"Accept-Encoding": "gzip"})
    assert status == 200 and headers["Content-Encoding"] in ("gzip", "deflate")
    assert len(body) < 30_000


def test_nothing_can_be_changed_from_outside(open_server: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for path in ("/api/scene", "/api/query?job=1", "/"):
            assert ask(open_server, path, {"Content-Length": "0"}, method)[0] == 405
    assert ask(open_server, "/api/command", {"Content-Length": "0"}, "POST")[0] == 404


def test_bytes_that_are_no_request_do_not_end_the_server(
    open_server: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    for junk in JUNK:
        with socket.create_connection(("127.0.0.1", open_server.port), timeout=10) as raw:
            try:
                raw.sendall(junk)
                raw.shutdown(socket.SHUT_WR)
                raw.recv(1000)
            except ConnectionError:
                pass
    assert ask(open_server, "/")[0] == 200
    assert capfd.readouterr().err == ""


def stream(served: Served) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", "/api/follow")
    return connection, connection.getresponse()


def test_the_stream_tells_how_far_the_run_is_and_goes_on_telling(open_server: Served) -> None:
    connection, answer = stream(open_server)
    assert answer.getheader("Content-Type") == "text/event-stream"
    assert answer.getheader("Content-Security-Policy")
    lines = [answer.readline() for _ in range(4)]
    connection.close()
    assert lines[1] == lines[3] == b"\n"
    for line in (lines[0], lines[2]):
        told = json.loads(line.removeprefix(b"data: "))
        assert (told["state"], told["newest_s"]) == ("whole", 1800)


def test_so_many_streams_are_open_at_a_time_and_one_that_ends_makes_room(open_server: Served) -> None:
    streams = []
    while (opened := stream(open_server))[1].status == 200:
        streams.append(opened[0])
    assert 30 <= len(streams) <= 32 and opened[1].status == 503
    for connection in streams:
        connection.close()
    end = time.monotonic() + 10
    while stream(open_server)[1].status != 200:
        assert time.monotonic() < end, "no room within 10 s"
        time.sleep(0.1)


def test_a_port_that_is_taken_is_one_sentence(record: Path, open_server: Served) -> None:
    server = Server(Source(record), Guard("127.0.0.1", None))
    with pytest.raises(AscnodeError, match=f"cannot listen on 127.0.0.1, port {open_server.port}"):
        asyncio.run(server.start("127.0.0.1", open_server.port))
