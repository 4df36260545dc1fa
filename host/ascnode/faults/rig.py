"""What a rig cannot inject."""

from collections.abc import Iterable

from ascnode.faults.schedule import Board, Fault, Upset, Wire


def unsupported(
    faults: Iterable[tuple[int, Fault]], capabilities: frozenset[str], cable: bool, board: bool
) -> list[str]:
    """Of (number, fault), what cannot be injected, in words. `capabilities` are a Control's; `cable`, `board`: whether
    there is one."""
    reasons = ((number, _reason(one, capabilities, cable, board)) for number, one in faults)
    return [f"fault[{number}]: {reason}" for number, reason in reasons if reason]


def _reason(one: Fault, capabilities: frozenset[str], cable: bool, board: bool) -> str:
    if isinstance(one, Wire) and not cable:
        return "there is no cable to this node"
    if isinstance(one, Board):
        needs = "reset" if one.effect in ("reset", "watchdog") else "power"
        needs = "write" if one.write is not None else needs
        return "" if needs in capabilities else f"nothing here can do a {one.effect} ({needs})"
    if isinstance(one, Upset) and one.target == "model" and not board:
        return "a twin alone runs the host's model, not one in its memory"
    return ""
