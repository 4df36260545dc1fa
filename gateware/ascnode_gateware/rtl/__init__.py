"""The accelerator in PyRTL: cells are functions from wires to wires, one unit a file; engine.py wires them."""
