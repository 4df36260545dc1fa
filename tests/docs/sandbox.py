"""Does what a guide says, from top to bottom, in an empty folder.

A TOML or Python block whose first line is a comment with a file's name is written into that file (", continued": added
to it). `diff` blocks change a copy of the sources. Commands are run, but for those under a `<!-- not run: why -->` and
those of programs in NOT_RUN.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from docs.additions import change, search_path
from docs.reading import Block, command_lines

NOT_RUN = {
    "pip": "it installs; what it names is checked against pyproject.toml",
    "make": "its targets are run by CI",
}
_FILE = re.compile(r"# ([\w.-]+\.(?:toml|py))(, continued)?\b.*")
_DEADLINE_S = 240


class Sandbox:
    """A folder in which commands find nothing but what the guide made; `tree` is a copy of the sources to change."""

    def __init__(self, folder: Path, tree: Path | None = None) -> None:
        self.folder = folder
        self.tree = tree
        (folder / "pytest.ini").write_text("[pytest]\n")

    def follow(self, block: Block) -> None:
        """AssertionError, with what was said, when a command fails."""
        if block.kind in ("toml", "python"):
            self._write(block.text)
        elif block.kind == "diff":
            assert self.tree, f"{block} changes sources"
            change(self.tree, block.text)
        elif block.kind == "sh" and not block.not_run:
            for line in command_lines(block.text):
                self.run(line)

    def run(self, line: str) -> str:
        """What a command line said."""
        program, *words = shlex.split(line)
        if program in NOT_RUN:
            return ""
        modules = {"ascnode": ["-m", "ascnode"], "pytest": ["-m", "pytest", "-p", "no:cacheprovider"]}
        command = [sys.executable, *modules.get(program, []), *words]
        assert program in (*modules, "python"), f"{line}: say why it is not run"
        return self._called(line, command)

    def _called(self, line: str, command: list[str]) -> str:
        names = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env={**names, "PYTHONPATH": search_path(self.tree) if self.tree else ""},
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def _write(self, text: str) -> None:
        named = _FILE.match(text)
        if named is None:
            return
        path = self.folder / named[1]
        before = path.read_text() + "\n" if named[2] else ""
        path.write_text(before + text)
