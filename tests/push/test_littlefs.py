"""Power cut at every write of the flash's file system in a push, on MicroPython's littlefs."""

from pathlib import Path

import pytest

from ascnode.push.package import Package
from push.ground import KEY, files, other_model, small_firmware
from unix_port import REPOSITORY, run_micropython

_HERE = Path(__file__).parent


@pytest.mark.parametrize(("what", "package"), [("model", other_model()), ("firmware", small_firmware())])
def test_a_cut_at_any_write_leaves_the_old_or_the_new_one_and_the_push_goes_on(
    tmp_path: Path, what: str, package: Package
) -> None:
    for name, data in {**files(), "package": package.data, "signed": package.signed(KEY, 0)}.items():
        (tmp_path / name).write_bytes(data)
    said = run_micropython(
        _HERE / "cut_update.py",
        str(tmp_path),
        what,
        timeout_s=300,
        heap="500m",
        path=[REPOSITORY / "tests" / "boards"],
    )
    cuts = int(said.split()[-2])
    assert cuts > 60
