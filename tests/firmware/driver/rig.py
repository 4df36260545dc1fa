"""The firmware's driver in CPython on an accelerator in the same process, golden or behind planted faults."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ascnode.models.acc import acc_file
from ascnode.models.project import project_model_file
from ascnode.twin.store import MemoryStore
from ascnode_fw.accel.driver import Driver
from ascnode_fw.accel.program import Program
from ascnode_gateware.compiler.compile import compile_model
from ascnode_gateware.device.fault import Fault
from ascnode_gateware.device.faulty import FaultyDevice
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.golden_engine import Shared
from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model

KWS = "kws_ref_model.tflite"
TOP_KHZ = 133_000
_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "mlperf_tiny"
_SHARED = Shared()  # results of the same memory are computed once


def model_file(name: str) -> Path | None:
    """The project's model, or one of the shared ones; None where that is not at hand."""
    path = project_model_file() if name == "digits" else _DATA / name
    return path if path.exists() else None


@dataclass(frozen=True, eq=False)
class Case:
    """A model with its program's image and the reference's answers."""

    model: Model
    image: bytes

    def inputs(self, count: int, seed: int = 1) -> list[bytes]:
        rng = np.random.default_rng(seed)
        return [
            rng.integers(-128, 128, self.model.input.size).astype(np.int8).tobytes() for _ in range(count)
        ]

    def answer(self, data: bytes) -> bytes:
        values: npt.NDArray[np.int8] = np.frombuffer(data, np.int8)
        return Reference(self.model).run(values.reshape(1, *self.model.input.shape[1:])).tobytes()


@cache
def case(name: str = "digits") -> Case:
    path = model_file(name)
    assert path is not None
    model = load_model(path, drop_final_softmax=True)
    return Case(model, acc_file(compile_model(model), model).data)


class Bus:
    """The firmware's bus on a device; `frames` and `waited_us` count."""

    def __init__(self, device: Accelerator) -> None:
        self.device = device
        self.frames = 0
        self.waited_us = 0

    def transfer(self, out: memoryview, into: memoryview, n: int) -> None:
        self.frames += 1
        into[:n] = self.device.transfer(bytes(out[:n]))

    def reset(self) -> None:
        self.device.reset()

    def wait_us(self, us: int) -> int:
        self.waited_us += us
        return int(self.device.wait_us(us))

    def flash_transfer(self, out: memoryview, into: memoryview, n: int) -> bool:
        found = self.device.flash_frame(bytes(out[:n]))
        if found is not None:
            into[:n] = found
        return found is not None


@dataclass
class Rig:
    """A driver with a case's program on a golden accelerator."""

    case: Case
    faults: Iterable[Fault] = ()
    verify_every: int = 1
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.golden = GoldenDevice(shared=_SHARED)
        self.device = FaultyDevice(self.golden, self.faults)
        self.bus = Bus(self.device)
        self.store = MemoryStore({"model.acc": self.case.image})
        self.driver = Driver(self.bus, Program(self.store, "model.acc"), self.verify_every)
        self.output = bytearray(self.case.model.output.size)

    def run(self, data: bytes, clock_khz: int = TOP_KHZ, following: bytes | None = None) -> int:
        ahead = None if following is None else memoryview(following)
        return self.driver.run(memoryview(data), self.output, clock_khz, TOP_KHZ, ahead)

    def right(self, data: bytes, clock_khz: int = TOP_KHZ) -> bool:
        """Runs it; whether the answer is there and the reference's."""
        self.output[:] = bytes(len(self.output))
        return self.run(data, clock_khz) == 0 and bytes(self.output) == self.case.answer(data)
