"""As much Verilog as it takes to join generated modules: their ports, and instances of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ascnode_gateware.synth.process import GatewareError

_PORT = re.compile(r"\b(input|output|inout)\s+(?:wire\s+|reg\s+)?(?:\[\s*(\d+)\s*:\s*0\s*\]\s*)?(\w+)")


@dataclass(frozen=True)
class ModulePort:
    """A port: direction "input", "output" or "inout", name, width in bits."""

    direction: str
    name: str
    width: int


def module_ports(verilog: str, module: str) -> list[ModulePort]:
    """Ports of a module whose declarations name one port each, as PyRTL writes them."""
    found = re.search(rf"\bmodule\s+{module}\b(.*?)\bendmodule\b", verilog, re.DOTALL)
    if found is None:
        raise GatewareError(f"the Verilog has no module {module}")
    # PyRTL writes `input[15:0] x` with no blank before the bracket.
    text = re.sub(r"\b(input|output|inout)\[", r"\1 [", re.sub(r"//[^\n]*", "", found[1]))
    return [ModulePort(way, name, int(high or 0) + 1) for way, high, name in _PORT.findall(text)]


def port_declarations(ports: Iterable[ModulePort]) -> str:
    """The inside of a module's header, a port a line."""
    return ",\n".join(f"  {port.direction} {_range(port.width)}{port.name}" for port in ports)


def wire_declarations(ports: Iterable[ModulePort]) -> str:
    """A wire for each port, of its name."""
    return "\n".join(f"  wire {_range(port.width)}{port.name};" for port in ports)


def instance(
    module: str, name: str, ports: Iterable[ModulePort], nets: Mapping[str, str] = MappingProxyType({})
) -> str:
    """An instance whose ports go to the nets of their own names, or to those that `nets` tells."""
    connections = ", ".join(f".{port.name}({nets.get(port.name, port.name)})" for port in ports)
    return f"  {module} {name}({connections});"


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
