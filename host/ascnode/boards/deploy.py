"""Files onto a board: only what changed, proved by hashes that the board computes, and never half a firmware.

While files change, main.py is away: a board that is unplugged in the middle starts at its REPL, and the next flash
finishes the work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ascnode.boards.repl import Repl
from ascnode.errors import BoardError

# What belongs to us on a board: whatever else lies in here is of an older version and would shadow or waste.
OWN_FOLDER = "lib/ascnode_fw"
MAIN = "main.py"
_TEMPORARY = ".new"

# On the board: a line "hash path" for each file.
_HASH = """
import os, hashlib
def h(p):
    d = hashlib.sha256()
    b = bytearray(512)
    with open(p, "rb") as f:
        while True:
            n = f.readinto(b)
            if not n:
                break
            d.update(memoryview(b)[:n])
    print("".join("%02x" % c for c in d.digest()), p)
def w(p):
    try:
        e = list(os.ilistdir(p))
    except OSError:
        return
    for x in e:
        if x[1] & 0x4000:
            w(p + "/" + x[0])
        else:
            h(p + "/" + x[0])
w({folder!r})
for p in {names!r}:
    try:
        os.stat(p)
    except OSError:
        continue
    h(p)
"""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a deployment does: paths without leading slash."""

    write: tuple[str, ...]
    remove: tuple[str, ...]
    keep: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether the board has it all."""
        return not self.write and not self.remove


def plan(local: Mapping[str, bytes], once: Mapping[str, bytes], on_board: Mapping[str, str]) -> Plan:
    """`local` has to be on the board as it is; `once` is given to a board that has no such file (keys, parameters).

    `on_board`: SHA-256 in hexadecimal by path.
    """
    wanted = {**{name: data for name, data in once.items() if name not in on_board}, **local}
    write = [name for name, data in wanted.items() if on_board.get(name) != _hash(data)]
    remove = [name for name in on_board if name.startswith(f"{OWN_FOLDER}/") and name not in local]
    keep = [name for name in on_board if name not in write and name not in remove]
    # main.py last: with it the firmware runs.
    return Plan(
        tuple(sorted(write, key=lambda name: (name == MAIN, name))),
        tuple(sorted(remove)),
        tuple(sorted(keep)),
    )


def hashes(repl: Repl, names: list[str]) -> dict[str, str]:
    """SHA-256 by path, of our folder and of `names` as far as they are there; computed by the board."""
    text = repl.exec(_HASH.format(folder=OWN_FOLDER, names=names), "hashing the board's files")
    found = {}
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or not name:
            raise BoardError(f"{repl.path}: hashing the board's files: the board answered {line!r:.80}")
        found[name] = digest
    return found


def deploy(
    repl: Repl,
    local: Mapping[str, bytes],
    once: Mapping[str, bytes] | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Plan:
    """Brings the board's files to what they should be and has the board prove it; what was, or would be, done."""
    once = once or {}
    names = [name for name in (*local, *once) if not name.startswith(f"{OWN_FOLDER}/")]
    todo = plan(local, once, hashes(repl, names))
    if todo.empty or dry_run:
        return todo
    _remove(repl, [MAIN, *todo.remove])
    _make_folders(repl, todo.write)
    files = {**once, **local}
    # main.py went with the first step, so it comes back even when its content is the same.
    write = [*(name for name in todo.write if name != MAIN), *([MAIN] if MAIN in local else [])]
    for number, name in enumerate(write):
        if progress:
            progress(name, number, len(write))
        _write(repl, name, files[name])
    _verify(repl, names, {name: files[name] for name in (*local, *todo.write)})
    return todo


def _write(repl: Repl, name: str, data: bytes) -> None:
    repl.write_file(name + _TEMPORARY, data)
    # FAT renames to no name that is taken.
    code = f"import os\ntry:\n os.remove({name!r})\nexcept OSError:\n pass\nos.rename({name + _TEMPORARY!r}, {name!r})"
    repl.exec(code, f"renaming {name}")


def _remove(repl: Repl, names: list[str]) -> None:
    code = f"import os\nfor p in {names!r}:\n try:\n  os.remove(p)\n except OSError as e:\n  if e.args[0] != 2: raise"
    repl.exec(code, "removing old files")


def _make_folders(repl: Repl, names: tuple[str, ...]) -> None:
    folders = sorted({str(folder) for name in names for folder in PurePosixPath(name).parents} - {"."})
    code = f"import os\nfor p in {folders!r}:\n try:\n  os.mkdir(p)\n except OSError as e:\n  if e.args[0] != 17: raise"
    repl.exec(code, "making folders")


def _verify(repl: Repl, names: list[str], files: Mapping[str, bytes]) -> None:
    on_board = hashes(repl, names)
    wrong = [name for name, data in files.items() if on_board.get(name) != _hash(data)]
    if wrong:
        raise BoardError(
            f"{repl.path}: {wrong[0]} on the board is not what was written ({len(wrong)} files differ)"
        )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
