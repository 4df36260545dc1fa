"""What is compiled for a board: the same numbers, formats and digest, without texts that only a host reads."""

from pathlib import Path
from typing import Any

import pytest

from ascnode.boards.board_texts import shorten
from ascnode_fw.plant import layout
from ascnode_fw.wire import dictionary

SOURCE = Path(dictionary.__file__).read_text()


@pytest.fixture(scope="module")
def board() -> dict[str, Any]:
    """The names of the board's module."""
    names: dict[str, Any] = {}
    exec(shorten(SOURCE, dictionary.__name__), names)
    return names


def test_the_digest_is_the_whole_dictionary_s(board: dict[str, Any]) -> None:
    assert board["digest"]() == dictionary.digest()


def test_every_integer_is_there(board: dict[str, Any]) -> None:
    integers = {name: value for name, value in vars(dictionary).items() if type(value) is int}
    assert len(integers) > 100
    assert {name: board[name] for name in integers} == integers


@pytest.mark.parametrize(
    ("table", "columns"),
    [("PARAMETERS", (0, 2, 3, 4)), ("EVENTS", (0, 2)), ("TELEMETRY", (0, 2)), ("COMMANDS", (0, 2))],
)
def test_rows_keep_numbers_and_formats_in_their_places(
    board: dict[str, Any], table: str, columns: tuple[int, ...]
) -> None:
    def cut(rows: Any) -> list[Any]:
        return [tuple(row[column] for column in columns) for row in rows]

    assert cut(board[table]) == cut(getattr(dictionary, table))
    assert {len(row) for row in board[table]} == {len(row) for row in getattr(dictionary, table)}


def test_whether_data_may_follow_a_command_is_still_told(board: dict[str, Any]) -> None:
    told = [bool(row[4]) for row in board["COMMANDS"]]
    assert told == [bool(row[4]) for row in dictionary.COMMANDS]
    assert len(set(told)) == 2


def test_lines_stay_where_they_are_and_texts_are_gone() -> None:
    short = shorten(SOURCE, dictionary.__name__)
    assert short.count("\n") == SOURCE.count("\n")
    line = SOURCE.split("\n").index("P_WORK_SCALE = 42")
    assert short.split("\n")[line] == "P_WORK_SCALE = 42"
    assert "charge_safe" not in short
    assert len(short) < 0.75 * len(SOURCE)


def test_names_of_words_are_gone_and_what_a_board_says_stays() -> None:
    path = Path(layout.__file__)
    short = shorten(path.read_text(), layout.__name__)
    assert "STATE_NAMES = ()\n" in short
    assert short.count("\n") == path.read_text().count("\n")
    hal = 'class Hal:\n    capabilities = ("rp2",)\nMIXED = (1, "a")\nEMPTY = ()\n'
    assert shorten(hal, "ascnode_fw.hal.rp2") == hal


def test_a_syntax_error_is_left_to_the_board_s_compiler() -> None:
    assert shorten("def f(:\n", "ascnode_fw.node") == "def f(:\n"
