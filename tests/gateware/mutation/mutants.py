"""Seeded faults in a PyRTL block: changed nets, each switched on by a number at one input.

So one Verilog text carries every mutant, and one build runs them all.
"""

import math
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyrtl import Block, Const, Input, LogicNet, WireVector, select

from gateware.mutation.changes import OPERATION_NAMES, changed, changes


@dataclass(frozen=True)
class Mutant:
    """`feeds`: the first register or memory behind the net, after whose prefix the `unit` is called; `source`: the
    line that made the net; `place`: the net's operation, and its number among such in the unit."""

    number: int
    unit: str
    feeds: str
    source: str
    place: str
    change: str

    def __str__(self) -> str:
        return f"mutant {self.number}: {self.source}: {self.place} of {self.unit}, towards {self.feeds}: {self.change}"


@dataclass(frozen=True)
class _Site:
    net: LogicNet
    unit: str
    feeds: str
    source: str
    place: str
    changes: tuple[str, ...]


def plant(block: Block, count: int, seed: int, units: Callable[[str], bool]) -> list[Mutant]:
    """Makes `count` mutants in the working block `block`, whose new input `mutant` chooses one by number, 0 none.

    `units` tells which units may change. Each in turn gets some of them, a big one more: about the root of its nets.
    """
    chosen = _draw([site for site in _sites(block) if units(site.unit)], count, random.Random(seed))
    selector = Input(count.bit_length(), "mutant", block)
    mutants = []
    for number, (site, change) in enumerate(chosen, start=1):
        _replace(block, site.net, change, selector == number)
        mutants.append(Mutant(number, site.unit, site.feeds, site.source, site.place, change))
    return mutants


def _draw(sites: list[_Site], count: int, rng: random.Random) -> list[tuple[_Site, str]]:
    """A net is changed in one way at most."""
    units: dict[str, list[_Site]] = defaultdict(list)
    for site in sites:
        units[site.unit].append(site)
    for members in units.values():
        rng.shuffle(members)
    chosen: list[tuple[_Site, str]] = []
    turns = {name: math.isqrt(len(members)) // _SLOWNESS + 1 for name, members in units.items()}
    while len(chosen) < count and any(units.values()):
        for name in sorted(units):
            for _ in range(turns[name]):
                if units[name] and len(chosen) < count:
                    site = units[name].pop()
                    chosen.append((site, rng.choice(site.changes)))
    return chosen


_SLOWNESS = 5  # a unit of 100 nets has three in a round, of 400 five, the smallest one


def _sites(block: Block) -> Iterator[_Site]:
    nets = sorted(block.logic, key=_order)
    readers: dict[WireVector, list[LogicNet]] = defaultdict(list)
    for net in nets:
        for wire in net.args:
            readers[wire].append(net)
    count: dict[tuple[str, str], int] = defaultdict(int)
    fixed = _constants(nets)
    for net in nets:
        feeds, possible = _fed(net, readers), tuple(changes(net))
        if feeds is None or not possible or _decided(net, fixed):
            continue
        unit = feeds.split("_")[0].rstrip("0123456789")
        count[unit, net.op] += 1
        yield _Site(
            net, unit, feeds, _source(net), f"{OPERATION_NAMES[net.op]} {count[unit, net.op]}", possible
        )


def _constants(nets: list[LogicNet]) -> set[WireVector]:
    """Wires that follow from constants alone."""
    fixed = {wire for net in nets for wire in net.args if isinstance(wire, Const)}
    before = -1
    while before != len(fixed):
        before = len(fixed)
        fixed.update(net.dests[0] for net in nets if net.op not in "rm@" and fixed.issuperset(net.args))
    return fixed


def _decided(net: LogicNet, fixed: set[WireVector]) -> bool:
    """Constants decide what it does, so that it is not there once they are folded."""
    return fixed.issuperset(net.args[:1] if net.op == "x" else net.args)


def _order(net: LogicNet) -> tuple[int, str, str]:
    """As they were made: PyRTL numbers the wires that have no name."""
    name = net.dests[0].name if net.dests else net.op_param[1].name
    number = re.match(r"tmp(\d+)", name)
    enable = net.args[2].name if net.op == "@" else ""
    return (int(number[1]), "", "") if number else (-1, name, enable)


def _source(net: LogicNet) -> str:
    """File and text of the line that made a net, not in cells.py; PyRTL knows in its debug mode."""
    wire = net.dests[0] if net.dests else net.args[2]
    frames = [_FRAME.search(frame) for frame in getattr(wire, "init_call_stack", [])]
    known = [frame for frame in frames if frame and frame[1] != "cells"]
    return f"{known[-1][1]}.py `{known[-1][2]}`" if known else "?"


_FRAME = re.compile(r"/ascnode_gateware/\w+/(\w+)\.py\".*\n\s*(.*)")


def _fed(net: LogicNet, readers: dict[WireVector, list[LogicNet]]) -> str | None:
    """The nearest register or memory behind a net; None when it only reaches outputs."""
    level, seen = [net], set()
    while level:
        found = sorted(name for name in map(_state, level) if name is not None)
        if found:
            return found[0]
        wires = {wire for net in level for wire in net.dests} - seen
        seen |= wires
        level = [reader for wire in wires for reader in readers[wire]]
    return None


def _state(net: LogicNet) -> str | None:
    if net.op in "@m":
        return str(net.op_param[1].name)
    return str(net.dests[0].name) if net.op == "r" else None


def _replace(block: Block, net: LogicNet, change: str, on: WireVector) -> None:
    block.logic.remove(net)
    if (
        net.op in "@r"
    ):  # what becomes of its last argument is changed: a memory's enable, a register's next value
        *others, last = net.args
        chosen = select(on, changed(net, change), last)
        block.add_net(LogicNet(net.op, net.op_param, (*others, chosen), net.dests))
        return
    right = WireVector(len(net.dests[0]))
    block.add_net(LogicNet(net.op, net.op_param, net.args, (right,)))
    block.add_net(LogicNet("w", None, (select(on, changed(net, change), right),), net.dests))
