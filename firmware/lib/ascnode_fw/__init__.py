"""Firmware of an ascnode satellite compute node; the same package runs on MicroPython and on CPython."""

__version__ = "0.1.0"
