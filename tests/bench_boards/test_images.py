"""Images by file and by release, each by its hash, from a server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ascnode.boards import images
from ascnode.boards.kinds import KINDS
from ascnode.errors import BoardError

PICO = KINDS["rp2040"]
NAME = "RPI_PICO-20251209-v1.27.0.uf2"
CONTENT = b"UF2\n" + bytes(508)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that is served."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(images.BASE_VARIABLE, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ASCNODE_CACHE", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    server.server_close()


def test_names_are_those_of_micropython_org() -> None:
    # As on https://micropython.org/download/
    assert images.image_name(PICO, "1.27.0") == NAME
    assert images.image_name(PICO, "v1.27.0") == NAME
    assert images.image_name(KINDS["rp2350"], "1.25.0") == "RPI_PICO2-20250415-v1.25.0.uf2"
    assert images.image_name(KINDS["esp32"], "1.28.0") == "ESP32_GENERIC-20260406-v1.28.0.bin"


def test_a_release_is_fetched_once_and_then_taken_from_the_cache(mirror: Path) -> None:
    (mirror / NAME).write_bytes(CONTENT)
    first = images.from_version(PICO, "1.27.0", SHA256)
    (mirror / NAME).unlink()
    assert images.from_version(PICO, "1.27.0", SHA256.upper()) == first
    assert (first.content, first.sha256, first.name) == (CONTENT, SHA256, NAME)


def test_what_came_with_another_hash_is_not_kept(mirror: Path, tmp_path: Path) -> None:
    (mirror / NAME).write_bytes(CONTENT + b"!")
    with pytest.raises(BoardError, match=f"what came has another SHA-256 than {SHA256}: nothing was kept"):
        images.from_version(PICO, "1.27.0", SHA256)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_cached_file_that_was_damaged_is_fetched_anew(mirror: Path, tmp_path: Path) -> None:
    (mirror / NAME).write_bytes(CONTENT)
    images.from_version(PICO, "1.27.0", SHA256)
    (tmp_path / "cache" / "images" / NAME).write_bytes(b"damaged")
    assert images.from_version(PICO, "1.27.0", SHA256).content == CONTENT


def test_offline_or_absent_is_one_sentence_with_the_way_out(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BoardError, match=f"{NAME}: .*404.*offline, give --image"):
        images.from_version(PICO, "1.27.0", SHA256)
    monkeypatch.setenv(images.BASE_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(BoardError, match="offline, give --image"):
        images.from_version(PICO, "1.27.0", SHA256)


def test_nothing_is_fetched_without_a_hash(mirror: Path) -> None:
    (mirror / NAME).write_bytes(CONTENT)
    with pytest.raises(BoardError, match=f"no SHA-256 is known for {NAME}"):
        images.from_version(PICO, "1.27.0")
    with pytest.raises(BoardError, match="not a SHA-256"):
        images.from_version(PICO, "1.27.0", "abc")
    with pytest.raises(BoardError, match=r"MicroPython 0\.9 is not known here \(1\.24\.1,"):
        images.from_version(PICO, "0.9", SHA256)
    with pytest.raises(BoardError, match="a virtual board takes no image"):
        images.from_version(KINDS["virtual"], "1.27.0", SHA256)


def test_a_local_file_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.uf2"
    file.write_bytes(CONTENT)
    assert images.from_file(file).known == ""
    assert images.from_file(file, SHA256).known == "the hash given"
    with pytest.raises(BoardError, match=f"its SHA-256 is {SHA256}, not {'0' * 64}"):
        images.from_file(file, "0" * 64)
    with pytest.raises(BoardError, match="No such file"):
        images.from_file(tmp_path / "absent.uf2")
    monkeypatch.setitem(images.KNOWN, NAME, SHA256)
    assert images.from_file(file).known == NAME
