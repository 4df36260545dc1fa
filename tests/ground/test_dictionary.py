"""The exports say what the dictionary says, in forms that others read."""

import csv
import struct
from io import StringIO
from pathlib import Path

import pytest
import space_packet_parser
from lxml import etree
from space_packet_parser.xtce.validation import validate_xtce
from typer.testing import CliRunner

from ascnode.cli.main import app
from ascnode.ground.layout import commands, telemetry
from ascnode.ground.limits import concern
from ascnode.ground.tables import csv_table, markdown
from ascnode.ground.units import Unit, parse_unit
from ascnode.ground.xtce import xtce
from ascnode_fw.wire import dictionary as d

XSD = Path(space_packet_parser.__file__).parent / "xtce" / "schemas" / "SpaceSystem.xsd"  # OMG's
NS = {"x": "http://www.omg.org/spec/XTCE/20180204"}
DOCS = Path(__file__).parents[2] / "docs"


def tree() -> etree._Element:
    return etree.fromstring(xtce().encode())


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(csv_table())))


def test_the_xtce_is_valid_against_omgs_schema(tmp_path: Path) -> None:
    path = tmp_path / "ascnode.xml"
    path.write_text(xtce(2, "2026-03-20T12:00:00Z"), encoding="utf-8")
    result = validate_xtce(
        path, level="schema", local_xsd=XSD, allow_schema_download=False, print_results=False
    )
    assert result.valid, str(result)


@pytest.mark.parametrize("section", ["TelemetryMetaData", "CommandMetaData"])
def test_every_reference_in_the_xtce_leads_somewhere(section: str) -> None:
    found = tree().find(f"x:{section}", NS)
    assert found is not None
    for element in found.iter():
        for attribute, where in (
            ("parameterTypeRef", "//x:ParameterTypeSet/*"),
            ("parameterRef", "//x:Parameter"),
            ("argumentTypeRef", "//x:ArgumentTypeSet/*"),
            ("metaCommandRef", "//x:MetaCommand"),
        ):
            name = element.get(attribute)
            if name is not None:
                assert len(found.xpath(f"{where}[@name=$name]", namespaces=NS, name=name)) == 1, name
    for command in found.iterfind(".//x:MetaCommand", NS):
        known = set(found.xpath("//x:MetaCommand[@name='telecommand']//x:Argument/@name", namespaces=NS)) | {
            one.get("name") for one in command.iterfind(".//x:Argument", NS)
        }
        for entry in command.iterfind(".//x:ArgumentRefEntry", NS):
            assert entry.get("argumentRef") in known


def test_the_xtce_has_every_packet_event_command_and_parameter() -> None:
    root = tree()
    containers = set(root.xpath("//x:SequenceContainer/@name", namespaces=NS))
    assert {row[1] for row in d.TELEMETRY} <= containers
    assert {f"parameter_{row[1]}" for row in d.PARAMETERS} <= containers
    named = root.xpath(
        "//x:EnumeratedParameterType[@name='event_event_type']//x:Enumeration/@label", namespaces=NS
    )
    assert named == [row[1] for row in d.EVENTS]
    meta = set(root.xpath("//x:MetaCommand/@name", namespaces=NS))
    assert {row[1] for row in d.COMMANDS} | {f"set_{row[1]}" for row in d.PARAMETERS} < meta


def test_the_xtce_alarms_are_the_thresholds_that_the_node_acts_on() -> None:
    charge = tree().find(".//x:IntegerParameterType[@name='housekeeping_charge_type']", NS)
    assert charge is not None
    edges = {one.tag.split("}")[1]: dict(one.attrib) for one in charge.find(".//x:StaticAlarmRanges", NS)}
    # charge_low 450/1000 and charge_safe 150/1000, in the calibrated unit
    assert edges == {"WarningRange": {"minInclusive": "45"}, "CriticalRange": {"minInclusive": "15"}}
    assert charge.findtext(".//x:Unit", namespaces=NS) == "%"
    heat = tree().find(".//x:IntegerParameterType[@name='housekeeping_accelerator_type']", NS)
    assert heat is not None
    edges = {one.tag.split("}")[1]: dict(one.attrib) for one in heat.find(".//x:StaticAlarmRanges", NS)}
    assert edges["CriticalRange"] == {"maxInclusive": "368.15"}  # 95 C


def test_a_value_on_a_limit_is_normal_and_beyond_it_is_not() -> None:
    assert [concern("housekeeping", "charge", value) for value in (451, 450, 449, 150, 149)] == [
        *("normal", "normal", "warning", "warning", "critical")
    ]
    assert [concern("housekeeping", "accelerator", value) for value in (35615, 35616, 36815, 36816)] == [
        *("normal", "watch", "watch", "critical")
    ]


def test_the_csv_gives_every_field_its_place() -> None:
    for table, kinds, head in (("telemetry", d.TELEMETRY, ">HHHIHB"), ("telecommand", d.COMMANDS, ">HHHHIB")):
        for number, name, form, fields, _ in kinds:
            mine = [
                row for row in rows() if (row["table"], row["id"]) == (table, str(number)) and row["bits"]
            ]
            assert [row["field"] for row in mine] == [field for field, _ in fields], name
            at = struct.calcsize(head)
            for row in mine:
                assert int(row["offset_bytes"]) == at
                at += int(row["bits"]) // 8
            assert at - struct.calcsize(head) == struct.calcsize(form)


def test_the_csv_has_the_limits_of_every_parameter() -> None:
    mine = [row for row in rows() if row["table"] == "parameter"]
    told = [(int(r["id"]), r["name"], int(r["default"]), int(r["low"]), int(r["high"])) for r in mine]
    assert told == [row[:5] for row in d.PARAMETERS]


def test_the_markdown_in_the_docs_is_the_export() -> None:
    written = (DOCS / "dictionary.md").read_text(encoding="utf-8")
    assert written == markdown(), "run ascnode dictionary export --md -o docs/dictionary.md"


@pytest.mark.parametrize(
    ("text", "k", "unit"),
    [
        ("", 0, Unit()),
        ("cK", 0, Unit("cK", "K", 0.01)),
        ("1/1000", 0, Unit("1/1000", "%", 0.1)),
        ("pw", 3, Unit("pw", "W", 0.008)),
        ("pw, 0 is none", 0, Unit("pw", "W", 0.001, "0 is none")),
        ("pw/K/s", 0, Unit("pw/K/s", "W/K/s", 0.001)),
        ("2^k mJ", 2, Unit("2^k mJ", "mJ", 4.0)),
        ("1000 cycles", 0, Unit("1000 cycles", "cycles", 1000.0)),
        ("0 first", 0, Unit(note="0 first")),
        ("of a trial", 0, Unit(note="of a trial")),
        ("uJ/B at 2^k", 0, Unit(note="uJ/B at 2^k")),
        ("0 contacts, 1 eclipses", 0, Unit(labels={0: "contacts", 1: "eclipses"})),
    ],
)
def test_units_are_taken_apart(text: str, k: int, unit: Unit) -> None:
    assert parse_unit(text, k) == unit


def test_every_struct_format_of_the_dictionary_is_understood() -> None:
    for layouts, table in ((telemetry(), d.TELEMETRY), (commands(), d.COMMANDS)):
        for layout, row in zip(layouts, table, strict=True):
            assert layout.size == struct.calcsize(row[2])


@pytest.mark.parametrize("arguments", [[], ["--csv", "--md"]])
def test_the_command_takes_one_form(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["dictionary", "export", *arguments])
    assert result.exit_code == 1
    assert str(result.exception) == "name one form: --xtce, --csv or --md"


def test_the_command_writes_to_standard_output_or_a_file(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["dictionary", "export", "--csv"]).output
    assert printed == csv_table()
    epoch = ["--epoch", "2026-03-20T13:00:00+01:00", "-o", str(tmp_path / "a.xml")]
    assert CliRunner().invoke(app, ["dictionary", "export", "--xtce", *epoch]).exit_code == 0
    assert (tmp_path / "a.xml").read_text() == xtce(0, "2026-03-20T12:00:00Z")
