"""A step takes nothing from MicroPython's heap: no object, and no frame of a call."""

from pathlib import Path

import pytest

from ascnode.scenario.hardware import Hardware, plant_image
from ascnode_fw.plant import layout as at
from firmware.plant.nodes import scaled
from unix_port import run_micropython

HERE = Path(__file__).parent


@pytest.mark.parametrize("size", [0.13, 130])
def test_steps_inputs_samples_and_events_take_nothing_from_the_heap(size: float, tmp_path: Path) -> None:
    image = tmp_path / "plant.bin"
    image.write_bytes(plant_image(scaled(Hardware(battery_wh=2.0), size), 1000))
    output = run_micropython(f"from heap_use import main; main({str(image)!r})", heap="300k", path=[HERE])
    events, taken, collected, *_ = output.split()
    assert int(events) & at.EVENT_BATTERY_FULL and int(events) & at.EVENT_BROWN_OUT
    assert int(taken) == 0
    assert int(collected) > 20_000  # the garbage was there to be found
