"""What a control period takes from MicroPython's heap: nothing, until there is something to say."""

import json
from pathlib import Path

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import node_files
from unix_port import run_micropython

HERE = Path(__file__).parent


def test_a_period_takes_heap_only_for_the_packets_that_it_makes(tmp_path: Path) -> None:
    for name, data in node_files(Hardware(), b"", 1, 0, 1000).items():
        (tmp_path / name).write_bytes(data)
    figures = json.loads(run_micropython(HERE / "measure_node.py", str(tmp_path)))
    taken = {name: figures[f"{name}_bytes"] for name in ("idle", "contact", "working", "answering")}
    # idle, in contact with nothing to send, at work on a long job; then three packets made and sent a period, with
    # a view of 32 bytes (on 64 bits) for each piece of them that is handed on
    assert (taken["idle"], taken["contact"], taken["working"]) == (0, 0, 0)
    assert taken["answering"] <= 512
