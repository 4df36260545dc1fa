"""One layout, however many modules hold folded copies of it."""

import ast
from pathlib import Path

import pytest

from ascnode_fw import plant
from ascnode_fw.plant import layout

MODULES = sorted(Path(next(iter(plant.__path__))).glob("*.py"))
HOT = ("solar", "battery", "thermal", "model")


def folded(module: Path) -> dict[str, int]:
    """The module's `_NAME = const(value)`."""
    found = {}
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target, call = node.targets[0], node.value
            if isinstance(target, ast.Name) and isinstance(call.func, ast.Name) and call.func.id == "const":
                found[target.id] = ast.literal_eval(call.args[0])
    return found


@pytest.mark.parametrize("name", HOT)
def test_folded_copies_equal_the_layout(name: str) -> None:
    copies = folded(next(module for module in MODULES if module.stem == name))
    assert copies
    assert {key: getattr(layout, key.lstrip("_")) for key in copies} == copies


def test_every_word_of_the_state_and_every_event_has_its_own_name() -> None:
    assert len(set(layout.STATE_NAMES)) == layout.STATE_WORDS
    events = {
        name: value for name, value in vars(layout).items() if name.startswith("EVENT_") and value != ()
    }
    bits = [value for value in events.values() if isinstance(value, int)]
    assert sorted(bits) == [1 << i for i in range(len(layout.EVENT_NAMES))]


def test_the_words_of_the_configuration_do_not_overlap() -> None:
    assert layout.EMISSION == layout.INITIAL_RADIATOR_UK + 1
    assert layout.LEAKAGE == layout.EMISSION + layout.EMISSION_WORDS
    assert layout.CONFIG_WORDS == layout.LEAKAGE + layout.LEAKAGE_WORDS


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_plant_knows_no_other_part_of_the_firmware(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").startswith(
                ("ascnode_fw.plant", "ascnode_fw.compat", "array", "binascii")
            )
