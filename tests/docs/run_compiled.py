"""Runs relu.tflite, compiled, on the executor, and compares every tensor with the reference: `python run_compiled.py`.

A script, since the sources that the guide has changed are those of another process than the tests'.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from ascnode_gateware.compiler import compile_file
from ascnode_gateware.model.tflite_model import load_model
from gateware.compiler.checking import check

MODEL = Path("relu.tflite")

assert check(compile_file(MODEL), load_model(MODEL), np.load("inputs.npy")) > 0
