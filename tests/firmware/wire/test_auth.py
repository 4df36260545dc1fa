"""Authentication: RFC 4231 vectors, and every way a telecommand can be wrong."""

import hashlib
import hmac

import pytest

from ascnode_fw.wire import auth, packet
from ascnode_fw.wire.auth import ReplayCounter, Signer, Verifier, same, seal, sign
from ascnode_fw.wire.packet import pack_tc
from firmware.wire.dict_store import DictStore

KEY = bytes(range(0x30, 0x50))
OTHER_KEY = bytes(range(0x31, 0x51))
INDEX = 0xBEEF

# RFC 4231 sections 4.2 to 4.8: key, data, HMAC-SHA-256. Case 5 is given truncated to 128 bits.
RFC_4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)


def verifier(**counter_options: int) -> Verifier:
    return Verifier({INDEX: KEY}, {INDEX: ReplayCounter(DictStore(), "counter", **counter_options)})


def telecommand(sequence: int, key: bytes = KEY, index: int = INDEX) -> memoryview:
    out = bytearray(64)
    view = memoryview(out)[: pack_tc(out, 0x2A5, 0x1234, index, sequence, 0x9A, b"\xc0\xff\xee\x01")]
    seal(key, view)
    return view


def refused(verifier: Verifier) -> dict[int, int]:
    return {code: count for code, count in enumerate(verifier.refusals) if count}


@pytest.mark.parametrize(("key", "message", "digest"), RFC_4231)
def test_hmac_agrees_with_rfc_4231(key: bytes, message: bytes, digest: str) -> None:
    assert Signer(key).digest(message).hex().startswith(digest)
    assert sign(key, memoryview(message)).hex() == digest[:32]


def test_hmac_agrees_with_the_standard_library_at_every_key_length() -> None:
    for size in range(1, 70):
        key = bytes(index * 7 + size & 255 for index in range(size))
        assert Signer(key).digest(b"\x12\x34\x56") == hmac.digest(key, b"\x12\x34\x56", hashlib.sha256)


def test_a_sealed_telecommand_has_the_golden_mac() -> None:
    # Python's own hmac over the packet that `spacepackets` wrote.
    assert telecommand(0x12345678)[17:].hex() == "cd07dc0e86f210728557ecaa0a3ac09d"


def test_bytes_are_compared_whole() -> None:
    assert same(b"\x12\x34", memoryview(b"\x12\x34"))
    assert not same(b"\x12\x34", b"\x12\x35")
    assert not same(b"\x12\x34", b"\x13\x34")
    assert not same(b"\x12\x34", b"\x12")


def test_a_signed_command_passes_once() -> None:
    gate = verifier()
    assert gate.check(telecommand(1)) == auth.OK
    assert gate.telecommand is not None
    assert gate.telecommand.command == 0x9A
    assert gate.check(telecommand(1)) == auth.REPLAYED
    assert gate.check(telecommand(2)) == auth.OK
    assert (gate.accepted, refused(gate)) == (2, {auth.REPLAYED: 1})


def test_every_flipped_bit_of_a_command_is_refused_and_counted() -> None:
    gate = verifier()
    good = telecommand(5)
    for bit in range(8 * len(good)):
        forged = bytearray(good)
        forged[bit // 8] ^= 1 << bit % 8
        assert gate.check(memoryview(forged)) != auth.OK
    assert (gate.accepted, sum(gate.refusals)) == (0, 8 * len(good))
    assert refused(gate) == {
        packet.BAD_VERSION: 3,
        packet.WRONG_TYPE: 1,
        packet.NO_SECONDARY_HEADER: 1,
        packet.SEGMENTED: 2,
        packet.LENGTH_MISMATCH: 16,
        auth.UNKNOWN_KEY: 16,
        auth.BAD_MAC: 8 * len(good) - 39,
    }
    assert gate.check(good) == auth.OK


def test_every_truncation_of_a_command_is_refused_and_counted() -> None:
    gate = verifier()
    good = telecommand(5)
    for size in range(len(good)):
        assert gate.check(good[:size]) in (packet.SHORT, packet.LENGTH_MISMATCH)
    assert refused(gate) == {packet.SHORT: 29, packet.LENGTH_MISMATCH: 4}


def test_another_key_and_an_unknown_index_are_refused() -> None:
    gate = verifier()
    assert gate.check(telecommand(1, key=OTHER_KEY)) == auth.BAD_MAC
    assert gate.check(telecommand(1, index=INDEX + 1)) == auth.UNKNOWN_KEY
    assert refused(gate) == {auth.BAD_MAC: 1, auth.UNKNOWN_KEY: 1}


def test_a_forged_command_moves_no_counter() -> None:
    gate = verifier()
    for sequence in (1, 4000, 0x3FFF0000, 0xFFFFFFFF):
        assert gate.check(telecommand(sequence, key=OTHER_KEY)) == auth.BAD_MAC
    assert gate.check(telecommand(1)) == auth.OK


def test_a_wild_number_is_refused_and_cannot_use_up_the_others() -> None:
    gate = verifier(window=100)
    assert gate.check(telecommand(102)) == auth.BEYOND_WINDOW
    assert gate.check(telecommand(0xFFFFFFFF)) == auth.BEYOND_WINDOW
    assert gate.check(telecommand(100)) == auth.OK
    assert gate.check(telecommand(201)) == auth.BEYOND_WINDOW
    assert gate.check(telecommand(200)) == auth.OK
    assert gate.check(telecommand(200)) == auth.REPLAYED
    assert refused(gate) == {auth.BEYOND_WINDOW: 3, auth.REPLAYED: 1}


def test_keys_count_apart() -> None:
    store = DictStore()
    keys = {1: KEY, 2: OTHER_KEY}
    gate = Verifier(keys, {index: ReplayCounter(store, f"counter{index}") for index in keys})
    assert gate.check(telecommand(9, KEY, 1)) == auth.OK
    assert gate.check(telecommand(3, OTHER_KEY, 2)) == auth.OK
    assert gate.check(telecommand(4, KEY, 1)) == auth.REPLAYED
    assert sorted(store.files) == ["counter1", "counter2"]


def test_a_key_without_a_counter_is_a_mistake_at_start() -> None:
    with pytest.raises(KeyError):
        Verifier({1: KEY, 2: OTHER_KEY}, {1: ReplayCounter(DictStore(), "counter1")})
