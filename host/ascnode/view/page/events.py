"""What boards reported and what was injected into them, in words."""

import json
from typing import Any

from ascnode.view.page.rows import Rows
from ascnode_fw.wire import dictionary as d

_EVENTS = {number: (name, meaning) for number, name, _, meaning in d.EVENTS}
# What was injected stands among what boards say of themselves.
_INJECTED = d.MEDIUM
_ALL = f"""
SELECT sent_us AS at_us, satellite, json_extract(fields, '$.severity') AS severity, fields, '' AS kind
FROM telemetry JOIN boards USING (node) WHERE telemetry.name = 'event'
UNION ALL
SELECT time_us, satellite, {_INJECTED}, detail, faults.kind || ' ' || target FROM faults JOIN boards USING (node)
"""


def until(rows: Rows, until_s: float, least: int, most: int) -> dict[str, Any]:
    """The newest `most` events up to a time, newest first; the time of the next one; how many there are up to then."""
    now_us = int(until_s * 1e6)
    wanted = f"FROM ({_ALL}) WHERE severity >= ?"
    found = rows.all("telemetry", f"SELECT * {wanted} AND at_us <= ? ORDER BY at_us DESC LIMIT ?", least, now_us, most)
    counted = rows.one("telemetry", f"SELECT count(*) {wanted} AND at_us <= ?", least, now_us)
    following = rows.one("telemetry", f"SELECT min(at_us) {wanted} AND at_us > ?", least, now_us)
    return {
        "events": [_event(*row) for row in found],
        "next_s": following[0] / 1e6 if following and following[0] is not None else None,
        "total": counted[0] if counted else 0,
    }


def alarms(rows: Rows, most: int) -> list[float]:
    """Times in s of the first `most` events of severity high."""
    found = rows.all("telemetry", f"SELECT at_us FROM ({_ALL}) WHERE severity >= ? ORDER BY at_us LIMIT ?", d.HIGH, most)
    return [at_us / 1e6 for (at_us,) in found]


def search(rows: Rows, text: str) -> list[dict[str, Any]]:
    """The first events of each kind whose words hold the text."""
    wanted = [number for number, (name, _) in _EVENTS.items() if text.lower() in name.lower()]
    found: list[dict[str, Any]] = []
    for number in wanted[:4]:
        rows_of_kind = rows.all(
            "telemetry",
            f"SELECT * FROM ({_ALL}) WHERE kind = '' AND json_extract(fields, '$.event') = ? ORDER BY at_us LIMIT 3",
            number,
        )
        found += [{"kind": "event", "label": event["text"], **_place(event)} for event in (_event(*r) for r in rows_of_kind)]
    return found


def _place(event: dict[str, Any]) -> dict[str, Any]:
    return {"time_s": event["time_s"], "node": event["node"]}


def _event(at_us: int, satellite: int, severity: int, said: str, kind: str) -> dict[str, Any]:
    text = f"injected: {kind}: {said}" if kind else _words(json.loads(said))
    return {"time_s": at_us / 1e6, "node": satellite, "severity": severity, "text": text}


def _words(fields: dict[str, int]) -> str:
    number, value = fields["event"], fields["value"]
    name, meaning = _EVENTS.get(number, (f"event {number}", "value"))
    if number == d.EV_MODE:
        return f"mode {_mode(value >> 8)} to {_mode(value & 0xFF)}"
    if number == d.EV_BOOT and 0 <= value < len(d.RESET_CAUSES):
        return f"boot: {d.RESET_CAUSES[value]}"
    if meaning.endswith("cK"):
        return f"{name}: {meaning.removesuffix(' cK')} {value / 100 - 273.15:.1f} °C"
    if meaning.endswith("1/1000"):
        return f"{name}: {meaning.removesuffix(' 1/1000')} {value / 10:.1f} %"
    return f"{name}: {value} ({meaning})" if meaning else name


def _mode(number: int) -> str:
    return d.MODES[number] if 0 <= number < len(d.MODES) else str(number)
