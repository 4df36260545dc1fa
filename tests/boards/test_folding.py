"""Folding named integers into the firmware before it is compiled for a board."""

import ast
from pathlib import Path

import pytest

import ascnode_fw
from ascnode.boards.folding import fold

SOURCES = sorted(Path(ascnode_fw.__file__).parent.rglob("*.py"))


def test_integers_of_other_modules_become_their_values() -> None:
    source = "from ascnode_fw.wire import dictionary as d\nx = (d.LINK, d.P_OP_PW + i, d.EVENTS[0])\n"
    assert fold(source).splitlines()[1] == "x = (4, 34 + i, d.EVENTS[0])"


def test_integers_imported_by_name_become_their_values() -> None:
    source = "from ascnode_fw.wire.frame import MAX_BODY, encode\ny = encode(MAX_BODY)\n"
    assert fold(source).splitlines()[1] == "y = encode(1024)"


def test_what_only_looks_like_one_is_left() -> None:
    source = (
        "from ascnode_fw.wire import dictionary as d\n"
        "import other as o\n"
        "a = o.LINK, self.d.LINK, d.digest, 'd.LINK', f'{d.LINK}'  # d.LINK\n"
        "class C:\n    LINK = 9\n    d.LINK = 5\n"
    )
    assert fold(source) == source


def test_columns_count_bytes_where_a_line_has_other_letters() -> None:
    source = "from ascnode_fw.wire import dictionary as d\ns = 'Größe', d.LINK, 'μ', d.SIM\n"
    assert fold(source).splitlines()[1] == "s = 'Größe', 4, 'μ', 1"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_firmware_keeps_its_lines_and_its_meaning(path: Path) -> None:
    """The folded source has the same tree, but for the constants that took the place of names."""
    source = path.read_text(encoding="utf-8")
    folded = fold(source)
    assert folded.count("\n") == source.count("\n")
    before, after = list(ast.walk(ast.parse(source))), list(ast.walk(ast.parse(folded)))
    names = [node.name for node in before if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert [node.name for node in after if isinstance(node, ast.FunctionDef | ast.ClassDef)] == names
    assert sum(isinstance(node, ast.Call) for node in after) == sum(
        isinstance(node, ast.Call) for node in before
    )
