"""Kernels where a cache can be written, and where none can."""

import os
import subprocess
import sys
from pathlib import Path

from ascnode.sky.compiled import compiled


def double(x: float) -> float:
    return 2 * x / x * x


def test_kernel_is_the_function() -> None:
    kernel = compiled(double)
    assert kernel(21.0) == 42.0


def test_division_by_zero_is_nan_as_in_numpy() -> None:
    assert str(compiled(double)(0.0)) == "nan"


def test_kernel_runs_where_no_cache_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(
        "from ascnode.sky.compiled import compiled\n"
        "@compiled\ndef double(x):\n    return 2 * x\n"
        "print(double(21))\n"
    )
    for folder in ("__pycache__", "home"):  # files where folders would be: not even root writes into them
        (tmp_path / folder).write_text("")
    home = str(tmp_path / "home")
    environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "kernel.py"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.returncode) == ("42\n", 0), ran.stderr
