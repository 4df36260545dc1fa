"""MicroPython images: a local file, or one of micropython.org's by version; each checked by its SHA-256."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ascnode.boards.firmware import cache_folder
from ascnode.boards.kinds import Kind
from ascnode.errors import BoardError

BASE_VARIABLE = "ASCNODE_IMAGES"
_BASE = "https://micropython.org/resources/firmware"
_DOWNLOAD_S = 30  # between two pieces of a download
LARGEST_BYTES = 64 << 20

# The day in the names of a release's images.
RELEASES = {
    "1.24.1": "20241129",
    "1.25.0": "20250415",
    "1.26.1": "20250911",
    "1.27.0": "20251209",
    "1.28.0": "20260406",
}
# micropython.org publishes no hashes. This one is what the test data of the `tamp` compressor holds of that name.
KNOWN = {
    "RPI_PICO-20250415-v1.25.0.uf2": "e0c40eacf1afc550a6add74888c48bb981b28788a6d75a62a0e2444e997b9864",
}


@dataclass(frozen=True)
class Image:
    """`known`: the release that the hash belongs to, "" when nobody vouched for it."""

    name: str
    content: bytes
    sha256: str
    known: str


def from_file(path: Path, sha256: str | None = None) -> Image:
    """A local image; BoardError when it cannot be read or its hash is not the one given."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise BoardError(f"{path}: larger than {LARGEST_BYTES} bytes: not an image")
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != _hash(sha256):
        raise BoardError(f"{path}: its SHA-256 is {digest}, not {sha256}")
    known = next((name for name, value in KNOWN.items() if value == digest), "")
    return Image(path.name, content, digest, known or ("the hash given" if sha256 else ""))


def from_version(kind: Kind, version: str, sha256: str | None = None) -> Image:
    """micropython.org's image of a release, from the cache if it is there; BoardError without a hash to check it by.

    ASCNODE_IMAGES names another place with the same files.
    """
    name = image_name(kind, version)
    digest = sha256 or KNOWN.get(name)
    if digest is None:
        raise BoardError(
            f"no SHA-256 is known for {name}: give --sha256, or download it yourself and give --image"
        )
    return from_file(_fetch(name, _hash(digest)), digest)


def image_name(kind: Kind, version: str) -> str:
    """The file's name there; BoardError for a release or a board that is not known."""
    day = RELEASES.get(version.removeprefix("v"))
    if day is None:
        raise BoardError(f"MicroPython {version} is not known here ({', '.join(RELEASES)}): give --image")
    if not kind.image:
        raise BoardError(f"a {kind.name} board takes no image")
    suffix = "bin" if kind.espressif else "uf2"
    return f"{kind.image}-{day}-v{version.removeprefix('v')}.{suffix}"


def _fetch(name: str, digest: str) -> Path:
    try:
        import pooch
    except ModuleNotFoundError:
        raise BoardError("pooch is missing: pip install ascnode[flash], or give --image") from None
    url = f"{os.environ.get(BASE_VARIABLE, _BASE)}/{name}"
    pooch.get_logger().setLevel("ERROR")
    try:
        path = pooch.retrieve(
            url,
            known_hash=f"sha256:{digest}",
            fname=name,
            path=_folder(),
            downloader=pooch.HTTPDownloader(timeout=_DOWNLOAD_S),
        )
    except ValueError:
        raise BoardError(f"{url}: what came has another SHA-256 than {digest}: nothing was kept") from None
    except OSError as error:  # requests' errors are OSErrors too
        raise BoardError(f"{url}: {_short(error)}; offline, give --image") from None
    return Path(path)


def _folder() -> Path | None:
    folder = cache_folder()
    return folder / "images" if folder else None


def _hash(text: str) -> str:
    value = text.lower().removeprefix("sha256:")
    if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise BoardError(f"{text!r} is not a SHA-256: 64 hexadecimal digits")
    return value


def _short(error: OSError) -> str:
    return " ".join(str(error.strerror or error).split())[:200]
