"""What must hold of the banks' arbiter, said from outside: by ports and by what reaches the memories."""

from functools import reduce
from operator import and_, or_

from pyrtl import Input, WireVector, select, working_block

from ascnode_gateware.rtl.memory import BANKS, Grants, Port, banks
from ascnode_gateware.synth.formal import after_reset, before, claim


def arbiter() -> None:
    """All users ask for what they like."""
    _, started = after_reset(2)
    host, fill, drain = (_port(name, writes=True) for name in ("host", "fill", "drain"))
    urgent, wants = Input(1, "urgent"), Input(1, "fetch_wants")
    asks = wants & (~urgent | Input(1, "fetch_asks"))  # `wants` is what it asks for when no pixel is urgent
    fetch, pixel = _port("fetch", asks), _port("pixel")
    grants = banks(host, fill, drain, fetch, pixel, wants, urgent)
    slow = {"host": (host, host.request), "fill": (fill, grants.fill), "drain": (drain, grants.drain)}
    fast = {"fetch": (fetch, grants.fetch), "pixel": (pixel, grants.pixel)}
    claims = [
        *_only_when_asked({**slow, **fast}),
        _at_most_one([granted for _, granted in slow.values()]),
        *(_bank_obeys(b, slow, fast) for b in range(BANKS)),
        *_words_arrive(slow, fast, grants),
        *_in_turn(fetch, pixel, grants, urgent),
    ]
    claim(~started | _all(claims))


User = tuple[Port, WireVector]


def _port(name: str, request: WireVector | None = None, *, writes: bool = False) -> Port:
    request = Input(1, f"{name}_request") if request is None else request
    written = (Input(1, f"{name}_write"), Input(32, f"{name}_data")) if writes else ()
    return Port(request, Input(15, f"{name}_address"), *written)


def _only_when_asked(users: dict[str, User]) -> list[WireVector]:
    """And the host always."""
    return [~granted | port.request for port, granted in users.values()]


def _bank_obeys(bank: int, slow: dict[str, User], fast: dict[str, User]) -> WireVector:
    """One access at most: of those granted a cycle ago, or now; the memory sees just its address, write and data."""
    address, data, enable = _memory_write(f"bank{bank}")
    read_address = _memory_read(f"bank{bank}")
    uses, rights = [], []
    for port, granted in slow.values():
        use = before(granted & (port.address[14] == bank))
        late = [before(wire) for wire in (port.address, port.write, port.data)]
        uses.append(use)
        rights.append(
            ~use | ((address == late[0][:14]) & (enable == late[1]) & (~enable | (data == late[2])))
        )
    for port, granted in fast.values():
        use = granted & (port.address[14] == bank)
        uses.append(use)
        rights.append(~use | ((read_address == port.address[:14]) & ~enable))
    return _at_most_one(uses) & _all(rights) & (~enable | reduce(or_, uses))


def _words_arrive(slow: dict[str, User], fast: dict[str, User], grants: Grants) -> list[WireVector]:
    """The word that was read in a bank is on the reader's wire a cycle after the access."""
    claims = []
    for name, out in (("fetch", grants.word), ("pixel", grants.pixel_word)):
        port, granted = fast[name]
        claims.append(_word_is(out, before(granted), before(port.address[14])))
    for name in ("host", "drain"):
        port, granted = slow[name]
        reads, bank = before(granted & ~port.write, 2), before(port.address[14], 2)
        claims.append(_word_is(grants.word, reads, bank))
    return claims


def _word_is(word: WireVector, valid: WireVector, bank: WireVector) -> WireVector:
    q = [working_block().get_wirevector_by_name(f"bank{b}_q") for b in range(BANKS)]
    return ~valid | (word == select(bank, q[1], q[0]))


def _in_turn(fetch: Port, pixel: Port, grants: Grants, urgent: WireVector) -> list[WireVector]:
    """Where only the other asks for the bank, or comes later in the order, the grant is sure."""
    same = fetch.address[14] == pixel.address[14]
    before_fetch = pixel.request & urgent & grants.pixel_free & same
    return [
        grants.fetch == (fetch.request & grants.fetch_free & ~before_fetch),
        ~(pixel.request & urgent & grants.pixel_free) | grants.pixel,
        ~(pixel.request & grants.pixel_free & ~same) | grants.pixel,
        ~(fetch.request & grants.fetch_free & ~urgent) | grants.fetch,
    ]


def _memory_write(name: str) -> tuple[WireVector, WireVector, WireVector]:
    (net,) = [net for net in working_block().logic_subset("@") if net.op_param[1].name == name]
    address, data, enable = net.args
    return address, data, enable


def _memory_read(name: str) -> WireVector:
    (net,) = [net for net in working_block().logic_subset("m") if net.op_param[1].name == name]
    return net.args[0]


def _at_most_one(bits: list[WireVector]) -> WireVector:
    pairs = [bits[i] & bits[j] for i in range(len(bits)) for j in range(i)]
    return ~reduce(or_, pairs)


def _all(claims: list[WireVector]) -> WireVector:
    return reduce(and_, claims)
