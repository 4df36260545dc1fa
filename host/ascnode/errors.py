"""What can go wrong on the host, as a tree. Each message is one sentence that a user can act on.

AscnodeError
├── StoppedError       Ctrl-C
├── ScenarioError      a scenario that makes no sense, with the key that is wrong
├── BenchError         a bench file that makes no sense, with the key that is wrong
├── BoardError         a board, its process, its port or its flash
│   ├── InterpreterError   no usable MicroPython for a virtual board
│   ├── WrongBoardError    a board is not the one, or not of the kind, that was asked for
│   └── BoardTimeoutError  a board did not do something before its deadline
├── SessionError       the talk with a board
│   ├── SessionTimeoutError      nothing came in time; says what was waited for
│   │   └── LinkDownError            and it had been asked for again and again: the cable, not the board
│   └── DictionaryMismatchError  host and board do not speak the same dictionary
├── ParityError        board and twin differ; names step, field and both values
├── PushError          a model or firmware that cannot go up, did not arrive, or made nodes worse
└── RecordError        the run's record cannot be written or read
    └── ReplayError        it cannot be replayed on this board, or at all
"""


class AscnodeError(Exception):
    """Base of all errors that end a command with one sentence and a status."""

    status = 1


class StoppedError(AscnodeError):
    """The user pressed Ctrl-C."""

    status = 130


class ScenarioError(AscnodeError):
    """The scenario makes no sense."""


class BenchError(AscnodeError):
    """The bench file makes no sense."""


class BoardError(AscnodeError):
    """A board, its process, its port or its flash failed."""


class InterpreterError(BoardError):
    """The MicroPython interpreter that was named cannot run a virtual board."""


class WrongBoardError(BoardError):
    """A board is not the one, or not of the kind, that was asked for; nothing was written to it."""


class BoardTimeoutError(BoardError):
    """A deadline passed; the message says what was waited for and how long."""


class SessionError(AscnodeError):
    """The talk with a board failed."""


class SessionTimeoutError(SessionError):
    """A deadline passed."""


class LinkDownError(SessionTimeoutError):
    """A request was sent as often as it may be, and its answer did not come through: a run is blocked, not failed."""


class DictionaryMismatchError(SessionError):
    """Host and board do not speak the same dictionary."""


class ParityError(AscnodeError):
    """Board and twin differ."""


class PushError(AscnodeError):
    """A model or firmware cannot go up, did not arrive, or made nodes worse."""


class RecordError(AscnodeError):
    """The run's record cannot be written or read."""


class ReplayError(RecordError):
    """A record cannot be replayed on this board, or at all; the message says why."""
