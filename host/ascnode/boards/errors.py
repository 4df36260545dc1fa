"""The errors of boards, from the one tree in ascnode.errors."""

from ascnode.errors import BoardError as BoardError
from ascnode.errors import BoardTimeoutError as BoardTimeoutError
from ascnode.errors import InterpreterError as InterpreterError
