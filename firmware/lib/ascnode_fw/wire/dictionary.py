"""The one source of telecommands, telemetry, events and parameters: numbers, names, units, limits, struct formats.

The board takes its numbers from here; the host's decoders, its displays and the documentation are made from the
same rows. `digest()` names the whole: the hello frame carries it, and a host with another one refuses to command.
Power words ("pw") are units of 2^k mW, where k comes from the node's hardware (0 up to 1 kW).
"""

import hashlib

# Planes: the first byte of every frame. None is 3: in the grace window after boot, a hello must not hold a Ctrl-C.
SIM = 1
FLIGHT = 2
LINK = 4

APID = 0x2A5  # one application on the node; below 0x7FF, which marks idle packets

# --- telecommands: (id, name, struct format of the fixed arguments, ((argument, unit), ...), what follows them)
CMD_PING = 1
CMD_SET_PARAM = 2
CMD_GET_PARAM = 3
CMD_SET_MODE = 4
CMD_CAP_POWER = 5
CMD_PLAN_CLEAR = 6
CMD_PLAN_ADD = 7
CMD_QUERY = 8
CMD_CUSTODY = 9
CMD_UPDATE_BEGIN = 10  # updates by radio: flight/update.py
CMD_UPDATE_CHUNK = 11
CMD_UPDATE_STATUS = 12
CMD_UPDATE_VERIFY = 13
CMD_UPDATE_COMMIT = 14
CMD_UPDATE_ABORT = 15
CMD_UPDATE_CONFIRM = 16
CMD_UPDATE_REVERT = 17

COMMANDS = (
    (CMD_PING, "ping", ">", (), ""),
    (CMD_SET_PARAM, "set_param", ">Hi", (("parameter", ""), ("value", "")), ""),
    (CMD_GET_PARAM, "get_param", ">H", (("parameter", ""),), ""),
    (CMD_SET_MODE, "set_mode", ">B", (("mode", "0 automatic, 1 safe, 2 charge"),), ""),
    (CMD_CAP_POWER, "cap_power", ">I", (("cap", "pw, 0 is none"),), ""),
    (CMD_PLAN_CLEAR, "plan_clear", ">B", (("plan", "0 contacts, 1 eclipses"),), ""),
    (CMD_PLAN_ADD, "plan_add", ">B", (("plan", "0 contacts, 1 eclipses"),), "windows: >II start s, end s"),
    (
        CMD_QUERY,
        "query",
        ">IIBI",
        (("job", ""), ("model", ""), ("priority", "0 first"), ("deadline", "s")),
        "input",
    ),
    (CMD_CUSTODY, "custody", ">", (), "packet counts taken over: >H each"),
    (
        CMD_UPDATE_BEGIN,
        "update_begin",
        ">BHI",
        (("kind", "0 model, 1 firmware"), ("key", ""), ("size", "B")),
        "SHA-256 of the image, 32 bytes, and its signature, 16",
    ),
    (CMD_UPDATE_CHUNK, "update_chunk", ">I", (("offset", "B"),), "a chunk of the image"),
    (CMD_UPDATE_STATUS, "update_status", ">H", (("first", "block to report from"),), ""),
    (CMD_UPDATE_VERIFY, "update_verify", ">", (), ""),
    (CMD_UPDATE_COMMIT, "update_commit", ">BI", (("boots", "of a firmware's trial"), ("trial", "s")), ""),
    (CMD_UPDATE_ABORT, "update_abort", ">", (), ""),
    (CMD_UPDATE_CONFIRM, "update_confirm", ">", (), ""),
    (CMD_UPDATE_REVERT, "update_revert", ">B", (("kind", "0 model, 1 firmware"),), ""),
)

UPDATE_MODEL = 0
UPDATE_FIRMWARE = 1
PLAN_CONTACTS = 0
PLAN_ECLIPSES = 1

# --- failure codes of acceptance and completion reports (ECSS PUS service 1 semantics)
# 1..6 are wire/packet.py's, 8..13 wire/auth.py's
OK = 0
UNKNOWN_COMMAND = 16
BAD_ARGUMENTS = 17
OUT_OF_LIMITS = 18
UNKNOWN_PARAMETER = 19
UNKNOWN_MODEL = 20
QUEUE_FULL = 21
NO_ENERGY = 22
TOO_HOT = 23
TOO_LATE = 24
SHED = 25
EXPIRED = 26
PLAN_FULL = 27
NOT_STORED = 28
ACCELERATOR_FAILED = 29
UPDATE_BUSY = 48
UPDATE_NOT_OPEN = 49
UPDATE_INCOMPLETE = 50
UPDATE_WRONG_HASH = 51
UPDATE_NOT_SIGNED = 52
UPDATE_NOT_VERIFIED = 53
UPDATE_BAD_IMAGE = 54
UPDATE_SELF_TEST = 55
UPDATE_NO_ROOM = 56
UPDATE_NO_MEMORY = 57
UPDATE_NOT_POSSIBLE = 58
UPDATE_NO_TRIAL = 59

CODES = (
    (OK, "ok"),
    (1, "packet too short"),
    (2, "packet length does not match"),
    (3, "packet version"),
    (4, "packet type"),
    (5, "no secondary header"),
    (6, "segmented packet"),
    (8, "unknown key"),
    (9, "not authentic"),
    (10, "replayed"),
    (11, "sequence beyond the window"),
    (12, "sequence counter lost"),
    (13, "sequence counter not stored"),
    (UNKNOWN_COMMAND, "unknown command"),
    (BAD_ARGUMENTS, "bad arguments"),
    (OUT_OF_LIMITS, "out of limits"),
    (UNKNOWN_PARAMETER, "unknown parameter"),
    (UNKNOWN_MODEL, "unknown model"),
    (QUEUE_FULL, "queue full"),
    (NO_ENERGY, "battery reserve"),
    (TOO_HOT, "too hot"),
    (TOO_LATE, "deadline cannot be met"),
    (SHED, "load shed"),
    (EXPIRED, "deadline passed"),
    (PLAN_FULL, "plan full"),
    (NOT_STORED, "not stored"),
    (ACCELERATOR_FAILED, "accelerator failed"),
    (UPDATE_BUSY, "an update is being installed"),
    (UPDATE_NOT_OPEN, "no update was begun"),
    (UPDATE_INCOMPLETE, "chunks are missing"),
    (UPDATE_WRONG_HASH, "image has another hash"),
    (UPDATE_NOT_SIGNED, "image is not signed by this key"),
    (UPDATE_NOT_VERIFIED, "image was not verified"),
    (UPDATE_BAD_IMAGE, "image makes no sense here"),
    (UPDATE_SELF_TEST, "self-test failed"),
    (UPDATE_NO_ROOM, "no room on the flash"),
    (UPDATE_NO_MEMORY, "no memory"),
    (UPDATE_NOT_POSSIBLE, "not possible on this node"),
    (UPDATE_NO_TRIAL, "no firmware is on trial"),
)

# --- telemetry: (id, name, struct format, ((field, unit), ...), what follows)
TM_ACCEPT = 1
TM_COMPLETE = 2
TM_EVENT = 3
TM_HOUSEKEEPING = 4
TM_RESULT = 5
TM_PARAM = 6
TM_UPDATE = 7

TELEMETRY = (
    (TM_ACCEPT, "acceptance", ">IBB", (("sequence", ""), ("command", ""), ("code", "")), ""),
    (TM_COMPLETE, "completion", ">IBB", (("sequence", ""), ("command", ""), ("code", "")), ""),
    (TM_EVENT, "event", ">HBi", (("event", ""), ("severity", ""), ("value", "")), ""),
    (
        TM_HOUSEKEEPING,
        "housekeeping",
        ">BBHIIHHIBBIHHH",
        (
            ("mode", ""),
            ("operating_point", ""),
            ("charge", "1/1000"),
            ("array", "pw"),
            ("load", "pw"),
            ("accelerator", "cK"),
            ("radiator", "cK"),
            ("cap", "pw"),
            ("jobs_queued", ""),
            ("packets_queued", ""),
            ("throttled", "s"),
            ("jobs_done", ""),
            ("jobs_refused", ""),
            ("commands_refused", ""),
        ),
        "",
    ),
    (
        TM_RESULT,
        "result",
        ">IIBBIIIBII",
        (
            ("job", ""),
            ("model", ""),
            ("operating_point", ""),
            ("code", ""),
            ("work", "1000 cycles"),
            ("duration", "ms"),
            ("energy", "2^k mJ"),
            ("engine", "0 CPU, 1 accelerator, 2 CPU since the accelerator failed"),
            ("cycles", "measured by the accelerator"),
            ("proof", "CRC-32 of input and output"),
        ),
        "output",
    ),
    (TM_PARAM, "parameter", ">Hi", (("parameter", ""), ("value", "")), ""),
    (
        TM_UPDATE,
        "update",
        ">BBBBBBBIIIHH",
        (
            ("state", "0 none, 1 open, 2 verified, 3 waiting for jobs, 4 installing, 5 resetting"),
            ("kind", "0 model, 1 firmware"),
            ("model_slot", ""),
            ("firmware_slot", "0 as delivered, 1, 2"),
            ("firmware_trial", "slot on trial, 0 none"),
            ("rolled_back", "why the last firmware was, 0 not"),
            ("failed", "code of the last update, 0 none"),
            ("model", ""),
            ("hash", "its first 4 bytes"),
            ("size", "B"),
            ("blocks", ""),
            ("first", "block that the map begins with"),
        ),
        "map of what is there: a byte a block, a bit a chunk",
    ),
)

# --- events: (id, name, severity, meaning of the value)
INFO = 1
LOW = 2
MEDIUM = 3
HIGH = 4

EV_BOOT = 1
EV_MODE = 2
EV_TRIP = 3
EV_TRIP_OVER = 4
EV_SHED = 5
EV_BROWN_OUT = 6
EV_POWER_CLAMP = 7
EV_HEAT_CLAMP = 8
EV_PACKETS_DROPPED = 9
EV_CUSTODY_GIVEN_UP = 10
EV_PARAMS_DEFAULTED = 11
EV_PARAM_WRITE_FAILED = 12
EV_ACCELERATOR_LOST = 13
EV_ACCELERATOR_BACK = 14
EV_ACCELERATOR_MENDED = 15
EV_MODEL_SWAPPED = 16
EV_MODEL_ROLLED_BACK = 17
EV_FIRMWARE_TRIAL = 18
EV_FIRMWARE_CONFIRMED = 19
EV_FIRMWARE_ROLLED_BACK = 20

EVENTS = (
    (EV_BOOT, "boot", INFO, "reset cause"),
    (EV_MODE, "mode", INFO, "old mode * 256 + new mode"),
    (EV_TRIP, "thermal trip", HIGH, "accelerator cK"),
    (EV_TRIP_OVER, "thermal trip over", INFO, "accelerator cK"),
    (EV_SHED, "load shed", MEDIUM, "level: 0 none, 1 accelerator, 2 all but the beacon"),
    (EV_BROWN_OUT, "brown-out", HIGH, "charge 1/1000"),
    (EV_POWER_CLAMP, "plant: net power clamped", MEDIUM, ""),
    (EV_HEAT_CLAMP, "plant: temperature clamped", HIGH, ""),
    (EV_PACKETS_DROPPED, "downlink queue full", MEDIUM, "packets dropped"),
    (EV_CUSTODY_GIVEN_UP, "custody given up", MEDIUM, "packet count"),
    (EV_PARAMS_DEFAULTED, "parameters defaulted", HIGH, "how many"),
    (EV_PARAM_WRITE_FAILED, "parameter not stored", HIGH, "parameter"),
    (EV_ACCELERATOR_LOST, "accelerator lost: the CPU goes on", HIGH, "cause"),
    (EV_ACCELERATOR_BACK, "accelerator back", INFO, ""),
    (EV_ACCELERATOR_MENDED, "accelerator mended", MEDIUM, "causes, a bit each"),
    (EV_MODEL_SWAPPED, "model swapped", INFO, "slot"),
    (EV_MODEL_ROLLED_BACK, "model rolled back", HIGH, "failure code"),
    (EV_FIRMWARE_TRIAL, "firmware on trial", INFO, "slot"),
    (EV_FIRMWARE_CONFIRMED, "firmware confirmed", INFO, "slot"),
    (
        EV_FIRMWARE_ROLLED_BACK,
        "firmware rolled back",
        HIGH,
        "1 not confirmed, 2 crashed, 3 commanded, 4 damaged",
    ),
)

# --- what ran an inference, and why the accelerator did not
ENGINE_CPU = 0
ENGINE_ACCELERATOR = 1
ENGINE_FALL_BACK = 2
ENGINES = ("CPU", "accelerator", "CPU: the accelerator failed")
# ascnode_fw.accel.causes
ACCELERATOR_CAUSES = (
    "none",
    "no frame came through",
    "no accelerator of this version",
    "not done by its deadline",
    "stopped with an error",
    "reset within a run",
    "program in memory changed",
    "stream flash",
    "program file damaged",
    "self-test failed",
    "input in memory changed",
)

# --- modes and reset causes
SAFE = 0
CHARGE = 1
COMPUTE = 2
DOWNLINK = 3
MODES = ("SAFE", "CHARGE", "COMPUTE", "DOWNLINK")
WATCHDOG = 3
RESET_CAUSES = ("power on", "reset", "power cut", "watchdog", "begin")

# --- sensors: 12-bit ADC words. (name, full scale low, full scale high, unit)
SENSOR_CELL = 0
SENSOR_ARRAY = 1
SENSOR_LOAD = 2
SENSOR_ACCELERATOR = 3
SENSOR_RADIATOR = 4
SENSORS = (
    ("cell", 0, 5000, "mV"),
    ("array", 0, 1 << 20, "pw"),
    ("load", 0, 1 << 20, "pw"),
    ("accelerator", 15500, 46500, "cK"),
    ("radiator", 15500, 46500, "cK"),
)

# --- parameters: (id, name, default, low, high, unit). A parameter's place in the value array is its id.
P_CONTROL_MS = 0
P_SOC_SAFE = 1
P_SOC_SAFE_EXIT = 2
P_SOC_CHARGE = 3
P_SOC_CHARGE_EXIT = 4
P_SOC_RESERVE = 5
P_CAPACITY_J = 6
P_BUS_PW = 7
P_RADIO_PW = 8
P_RADIO_BPS = 9
P_TEMP_TARGET = 10
P_TEMP_TRIP = 11
P_TEMP_TRIP_EXIT = 12
P_GOV_SUSTAINABLE_PW = 13
P_GOV_K_PO = 14
P_GOV_K_PU = 15
P_GOV_K_I = 16
P_GOV_I_CUTOFF = 17
P_CYCLES_PER_MAC = 18
P_IDLE_PW = 19
P_HK_PERIOD_S = 20
P_CUSTODY_S = 21
P_CUSTODY_TRIES = 22
P_WORTH_HIGH = 23
P_WORTH_LOW = 24
P_OP_COUNT = 25
P_OP_CLOCK_KHZ = 26  # 8 words
P_OP_PW = 34  # 8 words
P_WORK_SCALE = 42
P_ACCELERATOR_VERIFY = 43
P_ACCELERATOR_RETRY_S = 44
OP_MAX = 8

_POWER = (1 << 20) - 1
PARAMETERS = (
    (P_CONTROL_MS, "control_period", 1000, 10, 10000, "ms"),
    (P_SOC_SAFE, "charge_safe", 150, 0, 1000, "1/1000"),
    (P_SOC_SAFE_EXIT, "charge_safe_exit", 300, 0, 1000, "1/1000"),
    (P_SOC_CHARGE, "charge_low", 450, 0, 1000, "1/1000"),
    (P_SOC_CHARGE_EXIT, "charge_low_exit", 520, 0, 1000, "1/1000"),
    (P_SOC_RESERVE, "charge_reserve", 600, 0, 1000, "1/1000"),
    (P_CAPACITY_J, "battery_capacity", 1080000, 1, 1 << 29, "2^k J"),
    (P_BUS_PW, "bus_load", 60000, 0, _POWER, "pw"),
    (P_RADIO_PW, "radio_load", 20000, 0, _POWER, "pw"),
    (P_RADIO_BPS, "radio_rate", 4000, 1, 100000, "B/s"),
    (P_TEMP_TARGET, "temperature_target", 35615, 25000, 46000, "cK"),
    (P_TEMP_TRIP, "temperature_trip", 36815, 25000, 46000, "cK"),
    (P_TEMP_TRIP_EXIT, "temperature_trip_exit", 34815, 25000, 46000, "cK"),
    # As Linux' power allocator estimates its own: k_over = P/dT over target..trip (12 K), k_under twice that,
    # k_integral a tenth of k_under.
    (P_GOV_SUSTAINABLE_PW, "governor_sustainable", 95000, 0, _POWER, "pw"),
    (P_GOV_K_PO, "governor_k_over", 7917, 0, _POWER, "pw/K"),
    (P_GOV_K_PU, "governor_k_under", 15833, 0, _POWER, "pw/K"),
    (P_GOV_K_I, "governor_k_integral", 1583, 0, _POWER, "pw/K/s"),
    (P_GOV_I_CUTOFF, "governor_integral_cutoff", 500, 0, 46000, "cK"),
    (P_CYCLES_PER_MAC, "cycles_per_mac", 3750, 1, 100000, "cycles"),
    (P_IDLE_PW, "accelerator_idle", 2000, 0, _POWER, "pw"),
    (P_HK_PERIOD_S, "housekeeping_period", 60, 1, 86400, "s"),
    (P_CUSTODY_S, "custody_timeout", 20, 1, 86400, "s"),
    (P_CUSTODY_TRIES, "custody_tries", 8, 1, 255, ""),
    (P_WORTH_HIGH, "worth_result", 30000, 0, 1 << 29, "uJ/B at 2^k"),
    (P_WORTH_LOW, "worth_housekeeping", 6000, 0, 1 << 29, "uJ/B at 2^k"),
    (P_OP_COUNT, "operating_points", 7, 1, OP_MAX, ""),
    (26, "clock_0", 0, 0, 1000000, "kHz"),
    (27, "clock_1", 20000, 0, 1000000, "kHz"),
    (28, "clock_2", 48000, 0, 1000000, "kHz"),
    (29, "clock_3", 80000, 0, 1000000, "kHz"),
    (30, "clock_4", 105000, 0, 1000000, "kHz"),
    (31, "clock_5", 120000, 0, 1000000, "kHz"),
    (32, "clock_6", 133000, 0, 1000000, "kHz"),
    (33, "clock_7", 0, 0, 1000000, "kHz"),
    (34, "power_0", 0, 0, _POWER, "pw"),
    (35, "power_1", 12000, 0, _POWER, "pw"),
    (36, "power_2", 30000, 0, _POWER, "pw"),
    (37, "power_3", 60000, 0, _POWER, "pw"),
    (38, "power_4", 95000, 0, _POWER, "pw"),
    (39, "power_5", 135000, 0, _POWER, "pw"),
    (40, "power_6", 180000, 0, _POWER, "pw"),
    (41, "power_7", 0, 0, _POWER, "pw"),
    # A job stands for so many inferences; by default one of the project's model takes as long as on the CPU.
    (P_WORK_SCALE, "work_scale", 26187, 1, 1000000, ""),
    (P_ACCELERATOR_VERIFY, "accelerator_verify", 1, 0, 1000000, "answers, 0 never"),
    (P_ACCELERATOR_RETRY_S, "accelerator_retry", 600, 1, 86400, "s"),
)

_TABLES = (COMMANDS, CODES, TELEMETRY, EVENTS, MODES, RESET_CAUSES, SENSORS, PARAMETERS) + (
    ENGINES,
    ACCELERATOR_CAUSES,
)


def digest() -> bytes:
    # repr() of tuples of ints and plain strings is the same text on CPython and MicroPython.
    h = hashlib.sha256(b"ascnode dictionary 1")
    for table in _TABLES:
        for row in table:
            h.update(repr(row).encode())
    return h.digest()[:8]
