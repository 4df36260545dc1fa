"""Power switches of a bench file."""

import sys
from collections.abc import Sequence

import pytest

from ascnode.boards import power_switch
from ascnode.boards.power_switch import Manual, NoSwitch, Relay, Uhubctl, cycle, run_command, switch_of
from ascnode.errors import BoardError, BoardTimeoutError


def refuse(text: str) -> None:
    raise AssertionError(f"nobody is to be asked: {text}")


def test_uhubctl_switches_one_port_of_one_hub() -> None:
    # The options as in uhubctl's README: -l location, -p port, -a action.
    ran: list[Sequence[str]] = []
    switch = switch_of("a", Uhubctl(switch="uhubctl", location="1-1.4", port=2), refuse, ran.append)
    cycle(switch, off_s=0)
    assert ran == [
        ["uhubctl", "-l", "1-1.4", "-p", "2", "-a", "off"],
        ["uhubctl", "-l", "1-1.4", "-p", "2", "-a", "on"],
    ]
    assert "power" in switch.capabilities


def test_a_relays_words_reach_the_program_as_they_are() -> None:
    code = "import sys; sys.exit(0 if sys.argv[1:] == ['a b', '$HOME; ls'] else 9)"
    relay = Relay(
        switch="relay", off=[sys.executable, "-c", code, "a b", "$HOME; ls"], on=[sys.executable, "-c", "1/0"]
    )
    switch = switch_of("a", relay, refuse)
    switch.off()
    with pytest.raises(BoardError, match=r"power switch failed: .*ZeroDivisionError"):
        switch.on()


def test_a_person_is_asked_by_name() -> None:
    asked: list[str] = []
    switch = switch_of("nadir", Manual(switch="manual"), asked.append)
    cycle(switch, off_s=0)
    assert [
        "Take the power" in asked[0],
        "Give power" in asked[1],
        "nadir" in asked[0] and "nadir" in asked[1],
    ] == [True] * 3
    assert switch.capabilities == {"power", "manual"}


def test_without_a_switch_the_capability_is_absent_and_asking_is_an_error() -> None:
    switch = switch_of("nadir", NoSwitch(), refuse)
    assert switch.capabilities == frozenset()
    for act in (switch.off, switch.on):
        with pytest.raises(BoardError, match="board nadir has no power switch"):
            act()


def test_a_switch_that_is_missing_or_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BoardError, match="cannot be run: no-such-program-here off"):
        run_command(["no-such-program-here", "off"])
    monkeypatch.setattr(power_switch, "COMMAND_S", 0.2)
    with pytest.raises(BoardTimeoutError, match=r"did not answer within 0\.2 s: sleep 30"):
        run_command(["sleep", "30"])
