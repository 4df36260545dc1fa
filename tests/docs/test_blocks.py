"""What stands in the pages' code blocks is read by what would read it, and what they name is there."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from ascnode.boards import bench
from ascnode.scenario.scenario import Scenario
from ascnode_hil.requirements import requirements
from docs.reading import DOCS, GUIDES, PAGES, ROOT, Block, blocks, text_of
from docs.sandbox import Sandbox

ALL = [block for page in PAGES for block in blocks(page)]
# What a page adds to ascnode is known only where the page is followed.
ADDING = {block.page for block in ALL if block.kind == "diff"}
TOML = [b for b in ALL if b.kind == "toml" and ", continued" not in b.text and b.page not in ADDING]
PYTHON = [block for block in ALL if block.kind == "python"]
RUN = [block for block in ALL if block.run]
KINDS = {"sh", "toml", "python", "diff", "text", "ini"}
_NAMED_FILE = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|pyi|toml|md|h|cpp))`")
# A page of one part names files from that part's top on.
_PARTS = ("host/ascnode", "gateware/ascnode_gateware", "firmware/lib/ascnode_fw", "firmware/lib", "gateware")
_SOURCE_ROW = re.compile(r"^\| (.*?\]\(\.\./.*?) \| (.*?) \|$", re.MULTILINE)


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_says_what_each_block_is(guide: str) -> None:
    text = text_of(guide)
    assert {block.kind for block in blocks(DOCS / guide)} <= KINDS
    assert not re.search(r"\n\n    \S", re.sub(r"```.*?```", "", text, flags=re.DOTALL)), "an indented block"


@pytest.mark.parametrize("block", TOML, ids=str)
def test_toml_is_what_the_loaders_take(block: Block, tmp_path: Path) -> None:
    keys = tomllib.loads(block.text)
    keys.pop(
        "payload" if "constellation" in keys else "", None
    )  # names files that the guide makes, and flies
    if "boards" in keys:
        assert bench.parse(block.text.encode()).boards
    elif "constellation" in keys:
        assert Scenario.model_validate(keys).space.count > 0
    else:
        path = tmp_path / "requirements.toml"
        path.write_text(block.text)
        assert len(requirements([path])) > len(requirements())


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", RUN, ids=str)
def test_commands_that_are_marked_run(block: Block, tmp_path: Path) -> None:
    Sandbox(tmp_path).follow(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_the_text_are_there(page: Path) -> None:
    text = page.read_text()
    named = set(_NAMED_FILE.findall(text)) | {link.split("#")[0] for link in _links(text)}
    assert [name for name in named if not _is_there(page, name)] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_finds_in_a_source_is_in_it(guide: str) -> None:
    for where, what in _SOURCE_ROW.findall(text_of(guide)):
        files = [DOCS / link for link in _links(where)]
        names = re.findall(r"`([A-Za-z_]\w*)`", what)
        source = "\n".join(file.read_text() for file in files)
        assert [name for name in names if not re.search(rf"\b{name}\b", source)] == [], where


def _links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link and link[0] != "#"]


def _is_there(page: Path, name: str) -> bool:
    places = [page.parent, ROOT, *(ROOT / part for part in _PARTS)]
    return any((place / name).exists() for place in places)
