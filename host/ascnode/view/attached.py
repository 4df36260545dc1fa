"""A run as the terminal's display shows it, from its record: boards as they last told, and the whole in a line."""

from collections import deque
from dataclasses import replace

from ascnode.record.packed import FleetState
from ascnode.record.reader import Reader
from ascnode.record.rows import Board, Slot, Telemetry
from ascnode.scenario.hardware import KELVIN_AT_0_C
from ascnode.scenario.status import Status
from ascnode_fw.wire import dictionary as d

_LOOK_BACK_US = 3_600_000_000  # housekeeping comes once a minute, unless a parameter says otherwise


def statuses(reader: Reader) -> list[Status]:
    """Every board that has told of itself; of the slot's end where the record has it, else of its housekeeping."""
    newest_us = reader.newest_us
    found = ((board, _housekeeping(reader, board, newest_us)) for board in reader.boards)
    slot = reader.slot_at(newest_us)
    return [_status(reader, board, told, slot) for board, told in found if told is not None]


def slot_line(reader: Reader) -> str:
    """The network and all compute nodes in the newest slot; empty before the first."""
    slot = reader.slot_at(reader.newest_us)
    if slot is None:
        return ""
    return (
        f"{slot.users_served} places served, {slot.links:,} lasers, {slot.jobs} jobs in nodes, "
        f"{slot.parcels_waiting} packets waiting, charge {slot.charge_min:.0%} least, load {slot.load_w:,.0f} W"
    )


def _housekeeping(reader: Reader, board: Board, newest_us: int) -> Telemetry | None:
    told = deque(reader.telemetry(board.node, "housekeeping", max(0, newest_us - _LOOK_BACK_US)), maxlen=1)
    return told.pop() if told else None


def _status(reader: Reader, board: Board, told: Telemetry, slot: Slot | None) -> Status:
    fields = told.fields
    status = Status(
        name=board.name,
        mode=_mode(fields["mode"]),
        charge=fields["charge"] / 1000,
        accelerator_c=fields["accelerator"] / 100 - KELVIN_AT_0_C,
        radiator_c=fields["radiator"] / 100 - KELVIN_AT_0_C,
        operating_point=fields["operating_point"],
        jobs=fields["jobs_queued"],
        packets=fields["packets_queued"],
        contact=fields["mode"] == d.DOWNLINK,
        sunlit=fields["array"] > 0,
        jobs_done=fields["jobs_done"],
    )
    state = reader.fleet_state(slot.number) if slot is not None else None
    return status if state is None else _newer(status, state, board.satellite)


def _newer(status: Status, state: FleetState, satellite: int) -> Status:
    mode = int(state.mode[satellite])
    return replace(
        status,
        mode=_mode(mode),
        charge=float(state.charge[satellite]),
        accelerator_c=float(state.accelerator_k[satellite]) - KELVIN_AT_0_C,
        radiator_c=float(state.radiator_k[satellite]) - KELVIN_AT_0_C,
        operating_point=int(state.operating_point[satellite]),
        jobs=int(state.jobs[satellite]),
        contact=mode == d.DOWNLINK,
        sunlit=bool(state.sunlit[satellite]),
    )


def _mode(number: int) -> str:
    return d.MODES[number] if 0 <= number < len(d.MODES) else str(number)
