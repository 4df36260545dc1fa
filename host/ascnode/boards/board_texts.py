"""Takes out of the firmware's modules, before they are compiled for a board, the texts that only a host reads: names of
state words, and of the dictionary all but numbers, formats, limits, and the digest of the whole."""

import ast
from typing import Any

from ascnode_fw.wire import dictionary


def shorten(source: str, module: str) -> str:
    """The source of a module of that dotted name without them; lines stay where they are."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source  # the board's compiler names what is wrong
    lines = source.split("\n")
    for node in tree.body:
        short = _short(node, module)
        if short is not None:
            assert node.end_lineno is not None
            blank = [""] * (node.end_lineno - node.lineno)
            lines[node.lineno - 1 : node.end_lineno] = [short, *blank]
    return "\n".join(lines)


def _short(node: ast.stmt, module: str) -> str | None:
    # What stands for a statement; None for one that stays.
    of_dictionary = module == dictionary.__name__
    match node:
        case ast.Assign(targets=[ast.Name(id="_TABLES")]) | ast.Import() if of_dictionary:
            return ""
        case ast.FunctionDef(name="digest") if of_dictionary:
            return f"def digest(): return {dictionary.digest()!r}"
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=rows)) if rows:
            names = of_dictionary or name.endswith("NAMES")  # others are a module's own business
            if names and all(isinstance(row, ast.Constant) and isinstance(row.value, str) for row in rows):
                return f"{name} = ()"
            if of_dictionary:
                table = getattr(dictionary, name)
                return f"{name} = {tuple(map(_without_texts, table))!r}"
    return None


def _without_texts(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_without_text(field) for field in row)


def _without_text(field: Any) -> Any:
    # Struct formats stay; of other texts, whether there is one.
    if isinstance(field, tuple):
        return ()
    if isinstance(field, str) and not field.startswith(">"):
        return "-" if field else ""
    return field
