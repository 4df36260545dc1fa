"""Tables in the pages name what the code has, no more and no less."""

import re
from types import UnionType
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from ascnode.faults.schedule import Board, BoardFault, Clock, Radio, Sensor, Sky, Upset, Wire
from docs.reading import text_of

KINDS: dict[str, type[BaseModel]] = {
    **{"radio": Radio, "wire": Wire, "board": Board, "sensor": Sensor},
    **{"upset": Upset, "sky": Sky, "clock": Clock},
}
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text_of("faults.md").split("## What\n")[1], re.MULTILINE))


def words(kind: str) -> set[str]:
    """In a row of the table; what "the same" stands for is the row before."""
    row = ROWS[kind].replace("the same", ROWS["radio"].split("|")[0])
    return set(re.findall(r"`(\w+)`", row))


def choices(model: type[BaseModel]) -> set[str]:
    annotation = model.model_fields["target" if "target" in model.model_fields else "effect"].annotation
    parts = get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)
    return {str(name) for part in parts if get_origin(part) is Literal for name in get_args(part)}


def test_every_kind_of_fault_has_a_row() -> None:
    assert ROWS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_names_the_effects_and_the_keys(kind: str) -> None:
    model = KINDS[kind]
    own = model.model_fields.keys() - BoardFault.model_fields.keys() - {"kind", "effect", "target"}
    effects = choices(model) if kind != "clock" else set()
    assert words(kind) == own | effects


def test_every_key_of_the_time_is_explained() -> None:
    table = text_of("faults.md").split("## When\n")[1].split("\n## ")[0]
    keys = BoardFault.model_fields.keys() - {"kind"}
    assert keys <= set(re.findall(r"`(\w+)`", table))
