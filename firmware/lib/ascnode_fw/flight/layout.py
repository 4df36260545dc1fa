"""Words of the flight computer's state: one array('i'), so that a step can be hashed, kept and compared whole."""

from ascnode_fw.compat import const

NOW_S = const(0)
NOW_MS = const(1)
# what the sensors said, in engineering units
SOC = const(2)
ARRAY_PW = const(3)
LOAD_PW = const(4)
ACCELERATOR_CK = const(5)
RADIATOR_CK = const(6)
RADIO_LOCK = const(7)
# decisions
MODE = const(8)
COMMANDED = const(9)
SHED = const(10)
CAP_PW = const(11)
SPARE_J = const(12)
BUDGET_PW = const(13)
HEAT_PW = const(14)
INTEGRAL = const(15)
TRIPPED = const(16)
OP = const(17)
CONTACT = const(18)
# actuators: averages over the coming control period
ACCEL_ON = const(19)
ACCEL_PW = const(20)
EXTRA_PW = const(21)
# counters and bookkeeping
TM_COUNT = const(22)
ORDER = const(23)
RUNNING = const(24)
JOBS_DONE = const(25)
JOBS_REFUSED = const(26)
JOBS_EXPIRED = const(27)
COMMANDS_REFUSED = const(28)
DROPPED = const(29)
DROPPED_TOLD = const(30)
HK_NEXT_S = const(31)
THROTTLED = const(32)
MODE_PERIODS = const(33)  # one word for each mode
JOB_MJ = const(37)
JOB_J = const(38)
BUSY_MS = const(39)
QUEUE_CRC = const(40)
BOOTS = const(41)
LEAK_PW = const(42)  # what the accelerator drew beside its work when it was last on, and how warm it was then
LEAK_CK = const(43)
SETTLED = const(44)  # conditions and mode between which the table has no transition
ENGINE = const(45)  # what runs inferences: the dictionary's ENGINES
RETRY_S = const(46)  # when to try a failed accelerator again
SIZE = const(47)

NAMES = (
    "now s",
    "now ms",
    "charge 1/1000",
    "array pw",
    "load pw",
    "accelerator cK",
    "radiator cK",
    "radio lock",
    "mode",
    "commanded mode",
    "shed level",
    "power cap pw",
    "spare energy 2^k J",
    "power budget pw",
    "heat budget pw",
    "governor integral pw",
    "tripped",
    "operating point",
    "contact",
    "accelerator on",
    "accelerator pw",
    "radio pw",
    "telemetry count",
    "queue order",
    "running slot",
    "jobs done",
    "jobs refused",
    "jobs expired",
    "commands refused",
    "packets dropped",
    "packets dropped, told",
    "next housekeeping s",
    "throttled periods",
    "SAFE periods",
    "CHARGE periods",
    "COMPUTE periods",
    "DOWNLINK periods",
    "job energy 2^k mJ",
    "job energy 2^k J",
    "busy ms",
    "queue crc",
    "boots",
    "leakage pw",
    "leakage measured at cK",
    "settled conditions",
    "engine",
    "accelerator retry s",
)


def scale(value: int, part: int, whole: int) -> int:
    # value * part // whole; both value // whole * part and whole * part have to stay below 2^30.
    return value // whole * part + value % whole * part // whole
