"""Records as earlier versions wrote them: the SQL of their time, with a few rows."""

import json
import sqlite3
from pathlib import Path

_V1 = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE boards (
  node INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, unique_id TEXT NOT NULL,
  version TEXT NOT NULL, dictionary TEXT NOT NULL, power_scale INTEGER NOT NULL);
CREATE TABLE frames (
  node INTEGER NOT NULL, number INTEGER NOT NULL, direction TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE telemetry (
  node INTEGER NOT NULL, number INTEGER NOT NULL, heard_us INTEGER NOT NULL, made_us INTEGER NOT NULL,
  name TEXT NOT NULL, fields TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE queries (
  job INTEGER PRIMARY KEY, node INTEGER NOT NULL, city TEXT NOT NULL, image INTEGER NOT NULL,
  label INTEGER NOT NULL, priority INTEGER NOT NULL, sent_us INTEGER NOT NULL, deadline_s INTEGER NOT NULL,
  answered_us INTEGER, guess INTEGER, energy_j REAL, cause TEXT NOT NULL);
CREATE TABLE figures (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE wall (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_V3 = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE boards (
  node INTEGER PRIMARY KEY, satellite INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  unique_id TEXT NOT NULL, version TEXT NOT NULL, dictionary TEXT NOT NULL, power_scale INTEGER NOT NULL);
CREATE TABLE frames (
  node INTEGER NOT NULL, number INTEGER NOT NULL, time_us INTEGER NOT NULL, direction TEXT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE telemetry (
  node INTEGER NOT NULL, number INTEGER NOT NULL, sent_us INTEGER NOT NULL, made_us INTEGER NOT NULL,
  name TEXT NOT NULL, fields TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE faults (
  node INTEGER NOT NULL, number INTEGER NOT NULL, time_us INTEGER NOT NULL, kind TEXT NOT NULL,
  target TEXT NOT NULL, detail TEXT NOT NULL, mode TEXT NOT NULL, PRIMARY KEY (node, number)) WITHOUT ROWID;
CREATE TABLE queries (
  job INTEGER PRIMARY KEY, kind TEXT NOT NULL, node INTEGER NOT NULL, place TEXT NOT NULL,
  image INTEGER NOT NULL, label INTEGER NOT NULL, priority INTEGER NOT NULL,
  sent_us INTEGER NOT NULL, deadline_s INTEGER NOT NULL, uplink_us INTEGER NOT NULL, mesh_us INTEGER NOT NULL,
  queue_us INTEGER NOT NULL, compute_us INTEGER NOT NULL, wait_us INTEGER NOT NULL, downlink_us INTEGER NOT NULL,
  answered_us INTEGER, guess INTEGER, energy_j REAL, tries INTEGER NOT NULL, cause TEXT NOT NULL);
CREATE TABLE slots (
  number INTEGER PRIMARY KEY, start_us INTEGER NOT NULL, links INTEGER NOT NULL, users_served INTEGER NOT NULL,
  satellites_out INTEGER NOT NULL, parcels_waiting INTEGER NOT NULL, bytes_waiting INTEGER NOT NULL,
  jobs INTEGER NOT NULL, charge_min REAL NOT NULL, charge_mean REAL NOT NULL, accelerator_max_k REAL NOT NULL,
  radiator_max_k REAL NOT NULL, load_w REAL NOT NULL);
CREATE TABLE nodes (
  node INTEGER PRIMARY KEY, name TEXT NOT NULL, answers INTEGER NOT NULL, bytes INTEGER NOT NULL,
  charge_min REAL NOT NULL, charge_end REAL NOT NULL, accelerator_max_k REAL NOT NULL,
  radiator_max_k REAL NOT NULL);
CREATE TABLE figures (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE wall (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
EVENT = json.dumps({"event": 2, "severity": 1, "value": 514})
BOARD = ("virtual", "0011223344556677", "0.1.0", "aabbccddeeff0011", 0)


def write(path: Path, version: int, rows: dict[str, list[tuple[object, ...]]]) -> Path:
    with sqlite3.connect(path) as db:
        db.executescript({1: _V1, 3: _V3}[version])
        db.execute(f"PRAGMA user_version={version}")
        for table, some in rows.items():
            db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(some[0]))})", some)
    db.close()
    return path


def version_1(path: Path) -> Path:
    """One board, an event, an answered query and one under way."""
    return write(
        path,
        1,
        {
            "run": [("ascnode", '"0.1.0"')],
            "boards": [(0, "sat-0-0", *BOARD)],
            "frames": [(0, 0, "up", b"\x01\x01"), (0, 1, "down", b"\x01\x81")],
            "telemetry": [(0, 0, 61_000_000, 60_000_000, "event", EVENT, b"")],
            "queries": [
                (0, 0, "Lima", 9, 4, 1, 1_500_000, 61, 2_500_000, 4, 117.5, ""),
                (1, 0, "Quito", 8, 3, 1, 1_600_000, 61, None, None, None, ""),
            ],
            "figures": [("answered", "1")],
        },
    )


def version_3(path: Path) -> Path:
    """Two slots, one board among them with an event and a fault, two queries."""
    parts = (5_000, 120_000, 100_000, 700_000, 71_000, 4_000)
    state = (0.75, 0.875, 350.25, 320.5, 1234.5)
    return write(
        path,
        3,
        {
            "run": [("scenario", json.dumps({"name": "old", "seed": 7}))],
            "boards": [(0, 401, "sat-18-5", *BOARD)],
            "frames": [(0, 0, 7_000_000, "up", b"\x01\x01"), (0, 1, 8_000_000, "down", b"\x01\x81")],
            "telemetry": [(0, 0, 61_000_000, 60_000_000, "event", EVENT, b"")],
            "faults": [(0, 0, 5_000_000, "board", "reset", "", "COMPUTE")],
            "queries": [
                (3, "inference", 401, "Lima", 9, 4, 1, 1_500_000, 61, *parts, 2_500_000, 4, 117.5, 1, ""),
                (
                    4,
                    "inference",
                    401,
                    "Quito",
                    8,
                    3,
                    1,
                    1_600_000,
                    61,
                    *parts,
                    None,
                    None,
                    None,
                    2,
                    "no route",
                ),
            ],
            "slots": [
                (100, 0, 3168, 20, 1, 2, 300, 4, *state),
                (101, 12_000_000, 3160, 19, 0, 0, 0, 0, *state),
            ],
            "nodes": [(401, "sat-18-5", 1, 2048, 0.5, 0.75, 351.0, 322.0)],
        },
    )
