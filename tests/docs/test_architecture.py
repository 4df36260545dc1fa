"""Imports run one way, as docs/architecture.md says."""

import ast
from pathlib import Path

import pytest

from docs.reading import ROOT, text_of

OURS = {"ascnode_fw", "ascnode_gateware", "ascnode", "ascnode_hil"}
MAY_IMPORT = {
    "firmware/lib/ascnode_fw": {"ascnode_fw"},
    "gateware/ascnode_gateware": {"ascnode_gateware"},
    "host/ascnode": {"ascnode", "ascnode_fw", "ascnode_gateware"},
    "hil/ascnode_hil": OURS,
}


def imported(path: Path) -> set[str]:
    """Top packages of all imports in a file, those within functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    modules = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert len(files) > 20
    wrong = {file.name: found for file in files if (found := (imported(file) & OURS) - MAY_IMPORT[package])}
    assert wrong == {}


def test_plant_and_flight_software_do_not_know_each_other() -> None:
    for mine, other in (("plant", "flight"), ("flight", "plant")):
        for file in (ROOT / "firmware/lib/ascnode_fw" / mine).glob("*.py"):
            assert f"ascnode_fw.{other}" not in file.read_text(), file


def test_every_package_folder_is_in_the_table() -> None:
    text = text_of("architecture.md")
    folders = {
        init.parent.name for part in list(MAY_IMPORT)[:3] for init in (ROOT / part).glob("*/__init__.py")
    }
    assert sorted(name for name in folders if f"/{name}`" not in text and f"`{name}`" not in text) == []
