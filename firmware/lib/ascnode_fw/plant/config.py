"""The plant's configuration as an image (magic, version, count, little-endian words, CRC-32), and its limits.

The limits are what keeps every intermediate of a step within (-2^30, 2^30).
"""

import struct
from array import array
from binascii import crc32

from ascnode_fw.plant import layout as at

MAGIC = b"APLT"
VERSION = 1
HEADER = "<4sHH"
_HEADER_SIZE = 8
_IMAGE_SIZE = _HEADER_SIZE + 4 * at.CONFIG_WORDS + 4

# Of the words before the tables: name, lowest, highest.
_LIMITS = (
    ("step_ms", 1, 60000),
    ("scale_k", 0, 20),
    ("net_max_pw", 1, at.POWER_MAX),
    ("array_full_pw", 0, at.POWER_MAX),
    ("ageing_rate", 0, 97000),
    ("capacity_j", 1, 1 << 29),
    ("charge_loss_num", 0, 1000),
    ("charge_loss_den", 1, 1 << 20),
    ("discharge_loss_num", 0, 1000),
    ("discharge_loss_den", 1, 1 << 20),
    ("bus_load_pw", 0, at.POWER_MAX),
    ("bus_heat_pw", 0, at.POWER_MAX),
    ("sun_heat_pw", 0, at.POWER_MAX),
    ("albedo_heat_pw", 0, at.POWER_MAX),
    ("earth_ir_pw", 0, at.POWER_MAX),
    ("accel_rise_num", 1, 1000),
    ("accel_rise_den", 1, 1 << 24),
    ("radiator_rise_num", 1, 1000),
    ("radiator_rise_den", 1, 1 << 24),
    ("conduct_num", 0, 14186),  # times 75,684, the widest difference of temperatures in 4096 uK
    ("conduct_shift", 0, 30),
    ("accel_stays", 1, 1024),
    ("initial_j", 0, 1 << 29),
    ("initial_accel_uk", at.T_MIN_ACCEL_UK, at.T_MAX_UK),
    ("initial_radiator_uk", at.T_MIN_RADIATOR_UK, at.T_MAX_UK),
)
_WIDEST = 75684
_CONDUCTED_MAX = 1 << 28
_RISE_MAX_UK = 500000000
_ENTRY_MAX = 1 << 24
_ENTRY_STEP_MAX = (1 << 19) - 1


def load(data: bytes) -> "array[int]":
    # The words of an image; ValueError, in one sentence, when it is not intact or cannot be stepped.
    if len(data) != _IMAGE_SIZE:
        raise ValueError(f"plant image: {len(data)} bytes where {_IMAGE_SIZE} are due")
    magic, version, count = struct.unpack(HEADER, data[:_HEADER_SIZE])
    if magic != MAGIC:
        raise ValueError("plant image: it does not begin as one")
    if version != VERSION:
        raise ValueError(f"plant image: version {version} where this firmware reads {VERSION}")
    if count != at.CONFIG_WORDS:
        raise ValueError(f"plant image: {count} words where {at.CONFIG_WORDS} are due")
    if crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise ValueError("plant image: its CRC-32 does not match")
    words = array("i", data[_HEADER_SIZE:-4])  # every port is little-endian
    check(words)
    return words


def check(words: "array[int]") -> None:
    # ValueError, in one sentence, for a configuration that could leave the integers or run unstable.
    if len(words) != at.CONFIG_WORDS:
        raise ValueError(f"plant: {len(words)} words where {at.CONFIG_WORDS} are due")
    for i, (name, low, high) in enumerate(_LIMITS):
        if not low <= words[i] <= high:
            raise ValueError(f"plant: {name} = {words[i]} lies outside {low}..{high}")
    _check_battery(words)
    steepest = _check_table("emission", words[at.EMISSION : at.EMISSION + at.EMISSION_WORDS])
    _check_table("leakage", words[at.LEAKAGE : at.LEAKAGE + at.LEAKAGE_WORDS])
    _check_rise("accel", words, at.ACCEL_RISE_NUM, 0)
    _check_rise("radiator", words, at.RADIATOR_RISE_NUM, steepest)


def _check_battery(words: "array[int]") -> None:
    if words[at.INITIAL_J] > words[at.CAPACITY_J]:
        raise ValueError(f"plant: initial_j = {words[at.INITIAL_J]} is above the capacity")
    for name, num in (("charge", at.CHARGE_LOSS_NUM), ("discharge", at.DISCHARGE_LOSS_NUM)):
        if words[num] > words[num + 1]:
            raise ValueError(f"plant: {name} loses more than it passes on")
    drawn = words[at.NET_MAX_PW]
    drawn += (drawn + 1) * words[at.DISCHARGE_LOSS_NUM] // words[at.DISCHARGE_LOSS_DEN] + 1
    if drawn > 0x3FF00000 // words[at.STEP_MS]:
        raise ValueError(f"plant: net_max_pw * step_ms leaves the integers at step_ms = {words[at.STEP_MS]}")


def _check_table(name: str, table: "array[int]") -> int:
    # Its largest rise from one entry to the next.
    if table[0] < 0 or table[-1] > _ENTRY_MAX:
        raise ValueError(f"plant: the {name} table lies outside 0..{_ENTRY_MAX} pw")
    rises = [table[i] - table[i - 1] for i in range(1, len(table))]
    if min(rises) < 0 or max(rises) > _ENTRY_STEP_MAX:
        raise ValueError(f"plant: the {name} table falls, or rises too steeply")
    return max(rises)


def _check_rise(name: str, words: "array[int]", num: int, emission_step: int) -> None:
    # The step stays below C / (4 G), where G is conduction and the steepest emission (pw over 2^21 uK):
    # 4 * (conduct_num / 2^(shift + 12) + emission_step / 2^21) * num / den < 1. Bignums, but once a boot.
    conduct, shift = words[at.CONDUCT_NUM], words[at.CONDUCT_SHIFT]
    if conduct * _WIDEST >> shift > _CONDUCTED_MAX:
        raise ValueError("plant: conduction leaves the integers")
    if words[at.NET_MAX_PW] * words[num] // words[num + 1] > _RISE_MAX_UK:
        raise ValueError(f"plant: {name} could heat by more than {_RISE_MAX_UK // 1000000} K in one step")
    if 4 * words[num] * ((conduct << 9) + (emission_step << shift)) >= words[num + 1] << (21 + shift):
        raise ValueError(f"plant: step_ms = {words[at.STEP_MS]} is not below C/(4G) of the {name} node")
