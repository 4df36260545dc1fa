"""Words of the plant: state, events, configuration, and the full scales of the sensors.

A power word (pw) is 2^k mW, an energy word 2^k J with a residue in 2^k uJ, where k is SCALE_K of the
configuration. Temperatures are in uK, illumination and cosines over 1024.
"""

from ascnode_fw.compat import const

# State that is set from outside, by Plant.set_input.
ILLUMINATION = const(0)
COS_ARRAY = const(1)
COS_RADIATOR = const(2)
ALBEDO = const(3)  # max(0, cos psi), the share of the albedo of the Earth below
EXTRA_PW = const(4)  # switchable load outside the accelerator; all of it heats the radiator
ACCEL_PW = const(5)  # dynamic power of the accelerator while it is on
ACCEL_ON = const(6)  # off: neither dynamic power nor leakage
AGE_DAYS = const(7)
INPUT_WORDS = const(8)
# State that is integrated.
ENERGY_J = const(8)
ENERGY_UJ = const(9)
CHARGE_REM = const(10)
DISCHARGE_REM = const(11)
T_ACCEL_UK = const(12)
ACCEL_REM = const(13)
T_RADIATOR_UK = const(14)
RADIATOR_REM = const(15)
ARRAY_FACTOR = const(16)  # what ageing leaves, over 32768
ARRAY_SUN_PW = const(17)  # aged array at full sun, cos 1
# Outputs of the last step, and sums since the start (energy on the side of the cells).
ARRAY_PW = const(18)
LOAD_PW = const(19)
LEAK_PW = const(20)
SHUNTED_J = const(21)
SHUNTED_UJ = const(22)
UNSERVED_J = const(23)
UNSERVED_UJ = const(24)
EVENTS = const(25)
STATE_WORDS = const(26)

STATE_NAMES = (
    "illumination /1024",
    "cos_array /1024",
    "cos_radiator /1024",
    "albedo /1024",
    "extra_load pw",
    "accel_dynamic pw",
    "accel_on 0|1",
    "age days",
    "energy 2^k J",
    "energy_residue 2^k uJ",
    "charge_remainder",
    "discharge_remainder",
    "t_accel uK",
    "t_accel_remainder",
    "t_radiator uK",
    "t_radiator_remainder",
    "array_factor /32768",
    "array_full_sun pw",
    "array_power pw",
    "load_power pw",
    "leakage_power pw",
    "shunted 2^k J",
    "shunted_residue 2^k uJ",
    "unserved 2^k J",
    "unserved_residue 2^k uJ",
    "events bits",
)

# Bits of state word EVENTS: something was held at a bound, or the battery met one of its ends.
EVENT_NET_POWER = const(1)
EVENT_ACCEL_HEAT = const(2)
EVENT_RADIATOR_HEAT = const(4)
EVENT_ACCEL_COLD = const(8)
EVENT_ACCEL_HOT = const(16)
EVENT_RADIATOR_COLD = const(32)
EVENT_RADIATOR_HOT = const(64)
EVENT_BROWN_OUT = const(128)
EVENT_BATTERY_FULL = const(256)
EVENT_SUM_FULL = const(512)
EVENT_INPUT = const(1024)

EVENT_NAMES = (
    "net bus power held at its limit",
    "net accelerator heat held at its limit",
    "net radiator heat held at its limit",
    "accelerator held at its coldest",
    "accelerator held at its hottest",
    "radiator held at its coldest",
    "radiator held at its hottest",
    "brown-out: load not met",
    "battery full: power shunted",
    "energy sum held at its largest",
    "input held within its range",
)

# Configuration, built by the host from the node's hardware (host/ascnode/scenario).
STEP_MS = const(0)
SCALE_K = const(1)
NET_MAX_PW = const(2)  # limit of every net power
ARRAY_FULL_PW = const(3)  # new array at full sun, cos 1, after the power tracker
AGEING_RATE = const(4)  # halvings of the array's power a day, in 2^-26
CAPACITY_J = const(5)
CHARGE_LOSS_NUM = const(6)  # NUM / DEN = 1 - eta_charge
CHARGE_LOSS_DEN = const(7)
DISCHARGE_LOSS_NUM = const(8)  # NUM / DEN = 1 / eta_discharge - 1
DISCHARGE_LOSS_DEN = const(9)
BUS_LOAD_PW = const(10)
BUS_HEAT_PW = const(11)
SUN_HEAT_PW = const(12)  # absorbed by the radiator at cos 1
ALBEDO_HEAT_PW = const(13)  # absorbed by the radiator at albedo 1
EARTH_IR_PW = const(14)
ACCEL_RISE_NUM = const(15)  # NUM / DEN = step_ms / C: uK that one pw adds in one step
ACCEL_RISE_DEN = const(16)
RADIATOR_RISE_NUM = const(17)
RADIATOR_RISE_DEN = const(18)
CONDUCT_NUM = const(19)  # NUM >> SHIFT = pw conducted at a difference of 4096 uK
CONDUCT_SHIFT = const(20)
ACCEL_STAYS = const(21)  # /1024: share of its net heat that is not conducted on within the step
INITIAL_J = const(22)
INITIAL_ACCEL_UK = const(23)
INITIAL_RADIATOR_UK = const(24)
EMISSION = const(25)  # pw emitted at 150 K and every 2^21 uK above
EMISSION_WORDS = const(154)
LEAKAGE = const(179)  # pw leaked at 200 K and every 2^22 uK above
LEAKAGE_WORDS = const(66)
CONFIG_WORDS = const(245)

EMISSION_T0_UK = const(150000000)
EMISSION_SHIFT = const(21)
LEAKAGE_T0_UK = const(200000000)
LEAKAGE_SHIFT = const(22)

# Bounds that keep every intermediate within (-2^30, 2^30).
POWER_MAX = const(0xFFFFF)
AGE_DAYS_MAX = const(10957)  # 30 years
FULL_FACTOR = const(32768)
SUM_MAX_J = const(0x3FFFFFFF)
T_MIN_ACCEL_UK = const(205000000)
T_MIN_RADIATOR_UK = const(155000000)
T_MAX_UK = const(465000000)

# Sensors: 12 bits, count = floor(4096 * value / full scale), at most 4095.
CELL_VOLTAGE = const(0)  # 0..5000 mV
ARRAY_POWER = const(1)  # 0..2^20 pw
LOAD_POWER = const(2)  # 0..2^20 pw
T_ACCEL = const(3)  # 155..465 K
T_RADIATOR = const(4)  # 155..465 K
SENSOR_WORDS = const(5)
CELL_SPAN_MV = const(5000)
POWER_SPAN_PW = const(0x100000)
T_ZERO_UK = const(155000000)
T_SPAN_UK = const(310000000)
