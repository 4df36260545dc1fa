"""Types of XTCE: the same for parameters, which come down, and arguments, which go up."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from ascnode.ground.units import Unit


def name_of(*parts: str) -> str:
    """A name that XTCE takes: no spaces, dots or slashes."""
    return "_".join(part.replace(" ", "_") for part in parts)


def described(text: str) -> dict[str, str]:
    """The attribute that says so, if there is something to say."""
    return {"shortDescription": text} if text else {}


def add_integer(
    types: Element,
    kind: str,
    name: str,
    bits: int,
    signed: bool = False,
    unit: Unit | None = None,
    valid: tuple[int, int] | None = None,
) -> Element:
    """An integer type, calibrated to `unit` where that has a scale; `valid` is a range of the number as sent."""
    unit = unit or Unit()
    found = SubElement(types, kind, {"name": name, "signed": str(signed).lower()})
    _units(found, unit)
    encoding = _encoding(found, bits, signed)
    if unit.scale != 1:
        polynomial = SubElement(SubElement(encoding, "DefaultCalibrator"), "PolynomialCalibrator")
        SubElement(polynomial, "Term", {"coefficient": f"{unit.scale:.9g}", "exponent": "1"})
    if valid:
        _valid_range(found, *valid)
    return found


def _units(found: Element, unit: Unit) -> None:
    units = SubElement(found, "UnitSet")
    if unit.unit:
        SubElement(units, "Unit").text = unit.unit


def _encoding(found: Element, bits: int, signed: bool) -> Element:
    form = "twosComplement" if signed else "unsigned"
    return SubElement(found, "IntegerDataEncoding", {"sizeInBits": str(bits), "encoding": form})


def _valid_range(found: Element, low: int, high: int) -> None:
    edges = {"minInclusive": str(low), "maxInclusive": str(high)}
    if found.tag == "IntegerArgumentType":
        found = SubElement(found, "ValidRangeSet", {"validRangeAppliesToCalibrated": "false"})
        SubElement(found, "ValidRange", edges)
    else:
        SubElement(found, "ValidRange", {**edges, "validRangeAppliesToCalibrated": "false"})


def add_labels(types: Element, kind: str, name: str, bits: int, labels: Mapping[int, str]) -> Element:
    """An enumerated type."""
    found = SubElement(types, kind, {"name": name})
    SubElement(found, "UnitSet")
    _encoding(found, bits, signed=False)
    names = SubElement(found, "EnumerationList")
    for value, label in labels.items():
        SubElement(names, "Enumeration", {"value": str(value), "label": label})
    return found


def add_bytes(types: Element, kind: str, name: str, count: int) -> Element:
    """So many bytes."""
    size = _binary(types, kind, name)
    SubElement(size, "FixedValue").text = str(8 * count)
    return size


def add_rest(types: Element, kind: str, name: str, by: str, slope: int, intercept: int) -> Element:
    """Bytes whose number of bits follows from another value: slope x value + intercept.

    `kind` is Parameter or Argument, `by` the name of another one of that kind.
    """
    dynamic = SubElement(_binary(types, f"Binary{kind}Type", name), "DynamicValue")
    attribute = "parameterRef" if kind == "Parameter" else "argumentRef"
    SubElement(dynamic, f"{kind}InstanceRef", {attribute: by})
    linear = {"intercept": str(intercept), "slope": str(slope)}
    SubElement(dynamic, "LinearAdjustment", linear)
    return dynamic


def _binary(types: Element, kind: str, name: str) -> Element:
    found = SubElement(types, kind, {"name": name})
    SubElement(found, "UnitSet")
    return SubElement(SubElement(found, "BinaryDataEncoding"), "SizeInBits")
