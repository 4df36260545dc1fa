"""Telecommands: each is accepted or refused with a code, then completed or failed with a code."""

import struct

from ascnode_fw.compat import const
from ascnode_fw.flight import layout as f_
from ascnode_fw.flight.links import HOUSEKEEPING
from ascnode_fw.flight.tasks import INPUT_MAX, WORK_MAX
from ascnode_fw.flight.telemetry import OUTPUT_MAX
from ascnode_fw.wire import dictionary as d

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.flight.computer import FlightComputer

_POWER_MAX = (1 << 20) - 1
_UPDATE_STATE = const(1)  # of flight/update_words.py, which loads with an update only
_UPDATE_WAITING = const(3)
_SMALL = 1 << 30  # from here on a number is no small integer on a 32-bit board


_LATER = (d.CMD_QUERY, d.CMD_UPDATE_COMMIT, d.CMD_UPDATE_REVERT)  # complete with a job, or when no job runs


def execute(computer: "FlightComputer", command: int, sequence: int, arguments: memoryview) -> None:
    # Runs an authenticated telecommand and queues its reports.
    f = computer.f
    code = _code(computer, command, sequence, arguments)
    computer.telemetry.report(d.TM_ACCEPT, sequence, command, code, f[f_.NOW_S], f[f_.NOW_MS])
    if code != d.OK:
        f[f_.COMMANDS_REFUSED] += 1
    elif command not in _LATER:
        computer.telemetry.report(d.TM_COMPLETE, sequence, command, d.OK, f[f_.NOW_S], f[f_.NOW_MS])


def _code(computer: "FlightComputer", command: int, sequence: int, arguments: memoryview) -> int:
    if not 0 < command <= len(d.COMMANDS):
        return d.UNKNOWN_COMMAND
    layout = d.COMMANDS[command - 1][2]
    size = struct.calcsize(layout)
    if len(arguments) < size or (len(arguments) > size and not d.COMMANDS[command - 1][4]):
        return d.BAD_ARGUMENTS
    fixed = struct.unpack_from(layout, arguments, 0)
    rest = memoryview(arguments)[size:]
    if d.CMD_UPDATE_BEGIN <= command <= d.CMD_UPDATE_REVERT:
        return _update(computer, command, fixed, rest, sequence)
    return _HANDLERS[command](computer, fixed, rest, sequence)


def _ping(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    return d.OK


def _set_param(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    code = computer.params.set(fixed[0], fixed[1])
    if code == d.NOT_STORED:
        computer.telemetry.event(d.EV_PARAM_WRITE_FAILED, fixed[0])
    return code


def _get_param(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if fixed[0] >= len(d.PARAMETERS):
        return d.UNKNOWN_PARAMETER
    computer.telemetry.now(d.TM_PARAM, HOUSEKEEPING, fixed[0], computer.v[fixed[0]])
    return d.OK


def _set_mode(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if fixed[0] > 2:
        return d.OUT_OF_LIMITS
    computer.f[f_.COMMANDED] = fixed[0]
    return d.OK


def _cap_power(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if fixed[0] > _POWER_MAX:
        return d.OUT_OF_LIMITS
    computer.f[f_.CAP_PW] = fixed[0]
    return d.OK


def _plan_clear(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if fixed[0] > d.PLAN_ECLIPSES:
        return d.OUT_OF_LIMITS
    computer.plans[fixed[0]].clear()
    return d.OK


def _plan_add(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if fixed[0] > d.PLAN_ECLIPSES or len(rest) % 8:
        return d.BAD_ARGUMENTS
    computer.plans[fixed[0]].current(computer.f[f_.NOW_S])  # what is over makes room
    for at in range(0, len(rest), 8):
        start_s, end_s = struct.unpack_from(">II", rest, at)
        if start_s >= _SMALL or end_s >= _SMALL:
            return d.OUT_OF_LIMITS
        if not computer.plans[fixed[0]].add(start_s, end_s):
            return d.PLAN_FULL
    return d.OK


def _query(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    job, model, priority, deadline_s = fixed  # as the dictionary has them
    accelerator = computer.accelerator
    work_kc = 0
    code = d.OK
    if model != accelerator.model_id:
        code = d.UNKNOWN_MODEL
    elif len(rest) != accelerator.input_size:
        code = d.BAD_ARGUMENTS
    elif not computer.work_kc():
        code = d.ACCELERATOR_FAILED
    elif deadline_s >= _SMALL or job >= _SMALL or not _manageable(computer):
        code = d.OUT_OF_LIMITS
    elif computer.update[_UPDATE_STATE] >= _UPDATE_WAITING:
        code = d.UPDATE_BUSY  # a swap waits for the jobs to end
    else:
        work_kc = computer.work_kc()
        if not computer.tasks.held():
            computer.plan()
        point = computer.expected_point()
        code = computer.tasks.refusal(computer.f, computer.v, point, work_kc, priority, deadline_s)
    if code == d.OK:
        computer.tasks.add(computer.f, (job, model, priority, deadline_s), sequence, work_kc, rest)
    else:
        computer.f[f_.JOBS_REFUSED] += 1
    return code


def _manageable(computer: "FlightComputer") -> bool:
    # Whether the model's input fits a slot, its output a packet, and its work, on any engine, a job.
    model = computer.accelerator
    engine = computer.engine
    v = computer.v
    if model.input_size > INPUT_MAX or model.output_size > OUTPUT_MAX:
        return False
    if engine is not None and engine.cycles // 1000 >= WORK_MAX // v[d.P_WORK_SCALE]:
        return False
    return model.macs // 1000 < WORK_MAX // v[d.P_CYCLES_PER_MAC]


def _custody(computer: "FlightComputer", fixed: "tuple[int, ...]", rest: memoryview, sequence: int) -> int:
    if not len(rest) or len(rest) % 2:
        return d.BAD_ARGUMENTS
    for at in range(0, len(rest), 2):
        computer.links.take_over(rest[at] << 8 | rest[at + 1])
    return d.OK


def _update(
    computer: "FlightComputer", command: int, fixed: "tuple[int, ...]", rest: memoryview, sequence: int
) -> int:
    # Their module loads with the first of them.
    try:
        return computer.updates().obey(command, fixed, rest, sequence)
    except OSError:
        return d.NOT_STORED
    except MemoryError:
        return d.UPDATE_NO_MEMORY


_HANDLERS = {
    d.CMD_PING: _ping,
    d.CMD_SET_PARAM: _set_param,
    d.CMD_GET_PARAM: _get_param,
    d.CMD_SET_MODE: _set_mode,
    d.CMD_CAP_POWER: _cap_power,
    d.CMD_PLAN_CLEAR: _plan_clear,
    d.CMD_PLAN_ADD: _plan_add,
    d.CMD_QUERY: _query,
    d.CMD_CUSTODY: _custody,
}
