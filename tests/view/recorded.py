"""Records of runs that were never flown, written slot by slot: known values, in no time, as long as a test wants."""

import json
import math
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from ascnode.record.catalogue import process_mark
from ascnode.record.database import Record
from ascnode.record.packed import FleetState, pack_fleet, pack_json
from ascnode.scenario.scenario import Scenario, load, ready_made
from ascnode.scenario.slots import bounds_us
from ascnode.sky.cities import load_cities

PERIOD_S = 5735.0
PLACES = [[0, 0], [18, 5], [36, 11], [54, 16], [9, 3], [27, 8], [45, 14], [63, 19]]
QUERY_S, FLIGHT_S = 5, 2.5  # between queries, and of one
TRIP_S, FAULT_S = 900, 1200
PARTS = (5_000, 120_000, 100_000, 2_200_000, 71_000, 4_000)  # 2.5 s together
LOST_EVERY = 50


def scenario(length_s: int, boards: int = 4) -> Scenario:
    """The demo's constellation with so many boards, for so long."""
    demo = load(ready_made("demo"))
    table = demo.constellation.model_copy(update={"boards": tuple(map(tuple, PLACES[:boards]))})
    return Scenario.model_validate(
        {
            **demo.model_dump(mode="json"),
            "constellation": table.model_dump(),
            "duration_s": length_s,
            "name": "known",
        }
    )


def charge(t_s: float, board: int) -> float:
    """State of charge of a board."""
    return 0.75 + 0.2 * math.sin(2 * math.pi * t_s / PERIOD_S + board)


BUSY_PACKETS, BUSY_FRAMES, FRAME_BYTES = 20, 9, 300  # of a board in a slot, as in the demo


class Writer:
    """Writes the slots of a scenario one after the other; of busy boards all the packets and frames, too."""

    def __init__(self, path: Path, flown: Scenario, busy: bool = False) -> None:
        self.busy = busy
        self.record = Record(path)
        self.space = flown.space
        self.bounds = bounds_us(flown.epoch, flown.length_s)
        self.record.values("run", {"scenario": flown.model_dump(mode="json"), "length_s": flown.length_s})
        self.record.values("wall", {"process": process_mark()})
        self.cities = [city.name for city in load_cities()]
        self.jobs = 0
        for node, satellite in enumerate(self.space.boards):
            name = self.space.name(satellite)
            self.record.add("boards", node, satellite, name, "twin", f"{node:04x}", "0.1.0", "aa", 0)
            self._event(node, 0, 1, 1, 4)
        self.record.commit()

    def slot(self, i: int, first: int) -> None:
        """The i-th slot of the run, whose own number is first + i."""
        start_us, end_us = self.bounds[i]
        end_s = end_us / 1e6
        self.record.add("fleet", first + i, start_us, self._fleet(end_s))
        self.record.add("service", first + i, self._service(i))
        for node in range(len(self.space.boards)):
            self._tell(node, start_us, end_us)
            if self.busy:
                self._work(node, start_us)
        for t in range(math.ceil(start_us / 1e6), math.ceil(end_s)):
            if t % QUERY_S == 0:
                self._query(t)
        values = (3168, 2, 0, i % 3, 100 * (i % 3), i % 7, 0.55, 0.75, 350.25, 330.5, 480.0 + i % 100)
        self.record.add("slots", first + i, start_us, end_us, *values)

    def _fleet(self, t_s: float) -> bytes:
        n, boards = self.space.count, list(self.space.boards)
        no = np.zeros(n, np.bool_)
        level, jobs = np.full(n, 0.9), np.zeros(n, np.int64)
        for node, satellite in enumerate(boards):
            level[satellite] = charge(t_s, node)
            jobs[satellite] = node
        marked, out, tripped = no.copy(), no.copy(), no.copy()
        marked[boards] = True
        out[7] = True
        tripped[boards[1]] = TRIP_S <= t_s < TRIP_S + 300
        kelvin = np.full(n, 330.0)
        state = FleetState(
            level, kelvin, kelvin - 10, jobs, jobs, np.full(n, 2), ~no, out, no, no, tripped, marked
        )
        return pack_fleet(state)

    def _service(self, i: int) -> bytes:
        serving = [-1] * len(self.cities)
        serving[:2] = [100 + i % 50, 200]
        return pack_json(
            {
                "serving": serving,
                "gateway": [[200], [3]],
                "lasers_out": [[0, 1]],
                "lasers_more": [],
                "out": [7],
                "gateways_out": [],
            }
        )

    def _tell(self, node: int, start_us: int, end_us: int) -> None:
        for t_s in range(math.ceil(start_us / 1e6), math.ceil(end_us / 1e6)):
            if t_s % 60 == 0:
                self._housekeeping(node, t_s)
            if t_s % 600 == 0 and t_s:
                self._event(node, t_s, 2, 1, 2 * 256 + 3)
            if t_s == TRIP_S and node == 1:
                self._event(node, t_s, 3, 4, 36_915)
            if t_s == FAULT_S and node == 0:
                self.record.numbered(
                    "faults", 0, t_s * 1_000_000, "board", "power_cut", "off for 40 s", "COMPUTE"
                )

    def _work(self, node: int, start_us: int) -> None:
        fields = '{"code": 0, "command": 9, "sequence": 1}'
        for _ in range(BUSY_PACKETS):
            self.record.numbered("telemetry", node, start_us, start_us, "acceptance", fields, b"", bytes(24))
        for _ in range(BUSY_FRAMES):
            self.record.numbered("frames", node, start_us, "up", bytes(FRAME_BYTES))

    def _housekeeping(self, node: int, t_s: int) -> None:
        fields = {
            **{
                "accelerator": 33_000 + t_s % 1000,
                "radiator": 32_000,
                "array": 350_000,
                "load": 60_000 + node,
            },
            **{"charge": round(1000 * charge(t_s, node)), "cap": 0, "mode": 3, "operating_point": node % 7},
            **{"jobs_queued": node, "packets_queued": 1, "throttled": t_s // 2, "jobs_done": t_s // 10},
            **{"jobs_refused": 0, "commands_refused": 0},
        }
        self._packet(node, t_s, "housekeeping", fields)

    def _event(self, node: int, t_s: int, event: int, severity: int, value: int) -> None:
        self._packet(node, t_s, "event", {"event": event, "severity": severity, "value": value})

    def _packet(self, node: int, t_s: int, name: str, fields: dict[str, int]) -> None:
        text, us = json.dumps(fields, sort_keys=True), t_s * 1_000_000
        self.record.numbered("telemetry", node, us, us, name, text, b"", b"")

    def _query(self, t_s: int) -> None:
        job, self.jobs = self.jobs, self.jobs + 1
        node, place = (
            int(self.space.compute[job % len(self.space.compute)]),
            self.cities[job % len(self.cities)],
        )
        lost = job % LOST_EVERY == LOST_EVERY - 1
        sent_us = t_s * 1_000_000
        done = (None, None, None) if lost else (sent_us + sum(PARTS), 4, 117.5)
        head = (job, "inference", node, place, 9, 4, 1, sent_us, t_s + 120)
        self.record.add("queries", *head, *PARTS, *done, 1, "no route" if lost else "", job + 1)

    def end(self) -> None:
        """The run is over."""
        figures = {"queries_sent": self.jobs, "answered": self.jobs - self.jobs // LOST_EVERY, "late": 0}
        self.record.values("figures", {**figures, "lost": self.jobs // LOST_EVERY})
        self.record.close()


def write_record(
    path: Path,
    length_s: int,
    boards: int = 4,
    slots: int | None = None,
    end: bool = True,
    busy: bool = False,
) -> Path:
    """A whole record, or its first `slots`; without its end, that of a run whose process is gone."""
    flown = scenario(length_s, boards)
    writer = Writer(path, flown, busy)
    first = first_slot(flown)
    for i in range(len(writer.bounds[:slots])):
        writer.slot(i, first)
    if end:
        writer.end()
        return path
    writer.record.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM wall WHERE key = 'process'")
    return path


def first_slot(flown: Scenario) -> int:
    """Number of the slot under way at the epoch: whole 15 s since 1970-01-01 00:00:12."""
    return int((flown.epoch.timestamp() - 12) // 15)


def _grow(path: Path, length_s: int, slot_s: float, hold: bool = False) -> None:
    """Writes a slot every slot_s of wall time, as a run would; `hold`: it ends once standard input does."""
    flown = scenario(length_s)
    writer = Writer(path, flown)
    for i in range(len(writer.bounds)):
        writer.slot(i, first_slot(flown))
        writer.record.commit()
        time.sleep(slot_s)
    if hold:
        sys.stdin.read()
    writer.end()


if __name__ == "__main__":
    _grow(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), "hold" in sys.argv)
