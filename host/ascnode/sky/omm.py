"""Orbit mean-elements messages (CCSDS 502.0-B-3) in the four ways they are written: CSV, JSON, XML and KVN."""

import csv
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from sgp4 import omm
from sgp4.api import Satrec

from ascnode.errors import ScenarioError

# What some writers leave out; none of it moves a satellite.
_DEFAULTS = {
    "CLASSIFICATION_TYPE": "U",
    "OBJECT_ID": "",
    "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "0",
    "REV_AT_EPOCH": "0",
    "MEAN_MOTION_DOT": "0",
    "MEAN_MOTION_DDOT": "0",
    "NORAD_CAT_ID": "0",
}
# EPHEMERIS_TYPE as in TLEs: 4 is SGP4-XP, whose elements SGP4 must not fly.
_SGP4_XP = "4"


def is_omm(text: str) -> bool:
    """Whether the text is one of the four, by how it begins."""
    first = text.lstrip("\ufeff \t\r\n")[:4096]
    return first[:1] in ("{", "[", "<") or "CCSDS_OMM_VERS" in first or "MEAN_MOTION" in first.split("\n")[0]


def parse_omm(text: str) -> tuple[list[str], list[Satrec]]:
    """Names and records, in order. Raises ScenarioError with the line, or the record that is wrong."""
    names: list[str] = []
    records: list[Satrec] = []
    for where, fields in _messages(text.lstrip("\ufeff \t\r\n")):
        records.append(_record(where, fields))
        names.append(str(fields.get("OBJECT_NAME") or records[-1].satnum))
    if not records:
        raise ScenarioError("no element set is in it")
    return names, records


def _messages(text: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each message's fields, and where it is in the file."""
    if text[:1] in ("{", "["):
        return _numbered(_json(text))
    if text[:1] == "<":
        return _numbered(_xml(text))
    if "MEAN_MOTION" in text.split("\n")[0]:
        rows = csv.DictReader(StringIO(text))
        return ((f"line {rows.line_num}", row) for row in rows)
    return _numbered(_key_values(text))


def _numbered(messages: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((f"record {n}", message) for n, message in enumerate(messages, 1))


def _json(text: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as e:
        raise ScenarioError(f"not JSON: {e}") from None
    messages = found if isinstance(found, list) else [found]
    if not all(isinstance(message, dict) for message in messages):
        raise ScenarioError("it is JSON, but no list of element sets")
    return messages


def _xml(text: str) -> list[Mapping[str, Any]]:
    try:
        return list(omm.parse_xml(StringIO(text)))
    except ET.ParseError as e:
        raise ScenarioError(f"not XML: {e}") from None
    except (AttributeError, TypeError):  # a segment without one of its parts
        raise ScenarioError("it is XML, but no orbit mean-elements message") from None


def _key_values(text: str) -> Iterator[Mapping[str, Any]]:
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "CCSDS_OMM_VERS" and fields:
            yield fields
            fields = {}
        fields[key] = value.split(" [")[0]
    yield fields


def _record(where: str, fields: Mapping[str, Any]) -> Satrec:
    given = {key: str(value) for key, value in fields.items() if key and value not in (None, "")}
    try:
        values = {**_DEFAULTS, **given, "EPOCH": _epoch(given["EPOCH"])}
        if values["EPHEMERIS_TYPE"] == _SGP4_XP:
            raise ScenarioError(f"{where}: its elements are for SGP4-XP, which SGP4 cannot fly")
        record = Satrec()
        omm.initialize(record, values)
    except KeyError as e:
        raise ScenarioError(f"{where}: {e.args[0]} is missing") from None
    except (ValueError, OverflowError) as e:
        raise ScenarioError(f"{where}: {e}") from None
    return record


def _epoch(text: str) -> str:
    """As the library reads it: no zone, and microseconds always."""
    time = datetime.fromisoformat(text)
    return (time.astimezone(UTC) if time.tzinfo else time).strftime("%Y-%m-%dT%H:%M:%S.%f")
