"""Space packets: golden bytes of the `spacepackets` package, asymmetric in every field."""

import pytest
from spacepackets.ccsds.spacepacket import PacketId, PacketType, SpacePacketHeader, parse_space_packets

from ascnode_fw.wire import packet
from ascnode_fw.wire.packet import PacketError, pack_tc, pack_tm, unpack_tc, unpack_tm

# Header 18|2a5 (telecommand, secondary header), c000|1234, 33 - 7; then beef, 12345678, 9a, arguments.
TC_HEAD = bytes.fromhex("1aa5d234001abeef123456789ac0ffee01")
TC = TC_HEAD + bytes.fromhex("cd07dc0e86f210728557ecaa0a3ac09d")
# 123 ms are 8060.928 / 65536 s: 1f7d.
TM = bytes.fromhex("095aebcd000b89abcdef1f7dc30102030004")


def packed(pack, *fields) -> bytes:
    out = bytearray(64)
    return bytes(out[: pack(out, *fields)])


def altered(golden: bytes, at: int, value: int) -> memoryview:
    changed = bytearray(golden)
    changed[at] = value
    return memoryview(changed)


def test_telecommand_golden_bytes() -> None:
    made = packed(pack_tc, 0x2A5, 0x1234, 0xBEEF, 0x12345678, 0x9A, bytes.fromhex("c0ffee01"))
    assert made == TC_HEAD + bytes(16)
    read = unpack_tc(memoryview(TC))
    assert read[:5] == (0x2A5, 0x1234, 0xBEEF, 0x12345678, 0x9A)
    assert bytes(read.arguments).hex() == "c0ffee01"


def test_telemetry_golden_bytes() -> None:
    made = packed(pack_tm, 0x15A, 0x2BCD, 0x89ABCDEF, 123, 0xC3, bytes.fromhex("0102030004"))
    assert made == TM
    read = unpack_tm(memoryview(TM))
    assert read[:5] == (0x15A, 0x2BCD, 0x89ABCDEF, 123, 0xC3)
    assert bytes(read.data).hex() == "0102030004"


@pytest.mark.parametrize(("golden", "kind"), [(TC, PacketType.TC), (TM, PacketType.TM)])
def test_spacepackets_reads_the_headers(golden: bytes, kind: PacketType) -> None:
    header = SpacePacketHeader.unpack(golden)
    assert (header.packet_type, header.ccsds_version, header.sec_header_flag) == (kind, 0, True)
    assert header.packet_len == len(golden)
    assert header.pack() == golden[:6]


def test_spacepackets_cuts_them_out_of_a_stream() -> None:
    ids = [PacketId(PacketType.TC, True, 0x2A5), PacketId(PacketType.TM, True, 0x15A)]
    assert parse_space_packets(bytearray(TC + TM + TC[:9]), ids).tm_list == [TC, TM]


def test_packets_that_spacepackets_wrote_are_read() -> None:
    header = SpacePacketHeader(PacketType.TC, 0x7F3, 0x3A01, 7 + 2 + 16 - 1, sec_header_flag=True)
    raw = header.pack() + bytes.fromhex("0102a1b2c3d4e5f607") + bytes(16)
    assert unpack_tc(memoryview(raw))[:5] == (0x7F3, 0x3A01, 0x0102, 0xA1B2C3D4, 0xE5)
    header = SpacePacketHeader(PacketType.TM, 0x0F2, 0x0102, 7 - 1, sec_header_flag=True)
    raw = header.pack() + bytes.fromhex("01020304ffbeb7")
    # 0xffbe / 65536 s are 998.99 ms.
    assert unpack_tm(memoryview(raw)) == (0x0F2, 0x0102, 0x01020304, 999, 0xB7, b"")


def test_every_millisecond_survives_the_cuc_fraction() -> None:
    for ms in range(1000):
        made = packed(pack_tm, 1, 0, 7, ms, 2, b"")
        assert abs(int.from_bytes(made[10:12], "big") - ms * 65.536) <= 0.5
        assert unpack_tm(memoryview(made))[2:4] == (7, ms)


def test_a_fraction_that_rounds_up_belongs_to_the_next_second() -> None:
    assert unpack_tm(altered(TM[:10] + b"\xff\xff" + TM[12:], 9, 0xEF))[2:4] == (0x89ABCDF0, 0)


def test_the_packet_count_wraps_at_14_bits() -> None:
    assert unpack_tm(memoryview(packed(pack_tm, 1, 0x2C007, 0, 0, 0, b"")))[1] == 7
    assert unpack_tc(memoryview(packed(pack_tc, 1, 0x2C007, 0, 0, 0, b"")))[1] == 7


def test_packing_into_too_little_room_names_both_lengths() -> None:
    with pytest.raises(ValueError, match="packet of 33 bytes, the buffer has 32"):
        pack_tc(bytearray(32), 1, 2, 3, 4, 5, b"abcd")
    with pytest.raises(ValueError, match="packet of 17 bytes, the buffer has 16"):
        pack_tm(bytearray(16), 1, 2, 3, 4, 5, b"abcd")


@pytest.mark.parametrize("apid", [-1, 0x800])
def test_an_apid_out_of_range_is_refused(apid: int) -> None:
    with pytest.raises(ValueError, match=f"APID {apid} does not fit in 11 bits"):
        pack_tm(bytearray(64), apid, 0, 0, 0, 0, b"")


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (0, 0x3A, packet.BAD_VERSION),
        (0, 0x0A, packet.WRONG_TYPE),
        (0, 0x12, packet.NO_SECONDARY_HEADER),
        (2, 0x52, packet.SEGMENTED),
        (2, 0x92, packet.SEGMENTED),
        (5, 0x1B, packet.LENGTH_MISMATCH),
        (4, 0x01, packet.LENGTH_MISMATCH),
    ],
)
def test_a_header_of_the_wrong_kind_has_its_own_code(at: int, value: int, code: int) -> None:
    with pytest.raises(PacketError) as caught:
        unpack_tc(altered(TC, at, value))
    assert caught.value.code == code


def test_a_telecommand_is_no_telemetry_and_the_other_way_round() -> None:
    for unpack, raw in ((unpack_tm, TC), (unpack_tc, TM + bytes(16))):
        with pytest.raises(PacketError) as caught:
            unpack(memoryview(raw))
        assert caught.value.code == packet.WRONG_TYPE


def test_every_truncation_is_refused_and_length_errors_carry_both_lengths() -> None:
    for size in range(len(TC)):
        with pytest.raises(PacketError) as caught:
            unpack_tc(memoryview(TC)[:size])
        short = size < packet.TC_BYTES
        assert caught.value.code == (packet.SHORT if short else packet.LENGTH_MISMATCH)
        assert str(caught.value) == (
            f"packet of {size} bytes; a telecommand has at least 29, telemetry 13"
            if short
            else f"packet says 33 bytes, has {size}"
        )
    for size in range(len(TM)):
        with pytest.raises(PacketError):
            unpack_tm(memoryview(TM)[:size])


def test_a_packet_with_bytes_behind_it_is_refused() -> None:
    with pytest.raises(PacketError, match="packet says 33 bytes, has 34"):
        unpack_tc(memoryview(TC + b"\0"))
