"""Words of an update by radio: one array('i') of the flight computer, hashed and compared with the rest."""

from ascnode_fw.compat import const

DUE = const(0)  # 1: it has something to do in each period
STATE = const(1)
KIND = const(2)
SIZE = const(3)
BLOCK = const(4)  # that is being gathered in memory, from 1; 0 none
MASK = const(5)  # its chunks
SEQUENCE = const(6)  # of the commit, for its completion report
AT = const(7)  # how far the package is unpacked, B
BOOTS = const(8)
TRIAL_S = const(9)
END_S = const(10)  # when a trial ends, or the reset comes
REVERT = const(11)
FAILED = const(12)  # code of the last update that did
WORDS = const(13)
# its states
NONE = const(0)
OPEN = const(1)
VERIFIED = const(2)
WAITING = const(3)  # for the jobs to end
INSTALLING = const(4)
RESETTING = const(5)  # soon
RESET_NOW = const(6)
NAMES = (
    "due",
    "state",
    "kind",
    "size",
    "block in memory",
    "its chunks",
    "sequence of commit",
    "unpacked",
    "boots of trial",
    "length of trial s",
    "end s",
    "revert",
    "failed",
)
