"""Writes the table in one of its forms to a file."""

import argparse
from pathlib import Path

from ascnode_gateware.registers.constants import constants_module
from ascnode_gateware.registers.markdown import registers_page
from ascnode_gateware.registers.systemrdl import systemrdl

_FORMS = {
    "firmware": lambda: constants_module("ascnode_fw.compat"),  # firmware/lib/ascnode_fw/accel/registers.py
    "markdown": registers_page,
    "python": constants_module,
    "systemrdl": systemrdl,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ascnode_gateware.registers", description=__doc__)
    parser.add_argument("form", choices=_FORMS)
    parser.add_argument("file", type=Path, help="file to write")
    chosen = parser.parse_args()
    chosen.file.write_text(_FORMS[chosen.form]())


if __name__ == "__main__":
    main()
