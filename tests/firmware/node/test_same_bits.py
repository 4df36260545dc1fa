"""A whole node steps to the same bits on MicroPython and CPython: state, packets, replies."""

import ast
from pathlib import Path

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.provision import node_files
from ascnode_fw.flight import layout as f_
from firmware.node.drive_node import main
from firmware.plant.nodes import scaled
from unix_port import run_micropython

HERE = Path(__file__).parent
STEPS = 20_000
HARDWARE = {
    "demo": Hardware(radiator_m2=0.2, radiator_j_per_k=1200.0, battery_wh=25.0),
    "20 kW": scaled(Hardware(battery_wh=31.0), 51.7),
}


@pytest.mark.parametrize("seed", [7, 81])
@pytest.mark.parametrize("name", HARDWARE)
def test_micropython_and_cpython_agree_on_every_bit_of_a_busy_node(
    name: str, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = node_files(HARDWARE[name], b"", 1, 0, 1000)
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    main(files, STEPS, seed)
    expected = capsys.readouterr().out
    script = f"from drive_node import load, main; main(load({str(tmp_path)!r}), {STEPS}, {seed})"
    output = run_micropython(script, timeout_s=60, path=[HERE])
    *_, flight, plant, _ = expected.splitlines()
    state: list[int] = ast.literal_eval(flight)
    board: list[int] = ast.literal_eval(output.splitlines()[-3])
    assert dict(zip(f_.NAMES, board, strict=True)) == dict(zip(f_.NAMES, state, strict=True))
    assert output.splitlines()[-2] == plant
    assert output == expected
    # it has been through all of it
    assert state[f_.JOBS_DONE] > 300 and state[f_.JOBS_EXPIRED] >= 3 and state[f_.JOBS_REFUSED] > 200
    assert min(state[f_.MODE_PERIODS : f_.MODE_PERIODS + 4]) > 300
    assert state[f_.THROTTLED] > 10 and state[f_.DROPPED] > 100
