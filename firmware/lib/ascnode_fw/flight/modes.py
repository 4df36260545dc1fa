"""Operating modes and the table of their transitions."""

from ascnode_fw.compat import const
from ascnode_fw.wire import dictionary as d

# Conditions under which a transition is taken.
CRITICAL = const(1)  # charge below the safe limit, or SAFE commanded
LOW = const(2)  # charge below the working limit, or CHARGE commanded
CONTACT = const(4)  # a ground contact of the plan, and the radio has lock

# (from, conditions that must hold, conditions that must not, to); the first row that fits is taken.
TABLE = (
    (d.CHARGE, CRITICAL, 0, d.SAFE),
    (d.COMPUTE, CRITICAL, 0, d.SAFE),
    (d.DOWNLINK, CRITICAL, 0, d.SAFE),
    (d.SAFE, 0, CRITICAL, d.CHARGE),
    (d.COMPUTE, LOW, 0, d.CHARGE),
    (d.DOWNLINK, LOW, 0, d.CHARGE),
    (d.CHARGE, 0, LOW, d.COMPUTE),
    (d.COMPUTE, CONTACT, 0, d.DOWNLINK),
    (d.DOWNLINK, 0, CONTACT, d.COMPUTE),
)


def next_mode(mode: int, conditions: int) -> int:
    for source, required, forbidden, target in TABLE:
        if source == mode and conditions & required == required and not conditions & forbidden:
            return target
    return mode
