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


def test_a_module_s_own_integers_are_written_as_values_and_left_out() -> None:
    module = "ascnode_fw.plant.layout"
    path = Path(ascnode_fw.__file__).parent / "plant" / "layout.py"
    names: dict[str, object] = {}
    exec(fold(path.read_text(), module), names)
    assert "ILLUMINATION" not in names
    assert "STATE_NAMES" in names
    assert fold("WORDS = 3\nx = [WORDS] * WORDS\n", "ascnode_fw.accel.layout").startswith("\nx = [")


def test_imports_of_integers_go_and_others_stay() -> None:
    source = "from ascnode_fw.wire.frame import (\n    MAX_BODY,\n    encode,\n)\ny = encode(MAX_BODY)\n"
    folded = fold(source, "ascnode_fw.node")
    assert folded == "from ascnode_fw.wire.frame import encode\n\n\n\ny = encode(1024)\n"
    assert fold("from ascnode_fw.wire.frame import MAX_BODY\n", "ascnode_fw.node") == "\n"


def test_a_name_that_is_given_a_value_twice_stays() -> None:
    source = "WORDS = 3\nif x:\n    WORDS = 4\n"
    assert fold(source, "ascnode_fw.accel.layout") == source


def test_what_runs_on_a_board_unfolded_imports_no_integer() -> None:
    """They would not be there: boot.py and main.py are not folded, and imports within functions are not looked at."""
    board = Path(ascnode_fw.__file__).parents[2] / "board"
    nested = [(path, node) for path in SOURCES for node in _nested_imports(ast.parse(path.read_text()))]
    whole = [
        (path, node) for path in sorted(board.glob("*.py")) for node in ast.walk(ast.parse(path.read_text()))
    ]
    for path, node in nested + whole:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ascnode_fw"):
            assert not [alias.name for alias in node.names if alias.name.isupper()], path


def _nested_imports(tree: ast.Module) -> list[ast.AST]:
    return [node for statement in tree.body for node in ast.walk(statement) if node is not statement]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_firmware_keeps_its_lines_and_its_meaning(path: Path) -> None:
    """The folded source has the same tree, but for the constants that took the place of names."""
    source = path.read_text(encoding="utf-8")
    package = Path(ascnode_fw.__file__).parents[1]
    module = ".".join(path.relative_to(package).with_suffix("").parts)
    folded = fold(source, module)
    assert folded.count("\n") == source.count("\n")
    before, after = list(ast.walk(ast.parse(source))), list(ast.walk(ast.parse(folded)))
    names = [node.name for node in before if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert [node.name for node in after if isinstance(node, ast.FunctionDef | ast.ClassDef)] == names
    assert _calls(after) == _calls(before)


def _calls(nodes: list[ast.AST]) -> int:
    # const() goes with the integers that are left out.
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return sum(not (isinstance(call.func, ast.Name) and call.func.id == "const") for call in calls)
