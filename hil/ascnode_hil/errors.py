"""What keeps a test from saying anything about the firmware."""

from ascnode.errors import AscnodeError


class BlockedError(AscnodeError):
    """The rig cannot do what the test needs: no power switch, a lost link, a board that is not there."""


class HilUsageError(AscnodeError):
    """An option that makes no sense."""
