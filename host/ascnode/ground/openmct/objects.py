"""What Open MCT shows of a run: a folder a board, one a packet, an object a field; its values as the XTCE has them."""

from datetime import datetime
from typing import Any

from ascnode.ground.layout import Field, Layout, telemetry
from ascnode.ground.limits import LABEL_CONCERNS
from ascnode.record.reader import Reader
from ascnode.record.rows import Board, Telemetry

_AT_ONCE = 4000  # samples of one answer
_LEVELS = {"watch": "WATCH", "warning": "WARNING", "critical": "CRITICAL"}


class Model:
    """The objects of a run, and the samples of its fields. For one thread, as its reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._layouts = {board.node: telemetry(board.power_scale) for board in reader.boards}
        self._start_ms = _start_ms(reader)

    def describe(self) -> dict[str, Any]:
        """Name, time (ms, UTC) from start to newest, whether it still grows, and all objects by key."""
        return {
            "name": str(self._reader.scenario.get("name") or self._reader.path.stem),
            "start": self._start_ms,
            "end": self.newest_ms,
            "whole": self._reader.whole,
            "objects": self._objects(),
        }

    @property
    def newest_ms(self) -> float:
        """How far the run has come, in ms UTC."""
        return (
            self._start_ms + max(self._reader.newest_us, self._reader.length_us * self._reader.whole) / 1000
        )

    def _objects(self) -> dict[str, Any]:
        found: dict[str, Any] = {"run": _folder("run", "ROOT", self._reader.path.stem)}
        for board in self._reader.boards:
            of_board = str(board.node)
            found[of_board] = _folder(of_board, "run", board.name)
            found["run"]["children"].append(of_board)
            for layout in self._layouts[board.node]:
                self._add(found, board, layout)
        return found

    def _add(self, found: dict[str, Any], board: Board, layout: Layout) -> None:
        of_packet = f"{board.node}.{layout.name}"
        found[of_packet] = _folder(of_packet, str(board.node), layout.name)
        found[str(board.node)]["children"].append(of_packet)
        for field in layout.fields:
            key = f"{of_packet}.{field.name}"
            found[of_packet]["children"].append(key)
            found[key] = {
                "key": key,
                "name": f"{board.name} {layout.name} {field.name}",
                "type": "ascnode.field",
                "location": of_packet,
                "values": [_value(field)],
                "limits": _limits(field),
            }

    # --- samples

    def samples(self, key: str, start_ms: float, end_ms: float, most: int) -> list[list[float]]:
        """(time in ms, value) of a field, the newest of each stretch where there are more than `most`.

        KeyError for a field that there is not.
        """
        node, packet, field = self._field(key)
        first, last = ((at - self._start_ms) * 1000 for at in (start_ms, end_ms))
        packets = self._reader.telemetry(node, packet, max(0, int(first)), int(last) + 1000)
        found = [self._sample(one, field) for one in packets]
        most = max(1, min(most, _AT_ONCE))
        return found if len(found) <= most else _thinned(found, most)

    def _field(self, key: str) -> tuple[int, str, Field]:
        board, packet, name = (*key.split("."), "", "")[:3]
        layouts = self._layouts[int(board)] if board.isdecimal() else []
        for layout in layouts:
            for field in layout.fields:
                if (layout.name, field.name) == (packet, name):
                    return int(board), packet, field
        raise KeyError(key)

    def _sample(self, packet: Telemetry, field: Field) -> list[float]:
        return [self._start_ms + packet.sent_us / 1000, packet.fields[field.name] * field.unit.scale]


def _thinned(found: list[list[float]], most: int) -> list[list[float]]:
    # The least and the greatest of each stretch, in order, so that no peak is lost.
    size = -(-len(found) * 2 // most)
    kept: list[list[float]] = []
    for at in range(0, len(found), size):
        stretch = found[at : at + size]
        ends = {id(one): one for one in (min(stretch, key=_of), max(stretch, key=_of))}
        kept += sorted(ends.values())
    return kept[-most:]


def _of(sample: list[float]) -> float:
    return sample[1]


def _folder(key: str, location: str, name: str) -> dict[str, Any]:
    return {"key": key, "name": name, "type": "folder", "location": location, "children": []}


def _value(field: Field) -> dict[str, Any]:
    value: dict[str, Any] = {"key": "value", "name": field.name, "hints": {"range": 1}}
    if field.unit.labels:
        names = [{"value": number, "string": label} for number, label in field.unit.labels.items()]
        return {**value, "format": "enum", "enumerations": names}
    return {**value, "format": "number", **({"unit": field.unit.unit} if field.unit.unit else {})}


def _limits(field: Field) -> list[dict[str, Any]]:
    # level, side, value: beyond it the level holds; of named values the value itself.
    numbers = [
        {"level": _LEVELS[one.concern], "side": one.side, "value": one.value * field.unit.scale}
        for one in field.limits
    ]
    concerns = LABEL_CONCERNS.get(field.name, {})
    named = [
        {"level": _LEVELS[concerns[label]], "side": "is", "value": number}
        for number, label in field.unit.labels.items()
        if label in concerns
    ]
    return numbers + named


def _start_ms(reader: Reader) -> float:
    epoch = reader.scenario.get("epoch")
    try:
        return datetime.fromisoformat(str(epoch)).timestamp() * 1000
    except ValueError:
        return 0.0
