"""Whether an error is the rig's or the firmware's."""

from ascnode.errors import BoardError, InterpreterError, LinkDownError, ParityError, SessionError
from ascnode_hil.errors import BlockedError, HilUsageError


def is_rig(error: BaseException, opening: bool, hardware: bool) -> bool:
    """True for what keeps a test from saying anything of the firmware: then it is blocked, not failed.

    `opening`: the board was not ready yet. A board on a desk that goes away is the rig's; a virtual one that does has
    crashed, and that is the firmware's.
    """
    if isinstance(error, (BlockedError, LinkDownError, InterpreterError, HilUsageError)):
        return True
    if isinstance(error, ParityError):
        return False
    if isinstance(error, BoardError):
        return opening or hardware
    return opening and isinstance(error, (SessionError, OSError))
