"""Whatever happens to a record's files: what was committed and is intact is read, and the rest is one clear error."""

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ascnode.errors import RecordError
from ascnode.record.database import Record
from ascnode.record.reader import Reader, open_record

INSTANTS = 100
WRITER = Path(__file__).with_name("endless_writer.py")


def frames(reader: Reader) -> list[int]:
    """The numbers of the frames, which are whole."""
    found = list(reader.frames(0))
    for one in found:
        assert one.body == one.number.to_bytes(4, "big") * (1 + one.number % 90)
    return [one.number for one in found]


def board(record: Record) -> None:
    record.add("boards", 0, 401, "sat-18-5", "twin", "0011", "0.1.0", "aa", 0)


def frame(record: Record, number: int) -> None:
    record.numbered("frames", 0, number, "up", number.to_bytes(4, "big") * (1 + number % 90))


# --- the writer is killed


def safe_when_killed(path: Path, after_s: float) -> int | None:
    """How many rows the last commit that it told of had made safe; None when it told of none."""
    writer = subprocess.Popen([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    try:
        if after_s >= 0:  # else as it starts
            ready, _, _ = select.select([writer.stdout], [], [], 30)
            assert ready, "no commit within 30 s"
        time.sleep(abs(after_s))
    finally:
        writer.send_signal(signal.SIGKILL)
        told = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait(30)
    return int(told[-1]) if told else None


def test_a_writer_killed_at_any_instant_leaves_all_that_was_committed(tmp_path: Path) -> None:
    rng = random.Random(20261126)
    early = 0
    for instant in range(INSTANTS):
        path = tmp_path / f"{instant}.sqlite"
        # one in ten is killed while it starts, or makes its tables
        after_s = -rng.uniform(0.0, 0.15) if instant % 10 == 0 else rng.uniform(0.0, 0.05)
        safe = safe_when_killed(path, after_s)
        if safe is None and not path.exists():
            early += 1
            continue
        try:
            with open_record(path) as reader:
                numbers = frames(reader)
                assert numbers == list(range(len(numbers)))
                assert len(numbers) >= (safe or 0)
                assert len(list(reader.queries())) == len(numbers)
                reader.check()
        except RecordError as e:
            assert safe is None, e  # killed before its tables were there
            early += 1
    assert early <= INSTANTS // 10


# --- the WAL is cut or damaged


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[tuple[int, int]]]]:
    """A record with its WAL as a killed writer leaves them; of each commit, where it ends in the WAL, and the rows."""
    folder = tmp_path_factory.mktemp("killed")
    path, copy = folder / "run.sqlite", folder / "killed.sqlite"
    ends = []
    with Record(path) as record:
        for number in range(160):
            frame(record, number)
            if number % 4 == 3:
                record.commit()
                ends.append((_wal(path).stat().st_size, number + 1))
        shutil.copy(path, copy)
        shutil.copy(_wal(path), _wal(copy))
    yield copy, ends


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def intact(ends: list[tuple[int, int]], byte: int) -> int:
    """Rows of the commits that end before that byte of the WAL."""
    return max((rows for end, rows in ends if end <= byte), default=0)


def damaged_wal(killed: Path, folder: Path, number: int, wal: bytes) -> Path:
    path = folder / f"{number}.sqlite"
    shutil.copy(killed, path)
    _wal(path).write_bytes(wal)
    return path


def test_a_wal_cut_at_any_byte_opens_to_the_last_commit_before_it(
    killed: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    path, ends = killed
    wal, rng = _wal(path).read_bytes(), random.Random(1)
    assert ends[-1][0] == len(wal)
    cuts = {0, 1, 31, 32, ends[0][0] - 1, ends[0][0], len(wal)} | {
        rng.randrange(len(wal)) for _ in range(INSTANTS)
    }
    for cut in sorted(cuts):
        with open_record(damaged_wal(path, tmp_path, cut, wal[:cut])) as reader:
            assert frames(reader) == list(range(intact(ends, cut))), cut
            reader.check()


def test_a_bit_of_the_wal_that_flips_costs_its_commit_and_those_after_it(
    killed: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    path, ends = killed
    wal, rng = _wal(path).read_bytes(), random.Random(2)
    for _ in range(INSTANTS):
        bit = rng.randrange(8 * len(wal))
        spoiled = bytearray(wal)
        spoiled[bit // 8] ^= 1 << bit % 8
        with open_record(damaged_wal(path, tmp_path, bit, bytes(spoiled))) as reader:
            assert frames(reader) == list(range(intact(ends, bit // 8))), bit
            reader.check()


def test_a_killed_writers_record_opens_without_its_wal(
    killed: tuple[Path, list[tuple[int, int]]], tmp_path: Path
) -> None:
    shutil.copy(killed[0], tmp_path / "alone.sqlite")
    with open_record(tmp_path / "alone.sqlite") as reader:
        assert frames(reader) == []


@contextmanager
def unwritable(*files: Path) -> Iterator[Path]:
    """A folder with copies of the files that this process may read and not write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in files:
            shutil.copy(file, folder)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)  # nobody: root may write anywhere
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_where_nothing_can_be_written_a_whole_record_opens_and_a_wal_has_to_be_moved(
    killed: tuple[Path, list[tuple[int, int]]], sound: tuple[Path, str]
) -> None:
    with unwritable(sound[0]) as folder, open_record(folder / sound[0].name) as reader:
        assert len(frames(reader)) == 300
    with (
        unwritable(killed[0], _wal(killed[0])) as folder,
        pytest.raises(RecordError, match="copy both elsewhere"),
    ):
        open_record(folder / killed[0].name)


# --- the main file is damaged


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("sound") / "run.sqlite"
    with Record(path) as record:
        board(record)
        record.values("run", {"scenario": {"name": "demo", "seed": 3}})
        for number in range(300):
            frame(record, number)
        digest = record.digest()
        record.values("wall", {"record_sha256": digest})
    assert not _wal(path).exists()
    return path, digest


def read_whole(path: Path) -> str:
    with open_record(path) as reader:
        reader.check()
        assert reader.boards and reader.scenario and frames(reader)
        return reader.digest()


@pytest.mark.parametrize("what", ["flipped", "zeroed", "cut"])
def test_a_damaged_main_file_is_one_clear_error(sound: tuple[Path, str], tmp_path: Path, what: str) -> None:
    path, digest = sound
    data, rng = path.read_bytes(), random.Random(what)
    told = 0
    for number in range(INSTANTS):
        spoiled = bytearray(data)
        at = rng.randrange(len(data))
        if what == "flipped":
            spoiled[at] ^= 1 << rng.randrange(8)
        elif what == "zeroed":
            spoiled[at : at + 512] = bytes(len(spoiled[at : at + 512]))
        else:
            del spoiled[at:]
        copy = tmp_path / f"{number}.sqlite"
        copy.write_bytes(spoiled)
        try:
            assert read_whole(copy) == digest, f"byte {at}: another record, and nothing said of it"
        except RecordError as e:
            assert copy.name in str(e) and "\n" not in str(e)
            told += 1
    assert told > INSTANTS // 4  # the rest fell on bytes that hold nothing
