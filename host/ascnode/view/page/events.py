"""What boards reported and what was injected into them, in words."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from ascnode.record.file import RecordFile
from ascnode.record.rows import Fault, Telemetry
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode_fw.wire import dictionary as d

_EVENTS = {number: (name, meaning) for number, name, _, meaning in d.EVENTS}
_INJECTED = d.MEDIUM  # what was injected stands among what boards say of themselves
_SEVERE = "name = 'event' AND json_extract(fields, '$.severity') >= ?"
_KINDS, _OF_A_KIND = 4, 3  # that a search finds


def until(
    file: RecordFile, satellites: Sequence[int], until_s: float, least: int, most: int
) -> dict[str, Any]:
    """The newest `most` events up to a time, newest first; the time of the next one; whether there are more before.

    `satellites` are the boards' numbers in the constellation.
    """
    now_us = round(until_s * 1e6)
    newest = f"{_SEVERE} AND sent_us <= ? ORDER BY sent_us DESC LIMIT ?"
    told = [
        _told(Telemetry(*row))
        for row in file.select("telemetry", f"WHERE {newest}", (least, now_us, most + 1))
    ]
    if least <= _INJECTED:
        hits = file.select("faults", "WHERE time_us <= ? ORDER BY time_us DESC LIMIT ?", (now_us, most + 1))
        told += [_injected(Fault(*row)) for row in hits]
    told.sort(key=lambda one: -one["time_s"])
    return {
        "events": [_placed(one, satellites) for one in told[:most]],
        "next_s": _next_s(file, now_us, least),
        "more": len(told) > most,
    }


def _next_s(file: RecordFile, now_us: int, least: int) -> float | None:
    after = f"WHERE {_SEVERE} AND sent_us > ? ORDER BY sent_us LIMIT 1"
    times = [Telemetry(*row).sent_us for row in file.select("telemetry", after, (least, now_us))]
    if least <= _INJECTED:
        hits = file.select("faults", "WHERE time_us > ? ORDER BY time_us LIMIT 1", (now_us,))
        times += [Fault(*row).time_us for row in hits]
    return min(times) / 1e6 if times else None


def alarms(file: RecordFile, most: int) -> list[float]:
    """Times in s of the first `most` events of severity high."""
    rows = file.select("telemetry", f"WHERE {_SEVERE} ORDER BY sent_us LIMIT ?", (d.HIGH, most))
    return [Telemetry(*row).sent_us / 1e6 for row in rows]


def search(file: RecordFile, satellites: Sequence[int], text: str) -> list[dict[str, Any]]:
    """The first events of each kind whose name holds the text."""
    wanted = (number for number, (name, _) in _EVENTS.items() if text.lower() in name.lower())
    first = (
        f"WHERE name = 'event' AND json_extract(fields, '$.event') = ? ORDER BY sent_us LIMIT {_OF_A_KIND}"
    )
    told = [
        _placed(_told(Telemetry(*row)), satellites)
        for number in islice(wanted, _KINDS)
        for row in file.select("telemetry", first, (number,))
    ]
    return [
        {"kind": "event", "label": one["text"], "time_s": one["time_s"], "node": one["node"]} for one in told
    ]


def _placed(event: dict[str, Any], satellites: Sequence[int]) -> dict[str, Any]:
    board = event["board"]
    return {**event, "node": satellites[board] if 0 <= board < len(satellites) else -1}


def _told(packet: Telemetry) -> dict[str, Any]:
    fields = json.loads(str(packet.fields))
    return _event(packet.node, packet.sent_us, fields["severity"], words(fields["event"], fields["value"]))


def _injected(fault: Fault) -> dict[str, Any]:
    text = " ".join(filter(None, (fault.kind, fault.target and f"{fault.target}:", fault.detail))).rstrip(":")
    follows = fault.kind == "divergence" or (fault.kind == "board" and fault.target in ("off", "boot"))
    return _event(fault.node, fault.time_us, _INJECTED, text if follows else f"injected: {text}")


def _event(board: int, time_us: int, severity: int, text: str) -> dict[str, Any]:
    return {"board": board, "time_s": time_us / 1e6, "severity": severity, "text": text}


def words(number: int, value: int) -> str:
    """An event and its value as the dictionary has them, temperatures and shares in °C and %."""
    name, meaning = _EVENTS.get(number, (f"event {number}", "value"))
    if number == d.EV_MODE:
        return f"mode {_mode(value >> 8)} to {_mode(value & 0xFF)}"
    if number == d.EV_BOOT and 0 <= value < len(d.RESET_CAUSES):
        return f"boot: {d.RESET_CAUSES[value]}"
    if meaning.endswith(" cK"):
        return f"{name}: {meaning.removesuffix(' cK')} {value / 100 - KELVIN_AT_0_C:.1f} °C"
    if meaning.endswith(" 1/1000"):
        return f"{name}: {meaning.removesuffix(' 1/1000')} {value / 10:.1f} %"
    return f"{name}: {value} ({meaning})" if meaning else name


def _mode(number: int) -> str:
    return d.MODES[number] if 0 <= number < len(d.MODES) else str(number)
