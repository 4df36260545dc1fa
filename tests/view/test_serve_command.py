"""`ascnode serve` and `ascnode watch` as commands: addresses, live runs, ends, refusals."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from ascnode.cli.main import main
from ascnode.record.catalogue import state_of
from ascnode.record.reader import open_record
from view.recorded import write_record
from view.served import START_S, STOP_S, Command, until_begun

LIVE = """
name = "small"
duration_s = {length_s}
[constellation]
shells = [{{ planes = 6, per_plane = 8 }}]
compute = 4
[users]
cities = 5
[gateways]
sites = 2
[[workload]]
kind = "inference"
queries = 20
"""


class Said(NamedTuple):
    """What a command came to."""

    status: int
    stdout: str
    stderr: str


Ascnode = Callable[..., Said]


@pytest.fixture
def ascnode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ascnode:
    """Runs a command that ends by itself, in a folder of its own; in this process, since a start takes a second."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["ascnode", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run


def scenario(folder: Path, length_s: int) -> str:
    (folder / "small.toml").write_text(LIVE.format(length_s=length_s))
    return "small.toml"


def test_a_record_is_served_until_ctrl_c_with_status_0(record: Path) -> None:
    with Command(str(record)) as served:
        assert served.url.startswith("http://127.0.0.1:")
        assert served.end(signal.SIGINT) == 0


def test_a_live_run_is_flown_served_and_stays_when_it_has_ended(tmp_path: Path) -> None:
    with Command("--live", scenario(tmp_path, 120), "--record", "live.sqlite", cwd=tmp_path) as served:
        url = served.url
        until(url, "the run to end", lambda progress: progress["state"] == "whole")
        assert urllib.request.urlopen(f"{url}api/slots?first=0&count=1", timeout=10).status == 200
        assert served.end(signal.SIGTERM) == 0
    with closing(open_record(tmp_path / "live.sqlite")) as reader:
        assert reader.whole


def until(url: str, what: str, true: Callable[[dict[str, Any]], bool]) -> None:
    """Waits until it is true of the progress that the server tells."""
    end = time.monotonic() + START_S
    while not true(json.loads(urllib.request.urlopen(f"{url}api/follow", timeout=10).readline()[6:])):
        assert time.monotonic() < end, f"waited {START_S} s for: {what}"
        time.sleep(0.1)


def run_of(command: Command) -> psutil.Process:
    """The process that flies."""
    (child,) = psutil.Process(command.process.pid).children()
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_ends_with_its_server_however_that_ended(tmp_path: Path, number: int) -> None:
    with Command("--live", scenario(tmp_path, 800_000), "--record", "live.sqlite", cwd=tmp_path) as served:
        until(served.url, "its first slot", lambda progress: progress["newest_s"] > 0)
        run = run_of(served)
        served.end(number)
        assert psutil.wait_procs([run], timeout=STOP_S)[1] == [], "the run went on without its server"
    with closing(open_record(tmp_path / "live.sqlite")) as reader:
        assert state_of(reader) == "interrupted" and reader.newest_us > 0


def test_a_scenario_that_makes_no_sense_is_one_sentence(tmp_path: Path, ascnode: Ascnode) -> None:
    (tmp_path / "bad.toml").write_text("name = 7\n")
    said = ascnode("serve", "--live", "bad.toml")
    assert (said.status, said.stderr.count("\n")) == (1, 1) and "name" in said.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "none.sqlite"), "none.sqlite: there is no such record"),
        (("serve",), "there is no record in runs/"),
        (("serve", "3"), "no run '3' in runs/"),
        (("serve", "a.sqlite", "--live", "demo.toml"), "not both"),
        (("serve", "--record", "b.sqlite"), "without --live there is none"),
        (("watch", "none.sqlite"), "none.sqlite: there is no such record"),
        (("watch",), "there is no record in runs/"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    ascnode: Ascnode, arguments: tuple[str, ...], sentence: str
) -> None:
    said = ascnode(*arguments)
    assert said.status == 1 and sentence in said.stderr
    assert said.stderr.startswith("ascnode: ") and said.stderr.count("\n") == 1


def test_an_address_that_others_reach_gets_a_token_and_a_weak_one_is_refused(
    record: Path, ascnode: Ascnode
) -> None:
    with Command(str(record), "--host", "0.0.0.0") as served:
        address, token = served.url.split("#token=")
        assert len(token) >= 32
        port = address.rstrip("/").rsplit(":", 1)[1]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/scene", timeout=10)
        bearer = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/scene", headers=bearer)
        assert urllib.request.urlopen(request, timeout=10).status == 200
    said = ascnode("serve", str(record), "--host", "0.0.0.0", "--token", "short")
    assert said.status == 1 and "at least 16" in said.stderr


def test_an_address_that_is_not_this_machines_is_one_sentence(record: Path, ascnode: Ascnode) -> None:
    said = ascnode("serve", str(record), "--host", "192.0.2.1")
    assert said.status == 1 and "cannot listen on 192.0.2.1" in said.stderr


def test_watch_prints_a_whole_run_and_ends(record: Path, ascnode: Ascnode) -> None:
    said = ascnode("watch", str(record))
    assert said.status == 0
    for part in (
        "sat-18-5",
        "COMPUTE",
        "56.9 °C",
        "2 places served",
        "whole at 0:30:00 of 0:30:00",
        "360 queries",
    ):
        assert part in said.stdout, part


def test_watch_follows_a_run_until_it_ends(tmp_path: Path, ascnode: Ascnode) -> None:
    path = tmp_path / "growing.sqlite"
    writing = [sys.executable, "-m", "view.recorded", str(path), "300", "0", "hold"]
    with subprocess.Popen(writing, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE) as writer:
        until_begun(path)
        said = ascnode("watch", "--once", str(path))
        assert said.status == 0 and "under way at " in said.stdout
        watching = [sys.executable, "-u", "-m", "ascnode", "watch", str(path)]
        with subprocess.Popen(watching, stdout=subprocess.PIPE, text=True) as watch:
            assert watch.stdout is not None
            assert watch.stdout.readline().startswith("t=0:")
            writer.communicate(timeout=STOP_S)
            rest, _ = watch.communicate(timeout=STOP_S)
        assert watch.returncode == 0 and "whole at 0:05:00 of 0:05:00" in rest


def test_watch_says_that_a_run_was_interrupted(tmp_path: Path, ascnode: Ascnode) -> None:
    path = write_record(tmp_path / "cut.sqlite", 900, slots=20, end=False)
    said = ascnode("watch", str(path))
    assert said.status == 1 and "the run was interrupted" in said.stderr
    assert "interrupted at 0:04:57 of 0:15:00" in said.stdout
    assert ascnode("watch", str(path), "--once").status == 0
