"""Firmware that breaks one requirement each: what a suite that passes everything would not notice.

A mutation replaces one piece of one source file. `board`: where it shows, the twin for speed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old` occurs once in `file` (below ascnode_fw) and becomes `new`."""

    requirement: str
    what: str
    file: str
    old: str
    new: str
    board: str = "twin"
    accelerator: str = "none"


_POWER = "flight/power.py"
_COMPUTER = "flight/computer.py"
_GOVERNOR = "flight/governor.py"
_LINKS = "flight/links.py"
_TASKS = "flight/tasks.py"
_MODES = "flight/modes.py"
_COMMANDS = "flight/commands.py"
_PARAMS = "flight/params.py"
_AUTH = "wire/auth.py"

MUTATIONS = (
    Mutation(
        *("PWR-01", "no way back of its own", _POWER),
        "if soc < v[d.P_SOC_CHARGE] or (level >= 1 and soc < v[d.P_SOC_CHARGE_EXIT]):",
        "if soc < v[d.P_SOC_CHARGE]:",
    ),
    Mutation(
        *("PWR-01", "the accelerator goes on", _COMPUTER),
        "if f[f_.SHED]:\n            return 0",
        "if f[f_.SHED] > 1:\n            return 0",
    ),
    Mutation(
        *("PWR-02", "no way back of its own", _POWER),
        "if soc < v[d.P_SOC_SAFE] or (level == 2 and soc < v[d.P_SOC_SAFE_EXIT]):",
        "if soc < v[d.P_SOC_SAFE]:",
    ),
    Mutation(
        *("PWR-03", "darkness costs nothing", _POWER),
        "spare += balance(f[f_.ARRAY_PW] - bus, light_s) + balance(-bus, seconds - light_s)",
        "spare += balance(f[f_.ARRAY_PW] - bus, light_s)",
    ),
    Mutation(
        *("PWR-03", "twice the darkness is reckoned with", _POWER),
        "balance(-bus, seconds - light_s)",
        "2 * balance(-bus, seconds - light_s)",
    ),
    Mutation(
        *("PWR-04", "the plan of eclipses is not looked at", _POWER),
        "i = eclipses.current(f[f_.NOW_S])",
        "i = -1",
    ),
    Mutation(
        *("PWR-05", "leakage is left out", _POWER),
        "return max(0, room - leakage(f))",
        "return max(0, room)",
    ),
    Mutation(
        *("PWR-05", "the cap is not looked at", _COMPUTER),
        "if f[f_.CAP_PW]:\n            return min",
        "if False:\n            return min",
    ),
    Mutation(
        *("THM-01", "the trip is told and no more", _COMPUTER),
        "if f[f_.TRIPPED]:\n            cool = 0\n        elif",
        "if",
    ),
    Mutation(
        *("THM-02", "the trip ends where it begins", _GOVERNOR),
        "return 0 if f[f_.ACCELERATOR_CK] <= v[d.P_TEMP_TRIP_EXIT] else 1",
        "return 0 if f[f_.ACCELERATOR_CK] < v[d.P_TEMP_TRIP] else 1",
    ),
    Mutation(
        *("THM-02", "its end is not told", _COMPUTER),
        "self.telemetry.event(d.EV_TRIP if tripped else d.EV_TRIP_OVER, f[f_.ACCELERATOR_CK])",
        "self.telemetry.event(d.EV_TRIP, f[f_.ACCELERATOR_CK])",
    ),
    Mutation(
        *("THM-03", "the integral goes the wrong way", _GOVERNOR),
        "integral = f[f_.INTEGRAL] + (step if error >= 0 else -step)",
        "integral = f[f_.INTEGRAL] - (step if error >= 0 else -step)",
    ),
    Mutation(
        *("THM-03", "the target is 8 K too low", _GOVERNOR),
        "error = v[d.P_TEMP_TARGET] -",
        "error = v[d.P_TEMP_TARGET] - 800 -",
    ),
    Mutation(
        *("THM-04", "throttling is not counted", _COMPUTER), "f[f_.THROTTLED] += 1", "f[f_.THROTTLED] += 0"
    ),
    Mutation(
        *("LNK-01", "a contact begins when it is planned", "flight/plan.py"),
        "return i >= 0 and self.start(i) <= now_s",
        "return i >= 0",
    ),
    Mutation(
        *("LNK-01", "the plan alone is enough", _COMPUTER),
        "if f[f_.RADIO_LOCK] and self.contacts.within(f[f_.NOW_S])",
        "if self.contacts.within(f[f_.NOW_S])",
    ),
    Mutation(
        *("LNK-02", "deadlines do not count", _LINKS),
        "for k in (PRIORITY, DEADLINE_S, ORDER):",
        "for k in (PRIORITY, ORDER):",
    ),
    Mutation(
        *("LNK-02", "priorities do not count", _LINKS),
        "for k in (PRIORITY, DEADLINE_S, ORDER):",
        "for k in (ORDER,):",
    ),
    Mutation(
        *("LNK-03", "nothing is sent again", _LINKS),
        "if w[i] == _SENT and now_s - w[i + SENT_S] >= v[d.P_CUSTODY_S]:",
        "if w[i] == _SENT and now_s - w[i + SENT_S] >= 10 * v[d.P_CUSTODY_S]:",
    ),
    Mutation(
        *("LNK-03", "taking over frees nothing", _LINKS),
        "if w[i + COUNT] == count and w[i + CUSTODY]:",
        "if w[i + COUNT] == count + 1 and w[i + CUSTODY]:",
    ),
    Mutation(
        *("LNK-04", "one try more", _LINKS),
        "if w[i + TRIES] >= v[d.P_CUSTODY_TRIES]:",
        "if w[i + TRIES] > v[d.P_CUSTODY_TRIES]:",
    ),
    Mutation(*("LNK-04", "giving up is not told", _COMPUTER), "if given_up >= 0:", "if given_up > 1 << 20:"),
    Mutation(*("LNK-05", "twice the rate", _COMPUTER), "left = rate * link_ms", "left = 2 * rate * link_ms"),
    Mutation(
        *("LNK-05", "what a packet owes is forgotten", _COMPUTER),
        "need = len(packet) * 1000 - before",
        "need = len(packet) * 900 - before",
    ),
    Mutation(
        *("LNK-06", "the price stays", _LINKS),
        "price = min(_NEVER >> 2, price) * 4",
        "price = min(_NEVER >> 2, price)",
    ),
    Mutation(
        *("LNK-07", "a result is sent once", _LINKS),
        "if not w[i + CUSTODY]:\n            self._free(i)",
        "if w[i + PRIORITY] >= 0:\n            self._free(i)",
    ),
    Mutation(*("TSK-01", "shed load is no reason", _TASKS), "if f[f_.SHED]:", "if f[f_.SHED] > 2:"),
    Mutation(*("TSK-01", "heat is no reason", _TASKS), "if f[f_.TRIPPED]:", "if f[f_.TRIPPED] > 1:"),
    Mutation(
        *("TSK-01", "a late answer is no reason", _TASKS),
        "if wait_s >= deadline_s - f[f_.NOW_S]:",
        "if wait_s >= 99999:",
    ),
    Mutation(
        *("TSK-01", "the charge is no reason", _TASKS),
        "1000) > f[f_.SPARE_J]:",
        "1000) > f[f_.SPARE_J] + 9999999:",
    ),
    Mutation(
        *("TSK-01", "the wrong reason for a full queue", _TASKS), "return d.QUEUE_FULL", "return d.TOO_LATE"
    ),
    Mutation(
        *("TSK-02", "first come, first served", _TASKS),
        "for k in (PRIORITY, DEADLINE_S, ORDER):",
        "for k in (ORDER,):",
    ),
    Mutation(
        *("TSK-02", "priorities do not count", _TASKS),
        "for k in (PRIORITY, DEADLINE_S, ORDER):",
        "for k in (DEADLINE_S, ORDER):",
    ),
    Mutation(
        *("TSK-03", "five seconds of grace", _TASKS),
        "if w[i + DEADLINE_S] <= now_s:",
        "if w[i + DEADLINE_S] <= now_s - 5:",
    ),
    Mutation(
        *("TSK-04", "completion is not reported", _COMPUTER),
        "self.telemetry.report(d.TM_COMPLETE, w[i + t_.SEQUENCE], d.CMD_QUERY, code, s, ms)",
        "pass",
    ),
    Mutation(
        *("TSK-04", "a job is done twice", _COMPUTER),
        "        self.tasks.remove(slot)\n",
        "        if f[f_.JOBS_DONE] != 3:\n            self.tasks.remove(slot)\n",
    ),
    Mutation(*("MOD-01", "DOWNLINK ignores low charge", _MODES), "    (d.DOWNLINK, LOW, 0, d.CHARGE),\n", ""),
    Mutation(
        *("MOD-01", "SAFE is left too early", _MODES),
        "(d.SAFE, 0, CRITICAL, d.CHARGE)",
        "(d.SAFE, 0, 0, d.CHARGE)",
    ),
    Mutation(
        *("MOD-02", "what is commanded wins", _COMPUTER),
        "level = max(level, 3 - f[f_.COMMANDED])",
        "level = 3 - f[f_.COMMANDED]",
    ),
    Mutation(
        *("MOD-03", "old and new mode change places", _COMPUTER), "mode * 256 + target", "target * 256 + mode"
    ),
    Mutation(*("CMD-01", "no signature is checked", _AUTH), "if not signer.signed(packet):", "if False:"),
    Mutation(
        *("CMD-02", "the last number counts again and again", _AUTH),
        "if sequence <= self.last:",
        "if sequence < self.last - 9:",
    ),
    Mutation(
        *("CMD-03", "the window is open", _AUTH),
        "if sequence - self.last > self._window or sequence > SEQUENCE_MAX:",
        "if sequence > SEQUENCE_MAX:",
    ),
    Mutation(
        *("CMD-04", "only a ping is completed", _COMMANDS),
        "elif command not in _LATER:",
        "elif command == d.CMD_PING:",
    ),
    Mutation(
        *("CMD-04", "more arguments than there are pass", _COMMANDS),
        "if len(arguments) < size or (len(arguments) > size and not d.COMMANDS[command - 1][4]):",
        "if len(arguments) < size:",
    ),
    Mutation(
        *("CMD-05", "no upper limit", _PARAMS), "return row[3] <= value <= row[4]", "return row[3] <= value"
    ),
    Mutation(
        *("CMD-05", "no lower limit", _PARAMS), "return row[3] <= value <= row[4]", "return value <= row[4]"
    ),
    Mutation(
        *("RCV-01", "nothing is stored", _PARAMS),
        "self._store.write(self._name, self._pack())",
        "self._pack()",
    ),
    Mutation(
        *("RCV-01", "the file is taken away before it is written", _PARAMS),
        "self._store.write(self._name, self._pack())",
        "self._store.write(self._name, b'')\n            self._store.write(self._name, self._pack())",
    ),
    Mutation(*("RCV-02", "the plant is as new", "node.py"), "self.plant.state[word] = plant[word]", "pass"),
    Mutation(*("RCV-02", "the cause is not told", "node.py"), "d.WATCHDOG, f[f_.BOOTS]", "0, f[f_.BOOTS]"),
    Mutation(
        *("RCV-03", "numbers start again", _AUTH),
        "self.reserved = self.last = self._load()",
        "self.reserved, self.last = self._load(), 0",
    ),
    Mutation(
        *("RCV-04", "the cause is not told", "node.py"),
        "self.computer.telemetry.event(d.EV_BOOT, cause)",
        "self.computer.telemetry.event(d.EV_BOOT, 0)",
    ),
    Mutation(
        *("RCV-04", "it starts in COMPUTE", "node.py"),
        "f[f_.NOW_S], f[f_.NOW_MS], f[f_.BOOTS] = s, ms, boots",
        "f[f_.NOW_S], f[f_.NOW_MS], f[f_.BOOTS], f[f_.MODE] = s, ms, boots, 2",
    ),
    Mutation(
        *("RCV-05", "a watchdog is told as a power-on", "node.py"),
        "self.computer.telemetry.event(d.EV_BOOT, cause)",
        "self.computer.telemetry.event(d.EV_BOOT, cause % 3)",
    ),
    Mutation(
        *("TIM-01", "an event comes up to a second early", "sim.py"),
        "return s < f[f_.NOW_S] or (s == f[f_.NOW_S] and ms <= f[f_.NOW_MS])",
        "return s <= f[f_.NOW_S]",
    ),
    Mutation(
        *("TIM-02", "a result is made at the end of its period", _COMPUTER),
        "self._complete(f[f_.RUNNING], period_ms - left_ms)",
        "self._complete(f[f_.RUNNING], period_ms)",
    ),
    Mutation(
        *("TIM-03", "every exchange asks for housekeeping", "sim.py"),
        "        self._steps = self._applied = self._at = 0\n",
        "        self._steps = self._applied = self._at = 0\n        self.node.computer.f[f_.HK_NEXT_S] = 0\n",
    ),
    Mutation(
        *("TIM-04", "the period is always a second", _COMPUTER),
        "ms = f[f_.NOW_MS] + self.v[d.P_CONTROL_MS]",
        "ms = f[f_.NOW_MS] + 1000",
    ),
    Mutation(
        *("TIM-05", "the state is not what the answer says", "sim.py"),
        "buffers[buffer][1][word] ^= mask",
        "pass",
        "virtual",
    ),
    Mutation(
        *("TIM-06", "a request that comes again is obeyed again", "sim.py"),
        "if number == self.number:\n                self._answer()",
        "if number == self.number:\n                self._obey(kind, body, number)",
        "virtual",
    ),
    Mutation(
        *("ACC-01", "halves are rounded down", "accel/kernel_portable.py"),
        "part = (part + 16) >> 5",
        "part = part >> 5",
    ),
    Mutation(*("ACC-02", "any model will do", _COMMANDS), "if model != accelerator.model_id:", "if False:"),
    Mutation(
        *("ACC-02", "too long an input will do", _COMMANDS),
        "elif len(rest) != accelerator.input_size:",
        "elif len(rest) < accelerator.input_size:",
    ),
    Mutation(
        *("ACC-03", "half the energy is charged", _TASKS),
        "w[i + SPENT_MJ] + scale(power_pw, ms, 1000)",
        "w[i + SPENT_MJ] + scale(power_pw, ms, 2000)",
    ),
    Mutation(*("ACC-03", "time is not charged", _TASKS), "w[i + SPENT_MS] + ms)", "w[i + SPENT_MS])"),
    Mutation(
        *("ACC-04", "images are seen as negatives", "accel/software.py"),
        "self._kernel.flip(data, 0, self._arena, 0, self.input_size)",
        "self._kernel.flip(bytes(x ^ 255 for x in data), 0, self._arena, 0, self.input_size)",
    ),
    Mutation(
        *("ACC-05", "a failure of the accelerator is kept secret", _COMPUTER),
        "self.telemetry.event(d.EV_ACCELERATOR_LOST, code)",
        "pass",
        *("virtual", "golden"),
    ),
    Mutation(
        *("ACC-06", "the accelerator's memory is never looked at", "accel/memory.py"),
        "if not self._intact(at):",
        "if False:",
        *("virtual", "golden"),
    ),
    Mutation(
        *("ACC-07", "the accelerator always runs flat out", "accel/runs.py"),
        "self._throttle = _FULL - max(",
        "self._throttle = 0 * max(",
        *("virtual", "golden"),
    ),
)
