"""Type-checks the firmware against what each MicroPython port really has.

    .venv/bin/python tests/check_firmware_types.py [PORT...]

Ports: unix, rp2, esp32; all without arguments. The stubs are put under .venv/typings on the first run. Exit
code 0 when every port passes. The host's own mypy run sees CPython's modules instead and cannot tell.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
FIRMWARE = REPOSITORY / "firmware"
TYPINGS = REPOSITORY / ".venv" / "typings"

STUBS = {
    "unix": "micropython-unix-stubs==1.29.0.post1",
    "rp2": "micropython-rp2-rpi-pico-stubs==1.29.0.post1",
    "esp32": "micropython-esp32-stubs==1.29.0.post1",
}

CONFIG = """
[mypy]
check_untyped_defs = true
python_version = 3.11
mypy_path = {firmware}:{stubs}
custom_typeshed_dir = {stubs}
no_site_packages = true
explicit_package_bases = true
namespace_packages = true
follow_imports = silent
cache_dir = {stubs}/.mypy_cache

# Its `const` exists twice, with two signatures.
[mypy-ascnode_fw.compat]
ignore_errors = true

# Errors inside the stubs are theirs; what they declare still binds us.
[mypy-{modules}]
ignore_errors = true
"""


def install(port: str) -> Path:
    """The folder with the port's stubs, fetched when it is not there."""
    folder = TYPINGS / STUBS[port].replace("==", "-")
    if not folder.is_dir():
        TYPINGS.mkdir(parents=True, exist_ok=True)
        # Renamed when complete: an interrupted download leaves nothing that looks like stubs.
        with tempfile.TemporaryDirectory(dir=TYPINGS) as partial:
            target = Path(partial) / "stubs"
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--target",
                str(target),
                STUBS[port],
            ]
            if subprocess.run(command, check=False).returncode:
                sys.exit(f"the type stubs {STUBS[port]} cannot be fetched")
            target.rename(folder)
    return folder


def sources(port: str) -> list[str]:
    """The modules that can be on a board of this port."""
    others = {f"{other}.py" for other in STUBS if other != port}
    if port == "unix":
        others |= {"spi.py"}  # the unix port has neither machine.SPI nor pins
    modules = (FIRMWARE / "lib").rglob("*.py")
    mine = [path for path in modules if not (path.parent.name == "hal" and path.name in others)]
    board = [FIRMWARE / "board" / name for name in ("boot.py", "main.py")]
    return sorted(str(path) for path in mine + board)


def modules(stubs: Path) -> str:
    """The stubs' modules, as a section name of mypy's configuration takes them."""
    names = [path.stem for path in stubs.glob("*.pyi")]
    return ",".join([*names, *(f"{name}.*" for name in ("_mpy_shed", "stdlib", "rp2"))])


def check(port: str) -> bool:
    """Whether the firmware passes on this port; mypy prints what does not."""
    stubs = install(port)
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        config.write(CONFIG.format(firmware=FIRMWARE / "lib", stubs=stubs, modules=modules(stubs)))
        config.flush()
        command = [sys.executable, "-m", "mypy", "--config-file", config.name, *sources(port)]
        return subprocess.run(command, check=False).returncode == 0


def main() -> int:
    passed = {port: check(port) for port in sys.argv[1:] or STUBS}
    for port, good in passed.items():
        sys.stdout.write(f"{port}: {'passed' if good else 'FAILED'}\n")
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
