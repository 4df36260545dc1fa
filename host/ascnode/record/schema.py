"""The tables of a record, as one source: the SQL, what the digest covers, and the reference in docs/records.md."""

from dataclasses import dataclass
from typing import NamedTuple

VERSION = 4
APPLICATION_ID = 0x6173636E  # "ascn": tells a record from other SQLite files; since version 4


class Column(NamedTuple):
    """`unit` as the field writes it, "" for names, numbers and counts."""

    name: str
    kind: str
    unit: str
    about: str


@dataclass(frozen=True)
class Table:
    """`key`: its primary key. `order`: the rows' order in the digest, "" when they depend on wall time."""

    name: str
    about: str
    key: str
    order: str
    columns: tuple[Column, ...]
    indices: tuple[str, ...] = ()
    skipped: str = ""  # SQL condition of rows that the digest leaves out

    @property
    def sql(self) -> str:
        """Its CREATE statements."""
        columns = ", ".join(f"{one.name} {one.kind}" for one in self.columns)
        rowid = "" if f"{self.key} INTEGER" in columns else " WITHOUT ROWID"
        create = f"CREATE TABLE {self.name} ({columns}, PRIMARY KEY ({self.key})){rowid};"
        indices = (
            f"CREATE INDEX {self.name}_by_{on.split(',')[0]} ON {self.name} ({on});" for on in self.indices
        )
        return "\n".join((create, *indices))


def _columns(text: str) -> tuple[Column, ...]:
    # One a line: name, type (? allows NULL), unit or -, meaning.
    columns = []
    for line in text.strip().splitlines():
        name, kind, unit, about = line.split(maxsplit=3)
        sql = kind[:-1] if kind.endswith("?") else f"{kind} NOT NULL"
        columns.append(Column(name, sql, "" if unit == "-" else unit.replace("_", " "), about))
    return tuple(columns)


_PAIR = """
key    TEXT -  name
value  TEXT -  JSON
"""
_FRAME = """
node       INTEGER -   board, in the order of the scenario
number     INTEGER -   from 0, in the order in which the host saw the board's frames
time_us    INTEGER us  where the board stood then
direction  TEXT    -   "up" to the board, "down" from it
body       BLOB    -   without stuffing and CRC
"""

TABLES = (
    Table("run", "what the run follows from", "key", "key", _columns(_PAIR), skipped="key = 'versions'"),
    Table(
        "boards",
        "the scenario's boards",
        "node",
        "node",
        _columns("""
node         INTEGER -  board, in the order of the scenario
satellite    INTEGER -  its number in the constellation
name         TEXT    -  sat-PLANE-SLOT, or as the constellation calls it
kind         TEXT    -  virtual, or twin for a twin alone
unique_id    TEXT    -  hexadecimal
version      TEXT    -  of the firmware
dictionary   TEXT    -  digest, hexadecimal
power_scale  INTEGER -  k: a power word (pw) is 2^k mW
"""),
    ),
    Table(
        "snapshots",
        "what a node starts from, after each begin: files of its flash that have changed, and at the start its state",
        "node, time_us, name",
        "node, time_us, name",
        _columns("""
node     INTEGER -   board
time_us  INTEGER us  where the board stood
name     TEXT    -   `flash/` and a file, or `state/` and a buffer of the firmware
data     BLOB?   -   zlib; NULL: the file is gone. Keys are a bench's, or left out
"""),
    ),
    Table(
        "frames",
        "every SIM frame, once each: the sky and its answers",
        "node, number",
        "time_us, node, number",
        _columns(_FRAME),
    ),
    Table(
        "link_frames",
        "every other frame: hello, identity, credit, radio outside of exchanges. How many depends on wall time",
        "node, number",
        "",
        _columns(_FRAME),
    ),
    Table(
        "telemetry",
        "packets that were heard from a board's radio",
        "node, number",
        "sent_us, node, number",
        _columns("""
node     INTEGER -   board
number   INTEGER -   from 0, in the order in which they were heard
sent_us  INTEGER us  when the radio sent it, by the host's time
made_us  INTEGER us  when it was made, by the board's clock
name     TEXT    -   of the packet in the dictionary
fields   TEXT    -   JSON, in the dictionary's units
data     BLOB    -   what follows the fields: a result's output
packet   BLOB    -   the whole space packet as it was on the air
"""),
        ("name, sent_us",),
    ),
    Table(
        "faults",
        "what was injected into boards, and what came of it; hits of a bad cable are counted in `wall`",
        "node, number",
        "time_us, node, number",
        _columns("""
node     INTEGER -   board
number   INTEGER -   from 0
time_us  INTEGER us  when
kind     TEXT    -   radio, board, sensor, upset, sky, clock, divergence
target   TEXT    -   what was hit
detail   TEXT    -   in words
mode     TEXT    -   the node's mode then
"""),
    ),
    Table(
        "queries",
        "every query, written when it is sent and when it ends. A row without answered_us and cause is under way",
        "job",
        "sent_us, node, job",
        _columns("""
job          INTEGER  -   number
kind         TEXT     -   inference or training
node         INTEGER  -   satellite that computes it, -1 before one is chosen
place        TEXT     -   of the user
image        INTEGER  -   of the payload
label        INTEGER  -   of the image, -1 without one
priority     INTEGER  -   0 first
sent_us      INTEGER  us  when the user sent it
deadline_s   INTEGER  s   time by which the answer is due
uplink_us    INTEGER  us  its time: turn, airtime and light up to the satellite
mesh_us      INTEGER  us  its time: between satellites, both ways
queue_us     INTEGER  us  its time: waiting in the node
compute_us   INTEGER  us  its time: computing
wait_us      INTEGER  us  its time: waiting for the downlink
downlink_us  INTEGER  us  its time: airtime and light down
answered_us  INTEGER? us  when the ground heard the answer
guess        INTEGER? -   class in the answer
energy_j     REAL?    J   at the accelerator
tries        INTEGER  -   turns that it asked for
cause        TEXT     -   why it was lost
revision     INTEGER  -   number of this write among all of the table: what is newer has a higher one
"""),
        ("revision", "sent_us"),
    ),
    Table(
        "slots",
        "the network and all compute nodes at the end of each slot",
        "number",
        "start_us, number",
        _columns("""
number             INTEGER -   of the slot, by the constellation's clock
start_us           INTEGER us  when it began
end_us             INTEGER us  when it ended: the time of all that follows
links              INTEGER -   laser links that carry data
users_served       INTEGER -   users that have a satellite
satellites_out     INTEGER -   satellites out of service
parcels_waiting    INTEGER -   packets that wait on their way
bytes_waiting      INTEGER B   bytes that wait on their way
jobs               INTEGER -   jobs in nodes
charge_min         REAL    1   least state of charge
charge_mean        REAL    1   mean state of charge
accelerator_max_k  REAL    K   hottest accelerator
radiator_max_k     REAL    K   hottest radiator
load_w             REAL    W   of all compute nodes
"""),
        ("start_us",),
    ),
    Table(
        "fleet",
        "every satellite at the end of each slot",
        "slot",
        "slot",
        _columns("""
slot      INTEGER -   number of the slot
start_us  INTEGER us  when it began
state     BLOB    -   zlib of bytes [satellites, 6], see below
"""),
    ),
    Table(
        "service",
        "the network during each slot, as far as it does not follow from the scenario alone",
        "slot",
        "slot",
        _columns("""
slot    INTEGER -  number of the slot
served  BLOB    -  zlib of JSON, see below
"""),
    ),
    Table(
        "nodes",
        "each satellite with a compute node over the whole run, at its end",
        "node",
        "node",
        _columns("""
node               INTEGER -  satellite
name               TEXT    -  sat-PLANE-SLOT, or as the constellation calls it
answers            INTEGER -  queries that it answered
bytes              INTEGER B  bytes that it carried
charge_min         REAL    1  least state of charge
charge_end         REAL    1  state of charge at the end
accelerator_max_k  REAL    K  hottest
radiator_max_k     REAL    K  hottest
"""),
    ),
    Table("figures", "what the run came to, at its end", "key", "key", _columns(_PAIR)),
    Table(
        "measurements",
        "figures with their limits, at the end",
        "name",
        "name",
        _columns("""
name     TEXT  -  what was measured
value    REAL  -  in `unit`
unit     TEXT  -  of value and limits
low      REAL? -  least allowed
high     REAL? -  greatest allowed
outcome  TEXT  -  pass, marginal or fail
"""),
    ),
    Table("wall", "what depends on wall time", "key", "", _columns(_PAIR)),
)
BY_NAME = {table.name: table for table in TABLES}
SQL = "\n".join(table.sql for table in TABLES)


def reference() -> str:
    """The tables in Markdown, for docs/records.md: `python -m ascnode.record.schema`."""
    return "\n\n".join(map(_section, TABLES)) + "\n"


def _section(table: Table) -> str:
    rows = [
        f"| `{one.name}` | {one.kind.removesuffix(' NOT NULL').lower()} | {one.unit} | {one.about} |"
        for one in table.columns
    ]
    left_out = "" if table.order else " Not in the digest."
    head = f"### {table.name}\n\n{table.about[0].upper()}{table.about[1:]}.{left_out} Key: `{table.key}`.\n"
    return "\n".join((head, "| column | type | unit | |", "|---|---|---|---|", *rows))


if __name__ == "__main__":
    print(reference(), end="")
