"""The key tables of docs/scenario.md, from the models themselves: `python -m ascnode.scenario.reference`."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ascnode.faults.schedule import Board as BoardOutage
from ascnode.faults.schedule import BoardFault, Clock, Node, Radio, Sensor, Sky, Upset, Wire
from ascnode.scenario.hardware import Hardware
from ascnode.scenario.scenario import Scenario
from ascnode.scenario.tables.ground import Downlink, Gateways, Lasers, Users
from ascnode.scenario.tables.policy import Cap, Fault, Policy
from ascnode.scenario.tables.space import Board, ConstellationTable, ShellTable
from ascnode.scenario.tables.work import Inference, Payload, Ping, Training

TABLES: dict[str, type[BaseModel]] = {
    "the file itself": Scenario,
    "[constellation]": ConstellationTable,
    "[[constellation.shells]]": ShellTable,
    "[users]": Users,
    "[gateways]": Gateways,
    "[downlink]": Downlink,
    "[lasers]": Lasers,
    "[payload]": Payload,
    '[[workload]] kind = "inference"': Inference,
    '[[workload]] kind = "training"': Training,
    '[[workload]] kind = "ping"': Ping,
    "[policy]": Policy,
    "[[cap]]": Cap,
    "[[fault]] of the network": Fault,
    "[[fault]] of a board": BoardFault,
    '[[fault]] kind = "radio"': Radio,
    '[[fault]] kind = "wire"': Wire,
    '[[fault]] kind = "board"': BoardOutage,
    '[[fault]] kind = "sensor"': Sensor,
    '[[fault]] kind = "upset"': Upset,
    '[[fault]] kind = "sky"': Sky,
    '[[fault]] kind = "clock"': Clock,
    "[node]": Hardware,
}
_TYPES = {
    **{"str": "text", "int": "whole number", "float": "number", "bool": "true or false"},
    **{"AwareDatetime": "date and time", "OperatingPoint": "[kHz, W]"},
}
_LIMITS = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}


def reference() -> str:
    """A Markdown table for each table of a scenario file."""
    return "\n\n".join(f"### {name}\n\n{_table(model)}" for name, model in TABLES.items()) + "\n"


def _table(model: type[BaseModel]) -> str:
    tables = {name.strip("[]").split(".")[-1].split("]]")[0] for name in TABLES}
    shared = BoardFault.model_fields if issubclass(model, BoardFault) and model is not BoardFault else ()
    rows = [
        f"| `{key}` | {_kind(field)} | {_default(field)} | {field.description or ''} |"
        for key, field in model.model_fields.items()
        if not field.exclude and not (model is Scenario and key in tables) and key not in shared
    ]
    return "\n".join(("| key | what | default | |", "|---|---|---|---|", *rows))


def _kind(field: FieldInfo) -> str:
    return f"{_said(field.annotation)}{_limits(field.metadata)}".replace("|", "or")


def _limits(metadata: list[Any]) -> str:
    said = [
        form.format(_number(getattr(one, name)))
        for one in metadata
        for name, form in _LIMITS.items()
        if getattr(one, name, None) is not None
    ]
    return f", {' '.join(said)}" if said else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _said(kind: Any) -> str:
    if kind is type(None):
        return ""
    if kind == Board:
        return "satellite"
    if kind == Node:
        return "text or satellite"
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _said(parts[0]) + _limits([one for part in parts[1:] for one in _constraints(part)])
    if origin is Literal:
        return ", ".join(f'"{part}"' if isinstance(part, str) else str(part) for part in parts)
    if origin in (Union, UnionType):
        return " | ".join(filter(None, map(_said, parts)))
    if origin is tuple:
        inner = [part for part in parts if part is not ...]
        return (
            f"list of {_said(inner[0])}" if len(inner) < len(parts) else f"[{', '.join(map(_said, inner))}]"
        )
    return _TYPES.get(kind.__name__, "table" if issubclass(kind, BaseModel) else kind.__name__)


def _constraints(part: Any) -> list[Any]:
    return part.metadata if isinstance(part, FieldInfo) else [part]


def _default(field: FieldInfo) -> str:
    if field.default is None:
        return "none"
    if field.default is PydanticUndefined:
        return "must be given"
    if isinstance(field.default, str):
        return f'"{field.default}"'
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return str(field.default) if isinstance(field.default, int | float) else _compound(field.default)


def _compound(value: Any) -> str:
    if isinstance(value, tuple):
        return "[]" if not value else f"{len(value)} of them"
    return value.isoformat() if hasattr(value, "isoformat") else "see its table"


if __name__ == "__main__":
    print(reference(), end="")
