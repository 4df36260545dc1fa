"""What can go wrong in one net: the changes of an operation, by name."""

from collections.abc import Iterator

from pyrtl import Const, LogicNet, WireVector, working_block

OPERATION_NAMES = {
    "&": "and",
    "|": "or",
    "^": "xor",
    "~": "not",
    "+": "plus",
    "-": "minus",
    "<": "less",
    ">": "greater",
    "=": "equal",
    "x": "select",
    "s": "slice",
    "c": "concat",
    "r": "register",
    "m": "read",
    "@": "write",
}
_SWAPS = {"&": "|", "|": "&", "^": "|", "+": "-", "-": "+"}
_WITH_CONSTANTS = "+-<>=x"


def changes(net: LogicNet) -> Iterator[str]:
    """Names of a net's possible changes, always in the same order."""
    if net.op in _SWAPS:
        yield f"is {OPERATION_NAMES[_SWAPS[net.op]]}"
    elif net.op == "~":
        yield "is lost"
    elif net.op in "<>":
        yield from ("takes equal too", "turned round")
    elif net.op == "=":
        yield "negated"
    elif net.op == "x":
        yield from ("turned round", "always the first", "always the second")
    elif net.op == "@":
        yield from ("never", "always")
    elif net.op == "r" and len(net.dests[0]) == 1:
        yield "negated"
    yield from _of_wiring(net)
    yield from _of_constants(net)


def _of_wiring(net: LogicNet) -> Iterator[str]:
    if net.op == "s":
        if len(net.op_param) > 1:
            yield "two bits swapped"
        if max(net.op_param) + 1 < len(net.args[0]):
            yield "a bit higher"
        if min(net.op_param) > 0:
            yield "a bit lower"
    elif net.op == "c" and _pairs(net):
        yield "two parts swapped"
    elif net.op == "m":
        yield "the next address"


def _of_constants(net: LogicNet) -> Iterator[str]:
    for place in _constants(net):
        yield f"argument {place} plus 1"
        if len(net.args[place]) > 1:
            yield f"argument {place} less 1"


def _constants(net: LogicNet) -> list[int]:
    if net.op not in _WITH_CONSTANTS:
        return []
    return [place for place, wire in enumerate(net.args) if isinstance(wire, Const)]


def _pairs(net: LogicNet) -> list[int]:
    """Places of parts as wide as the next one; none in a sign extension, whose parts are all alike."""
    parts = net.args
    if len(set(parts)) < len(parts):
        return []
    return [i for i in range(len(parts) - 1) if len(parts[i]) == len(parts[i + 1])]


def changed(net: LogicNet, change: str) -> WireVector:
    """What drives the net's destination after a change; of a memory's write its enable."""
    word, _, rest = change.partition(" ")
    if word == "argument":
        return _with_constant(net, *rest.split(" ", 1))
    if word == "is" and net.op != "~":
        return _driven(net, op=_SWAPS[net.op])
    return _CHANGES[net.op, change](net)


def _with_constant(net: LogicNet, place: str, change: str) -> WireVector:
    args, at = list(net.args), int(place)
    value = args[at].val + (1 if change == "plus 1" else -1)
    args[at] = Const(value % (1 << len(args[at])), len(args[at]))
    return _driven(net, args=args)


def _driven(
    net: LogicNet, op: str | None = None, args: list[WireVector] | None = None, param: object = None
) -> WireVector:
    """A wire that such a net drives, with another operation, other arguments or another parameter."""
    wire = WireVector(len(net.dests[0]))
    given = tuple(args if args is not None else net.args)
    working_block().add_net(LogicNet(op or net.op, net.op_param if param is None else param, given, (wire,)))
    return wire


def _swapped_bits(net: LogicNet) -> WireVector:
    first, second, *rest = net.op_param
    return _driven(net, param=(second, first, *rest))


def _shifted(net: LogicNet, by: int) -> WireVector:
    return _driven(net, param=tuple(bit + by for bit in net.op_param))


def _swapped_parts(net: LogicNet) -> WireVector:
    args, at = list(net.args), _pairs(net)[0]
    args[at], args[at + 1] = args[at + 1], args[at]
    return _driven(net, args=args)


def _next_address(net: LogicNet) -> WireVector:
    (address,) = net.args
    return _driven(net, args=[(address + 1)[: len(address)]])


def _with_condition(net: LogicNet, condition: WireVector) -> WireVector:
    return _driven(net, args=[condition, *net.args[1:]])


_CHANGES = {
    ("~", "is lost"): lambda net: net.args[0],
    ("<", "takes equal too"): lambda net: ~(net.args[1] < net.args[0]),
    (">", "takes equal too"): lambda net: ~(net.args[1] > net.args[0]),
    ("<", "turned round"): lambda net: net.args[1] < net.args[0],
    (">", "turned round"): lambda net: net.args[1] > net.args[0],
    ("=", "negated"): lambda net: ~_driven(net),
    ("x", "turned round"): lambda net: _with_condition(net, ~net.args[0]),
    # PyRTL's order is condition, value when false, value when true.
    ("x", "always the first"): lambda net: net.args[2],
    ("x", "always the second"): lambda net: net.args[1],
    ("@", "never"): lambda net: Const(0, 1),
    ("@", "always"): lambda net: Const(1, 1),
    ("r", "negated"): lambda net: ~net.args[0],
    ("s", "two bits swapped"): _swapped_bits,
    ("s", "a bit higher"): lambda net: _shifted(net, 1),
    ("s", "a bit lower"): lambda net: _shifted(net, -1),
    ("c", "two parts swapped"): _swapped_parts,
    ("m", "the next address"): _next_address,
}
