"""Folds the firmware's named integers into its code before it is compiled for a board, and leaves the names out.

MicroPython's compiler folds `const` within a module only; `layout.SOC` from another costs two dictionary look-ups
each time, and each name some 30 bytes of heap. Lines stay where they are, so that a board's tracebacks point into the
sources.
"""

import ast
import importlib
import importlib.util
from collections.abc import Iterator

_PACKAGE = "ascnode_fw"


def fold(source: str, module: str = "") -> str:
    """`source` with every `module.NAME` and imported `NAME` that is an integer of the firmware written as its value.

    With `module`, its dotted name, its own public integers are written as their values too, and defined and imported no
    more: whoever uses them has to be folded as well.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source  # the board's compiler names what is wrong
    modules, names = _imports(tree)
    own = _own(tree, module) if module else {}
    lines = [line.encode() for line in source.split("\n")]  # the parser counts columns in bytes
    for node in sorted(_foldable(tree), key=lambda n: (n.lineno, n.col_offset), reverse=True):
        value = _value(node, modules, names | own)
        if value is not None:
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line[: node.col_offset] + value + line[node.end_col_offset :]
    if module:
        for statement in tree.body:
            _leave_out(statement, names, own, lines)
    return b"\n".join(lines).decode()


def _own(tree: ast.Module, module: str) -> dict[str, int]:
    # The module's public integers, which are given a value once.
    try:
        found = importlib.import_module(module)
    except ImportError:  # of a port: it has none
        return {}
    stored = [
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    names = [name for node in tree.body if (name := _assigned(node)) is not None]
    return {
        name: getattr(found, name)
        for name in names
        if stored.count(name) == 1 and type(getattr(found, name)) is int
    }


def _assigned(node: ast.stmt) -> str | None:
    # The public name in capitals that a statement gives a value.
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) if name.isupper() and not name.startswith("_"):
            return name
    return None


def _leave_out(node: ast.stmt, names: dict[str, int], own: dict[str, int], lines: list[bytes]) -> None:
    # A definition of an integer that is folded, and its import.
    left = ""
    if isinstance(node, ast.ImportFrom):
        kept = [alias for alias in node.names if (alias.asname or alias.name) not in names]
        if len(kept) == len(node.names):
            return
        if kept:
            left = ast.unparse(ast.ImportFrom(node.module, kept, node.level))
    elif _assigned(node) not in own:
        return
    assert node.end_lineno is not None
    lines[node.lineno - 1 : node.end_lineno] = [left.encode(), *[b""] * (node.end_lineno - node.lineno)]


def _imports(tree: ast.Module) -> tuple[dict[str, str], dict[str, int]]:
    # Modules of the firmware by the name they have here, and integers imported by name.
    modules: dict[str, str] = {}
    names: dict[str, int] = {}
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(_PACKAGE):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            value = getattr(importlib.import_module(str(node.module)), alias.name, None)
            if type(value) is int and alias.name.isupper():
                names[name] = value
            elif _is_module(f"{node.module}.{alias.name}"):
                modules[name] = f"{node.module}.{alias.name}"
    return modules, names


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


def _foldable(node: ast.AST) -> Iterator[ast.Attribute | ast.Name]:
    # Attributes of names, and names, that are read; not within f-strings, whose positions are not the source's.
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):
            continue
        if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            yield child
            continue
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            yield child
        yield from _foldable(child)


def _value(node: ast.Attribute | ast.Name, modules: dict[str, str], names: dict[str, int]) -> bytes | None:
    if isinstance(node, ast.Name):
        value = names.get(node.id)
    else:
        assert isinstance(node.value, ast.Name)
        if node.value.id not in modules or not isinstance(node.ctx, ast.Load) or not node.attr.isupper():
            return None
        value = getattr(importlib.import_module(modules[node.value.id]), node.attr)
    if type(value) is not int:
        return None
    return str(value).encode() if value >= 0 else f"({value})".encode()
