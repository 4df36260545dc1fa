"""The register table: the one place where a register's address, fields and meaning are written down."""

from dataclasses import dataclass
from enum import Enum, IntEnum

BASE = 0x8000  # word address of offset 0
OFFSET_BITS = 5
COUNTERS_OFFSET = 0x10  # of the first counter; they follow each other
COUNTER_BITS = 28
IDENTITY = int.from_bytes(b"ASCN", "little")
VERSION = (1, 0)  # major: a driver for another one must not run; minor: something was added


class Access(Enum):
    """What a read returns and a write does."""

    CONSTANT = "constant"  # reads its reset value
    STATUS = "read only"  # reads what the hardware says
    HELD = "read, write"  # keeps what was written
    WRITE_ONLY = "write only"  # keeps what was written, reads 0
    PULSE = "write 1"  # a 1 acts once; reads 0
    COMMAND = "write acts"  # the write acts, with the value; nothing is kept; reads 0
    FLAG = "write 1 clears"  # the hardware sets it; setting wins
    COUNTER = "counter"  # counts cycles with an event; START clears it; wraps; a read waits some cycles
    ERRORS = (
        "error counter"  # counts events and stays at its largest value; a write to the register clears it
    )


class ErrorCode(IntEnum):
    """STATUS.error: why the engine stopped."""

    NONE = 0
    OPCODE = 1  # a job's opcode is unknown
    WATCHDOG = 2  # no progress for WATCHDOG x 256 cycles
    STREAM_CRC = 3  # a block's CRC stayed wrong in every attempt
    FLASH = 4  # the flash does not answer, or was not granted
    ABORTED = 5  # CONTROL.abort


@dataclass(frozen=True)
class Field:
    """`width` bits from bit `low`; `name` is unique in the table and names the field's wire."""

    name: str
    low: int
    width: int
    access: Access
    meaning: str
    reset: int = 0

    @property
    def mask(self) -> int:
        return ((1 << self.width) - 1) << self.low

    @property
    def readable(self) -> bool:
        return self.access not in (Access.WRITE_ONLY, Access.PULSE, Access.COMMAND)


@dataclass(frozen=True)
class Register:
    """A word at BASE + offset; bits outside its fields read 0, and writing them does nothing."""

    name: str
    offset: int
    meaning: str
    fields: tuple[Field, ...]

    @property
    def address(self) -> int:
        """Word address on the host port."""
        return BASE + self.offset


def _whole(name: str, offset: int, width: int, access: Access, meaning: str, reset: int = 0) -> Register:
    """A register with one field from bit 0, which has the register's name."""
    return Register(name, offset, meaning, (Field(name.lower(), 0, width, access, meaning, reset),))


REGISTERS: tuple[Register, ...] = (
    _whole("ID", 0x00, 32, Access.CONSTANT, "the bytes ASCN, A lowest", IDENTITY),
    Register(
        "VERSION",
        0x01,
        "of this table",
        (
            Field("minor", 0, 8, Access.CONSTANT, "raised when something is added", VERSION[1]),
            Field("major", 8, 8, Access.CONSTANT, "raised when a driver must change", VERSION[0]),
        ),
    ),
    Register(
        "CONTROL",
        0x02,
        "runs the engine",
        (
            Field("start", 0, 1, Access.PULSE, "run the program at PROGRAM; clears counters"),
            Field("abort", 1, 1, Access.PULSE, "stop before the next job"),
            Field("resume", 2, 1, Access.PULSE, "go on after a pause"),
            Field("single_step", 8, 1, Access.HELD, "pause at the end of every layer"),
            Field("irq_enable", 9, 1, Access.HELD, "drive the IRQ pin while a flag of IRQ is set"),
            Field("stream_host", 10, 1, Access.HELD, "who fills the ring: 0 flash, 1 host"),
        ),
    ),
    Register(
        "STATUS",
        0x03,
        "of the engine",
        (
            Field("busy", 0, 1, Access.STATUS, "a program runs or is paused"),
            Field("done", 1, 1, Access.STATUS, "the last program reached END; START clears it"),
            Field("paused", 2, 1, Access.STATUS, "waits for CONTROL.resume"),
            Field("error", 4, 4, Access.STATUS, "why it stopped: an error code, 0 none"),
            Field("layer", 8, 8, Access.STATUS, "layers whose output is complete"),
            Field("ring_free", 16, 9, Access.STATUS, "blocks of the ring that can be filled"),
        ),
    ),
    Register(
        "IRQ",
        0x04,
        "what has happened since it was cleared",
        (
            Field("irq_done", 0, 1, Access.FLAG, "a program reached END"),
            Field("irq_error", 1, 1, Access.FLAG, "a program stopped with an error"),
            Field("irq_paused", 2, 1, Access.FLAG, "the engine paused"),
        ),
    ),
    _whole("PROGRAM", 0x05, 15, Access.WRITE_ONLY, "address of the first job"),
    _whole("THROTTLE", 0x06, 8, Access.WRITE_ONLY, "n: the engine stands still in n of 256 cycles"),
    _whole(
        "WATCHDOG",
        0x07,
        16,
        Access.WRITE_ONLY,
        "units of 256 cycles without progress, then, at most one later, error 2; 0 never",
    ),
    _whole("RING_BASE", 0x08, 15, Access.WRITE_ONLY, "address of the stream ring, a multiple of 64"),
    _whole("RING_BLOCKS", 0x09, 9, Access.WRITE_ONLY, "blocks of 64 words in the ring, at most 256"),
    _whole("RING_COMMIT", 0x0A, 8, Access.COMMAND, "the host has written that many more blocks"),
    _whole("FLASH_ADDRESS", 0x0B, 24, Access.WRITE_ONLY, "byte address of the stream in flash"),
    _whole("FLASH_BLOCKS", 0x0C, 16, Access.WRITE_ONLY, "blocks of the stream in flash"),
    Register(
        "ERRORS",
        0x0F,
        "of links, since it was written; any value clears all",
        (
            Field("crc_errors", 0, 4, Access.ERRORS, "host frames with a wrong CRC"),
            Field("frame_errors", 8, 4, Access.ERRORS, "host frames cut short, too long, late or rejected"),
            Field("flash_errors", 16, 4, Access.ERRORS, "stream blocks with a wrong CRC, each read again"),
        ),
    ),
    _whole("CYCLES", 0x10, COUNTER_BITS, Access.COUNTER, "cycles since START until END"),
    _whole("STALLS", 0x11, COUNTER_BITS, Access.COUNTER, "cycles in which the array waited for words"),
    _whole("THROTTLED", 0x12, COUNTER_BITS, Access.COUNTER, "cycles that THROTTLE took"),
    _whole("WORDS", 0x13, COUNTER_BITS, Access.COUNTER, "words of the stream taken by the engine"),
    _whole("PIXELS", 0x14, COUNTER_BITS, Access.COUNTER, "words that went past the array"),
)


def field_named(name: str) -> tuple[Register, Field]:
    """KeyError when there is none."""
    for register in REGISTERS:
        for field in register.fields:
            if field.name == name:
                return register, field
    raise KeyError(name)
