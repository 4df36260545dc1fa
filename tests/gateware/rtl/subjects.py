"""The models that go through the Verilog: MLPerf Tiny's, the project's own, and seeded networks of known shapes."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from ascnode_gateware.compiler import Options, compile_model
from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.tflite_model import read_model
from ascnode_gateware.program.program import Program
from gateware.networks import mobilenet_v1, resnet8, wake_word
from models.golden import DIGITS, mlperf_tiny
from models.random_layers import random_images

Int8 = npt.NDArray[np.int8]

TRAINED: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "keyword spotting": lambda: mlperf_tiny("kws_ref_model.tflite").read_bytes(),
        "anomaly detection": lambda: mlperf_tiny("ad01_int8.tflite").read_bytes(),
        "digits": DIGITS.read_bytes,
    }
)
SEEDED: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {"visual wake words": mobilenet_v1, "image classification": resnet8, "wake word": wake_word}
)
ALL = MappingProxyType({**TRAINED, **SEEDED})
PLAIN = Options()


@cache
def file_of(name: str) -> bytes:
    return ALL[name]()


@cache
def model_of(name: str) -> Model:
    """Up to the logits: a softmax at the end runs on a CPU."""
    return read_model(file_of(name), drop_final_softmax=True)


@cache
def program_of(name: str, options: Options) -> Program:
    return compile_model(model_of(name), options=options)


def inputs(name: str, count: int, seed: int) -> Int8:
    """int8 [count, ...]: all -128, all 127, both in turn, then noise."""
    return random_images(model_of(name).input.shape, count, seed)
