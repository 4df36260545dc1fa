"""What the wire costs on a board: heap bytes per frame, and call frames that stay off the heap."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from ascnode.boards.interpreter import find_interpreter
from unix_port import FIRMWARE, run_micropython

# MicroPython puts a call's frame on the heap when locals, stack and 3 words per try block pass this
# (VM_MAX_STATE_ON_STACK in its objfun.c); each later allocation then searches the heap from there.
STACK_WORDS = 11
# Seven arguments alone; called once per packet sent. The others write flash.
LARGE = {"pack_tc", "pack_tm", "unpack_tm", "_reserve"}


def test_heap_bytes_per_frame_and_telecommand() -> None:
    figures = json.loads(run_micropython(Path(__file__).parent / "measure_wire.py"))
    assert [figures[f"encode_{size}_bytes"] for size in (64, 1000)] == [0, 0]
    # Two views, 32 bytes each on 64 bits; never a copy of the body.
    assert [figures[f"deframe_{size}_bytes"] for size in (64, 1000)] == [64, 64]
    assert figures["verify_bytes"] < 1024


@pytest.mark.parametrize("module", ["frame", "packet", "auth"])
def test_call_frames_stay_off_the_heap(module: str) -> None:
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip("no MicroPython interpreter")
    source = FIRMWARE / "ascnode_fw" / "wire" / f"{module}.py"
    command = [*interpreter.command, "-v", "-v", str(source)]
    run = subprocess.run(
        command, capture_output=True, timeout=60, check=True, env={"MICROPYPATH": f".frozen:{FIRMWARE}"}
    )
    listing = run.stdout.decode(errors="replace")
    blocks = re.findall(r"code block '(\w+)'.*?\(N_STATE (\d+)\)\s*\(N_EXC_STACK (\d+)\)", listing, re.DOTALL)
    assert blocks, listing
    words = {name: int(state) + 3 * int(tries) for name, state, tries in blocks}
    assert {name for name, count in words.items() if count > STACK_WORDS} <= LARGE
