"""The documentation as data: pages, their code blocks, and the code within their lines."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))
# Guides are run from top to bottom; the other pages are read.
GUIDES = (
    "first-run.md",
    "first-board.md",
    "write-a-hil-test.md",
    "own-model.md",
    "bitstream.md",
    "add-a-policy.md",
    "add-a-sensor.md",
    "add-a-board.md",
    "add-an-op.md",
)
PROGRAMS = ("ascnode", ".venv/bin/ascnode", "make", "pip", "pytest", "python", "git", "cd", "mkdocs")
# Invisible to the reader: why the block below it is not run; that it is, in a page that is no guide.
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*")
_RUN = "<!-- run -->"


@dataclass(frozen=True)
class Block:
    """A code block of a page: `kind` is the fence's word, or what an indented block looks like."""

    page: str
    line: int
    kind: str
    text: str
    not_run: str = ""  # in a guide: why, if it is not
    run: bool = False  # elsewhere

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    """A page of docs/."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    """All code blocks of a page, in order."""
    found: list[Block] = []
    note = ""
    for token in _tokens(path):
        if token.type in ("fence", "code_block"):
            kind = token.info.strip() or _looks_like(token.content)
            reason = _NOT_RUN.fullmatch(note)
            line = (token.map or [0])[0] + 1
            why, run = reason[1] if reason else "", note.strip() == _RUN
            found.append(Block(path.name, line, kind, token.content, why, run))
        note = token.content if token.type == "html_block" else ""
    return found


def inline_code(path: Path) -> list[str]:
    """What stands between backquotes."""
    children = [child for token in _tokens(path) for child in token.children or ()]
    return [child.content for child in children if child.type == "code_inline"]


def command_lines(text: str) -> list[str]:
    """The commands of a shell block, without comments and with continued lines joined."""
    joined = text.replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def _looks_like(text: str) -> str:
    first_words = [line.split()[0] for line in command_lines(text)]
    if first_words and all(word in PROGRAMS for word in first_words):
        return "sh"
    try:
        return "toml" if tomllib.loads(text) else "text"
    except tomllib.TOMLDecodeError:
        return "text"
