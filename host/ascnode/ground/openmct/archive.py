"""Open MCT as npm packs it, in the user's cache; its files are served from the archive, never unpacked."""

import mimetypes
import shutil
import subprocess
import tarfile
from pathlib import Path

from ascnode.boards.firmware import cache_folder
from ascnode.errors import AscnodeError

VERSION = "4.2.0"  # the plugin is tried with this one
_PACKED = f"openmct-{VERSION}.tgz"
_INSIDE = "package/dist/"
_LEFT_OUT = (".map", ".d.ts")
_LARGEST = 32 << 20  # bytes of one file
_FETCH_S = 300.0

Files = dict[str, tuple[str, bytes]]
"""By name below dist/: content type and bytes."""


def archive(folder: Path | None = None) -> Path:
    """Where the packed Open MCT is; AscnodeError says how to get it when it is not there."""
    folder = folder or _cache()
    path = folder / _PACKED
    if path.is_file():
        return path
    raise AscnodeError(
        f"Open MCT is not in {folder}: `ascnode openmct RUN --fetch` has npm put it there, or do it yourself: "
        f"npm pack openmct@{VERSION} --pack-destination {folder}"
    )


def _cache() -> Path:
    folder = cache_folder()
    if folder is None:
        raise AscnodeError("there is no home for a cache: name a folder with Open MCT in ASCNODE_CACHE")
    return folder


def fetch(folder: Path | None = None) -> Path:
    """Has npm pack Open MCT into the cache, unless it is there; AscnodeError when npm is not, or fails."""
    folder = folder or _cache()
    if (folder / _PACKED).is_file():
        return folder / _PACKED
    npm = shutil.which("npm")
    if npm is None:
        raise AscnodeError("npm was not found: it comes with Node.js, and packs Open MCT")
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"openmct@{VERSION}", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        raise AscnodeError(f"npm did not pack openmct@{VERSION} within {_FETCH_S:g} s") from None
    if done.returncode:
        said = (done.stderr.strip() or "it failed").splitlines()[-1]
        raise AscnodeError(f"npm did not pack openmct@{VERSION}: {said}")
    return archive(folder)


def load(path: Path) -> Files:
    """The files of its dist/ folder; AscnodeError when the archive is damaged or no Open MCT."""
    found: Files = {}
    try:
        with tarfile.open(path, "r:gz") as packed:
            for member in packed:
                name = member.name.removeprefix(_INSIDE)
                wanted = member.isfile() and name != member.name and not name.endswith(_LEFT_OUT)
                if wanted and member.size <= _LARGEST and (file := packed.extractfile(member)):
                    found[name] = (mimetypes.guess_type(name)[0] or "application/octet-stream", file.read())
    except (tarfile.TarError, OSError, EOFError) as e:
        raise AscnodeError(f"{path} is damaged: {e}; remove it and fetch it again") from None
    if "openmct.js" not in found:
        raise AscnodeError(f"{path} holds no Open MCT")
    return found
