"""A host in a few lines, for devices and links: loads a program, runs an image, polls, reads the answer."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ascnode_gateware.bus.frames import write_request
from ascnode_gateware.bus.host import Host
from ascnode_gateware.compiler import Options, compile_file
from ascnode_gateware.device.interface import Accelerator
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.program import MEMORY_WORDS, Program, place_input, read_output
from ascnode_gateware.sim.addresses import address, mask, value
from models.golden import DIGITS, mlperf_tiny

Tensor = npt.NDArray[np.int8]
COUNTERS = ("CYCLES", "STALLS", "THROTTLED", "WORDS", "PIXELS")
WATCHDOG_UNITS = 64
T = TypeVar("T")


def fill(devices: tuple[Accelerator, ...], seed: int) -> None:
    """The same words everywhere, so that memory can be compared from then on."""
    words = np.random.default_rng(seed).integers(0, 2**32, MEMORY_WORDS, dtype=np.uint32).tolist()
    for at in range(0, MEMORY_WORDS, 255):
        frame = write_request(0, at, words[at : at + 255]).encode()
        for device in devices:
            device.transfer(frame)


@dataclass(frozen=True)
class Case:
    """A program, inputs for it, and the reference's outputs."""

    program: Program
    images: Tensor
    golden: Tensor


def compiled(name: str = "digits", stream: str = "auto", count: int = 3) -> Case:
    """The project's model or one of MLPerf Tiny's, compiled, with images and the reference's answers."""
    path = DIGITS if name == "digits" else mlperf_tiny(name)
    model = load_model(path, drop_final_softmax=True)
    images = np.random.default_rng(3).integers(-128, 128, (count, *model.input.shape[1:]), dtype=np.int8)
    program = compile_file(path, options=Options(stream=stream))
    return Case(program, images, Reference(model).run(images))


class Driver:
    """Drives one device; every frame goes through `transfer`."""

    def __init__(self, device: Accelerator, transfer: Callable[[bytes], bytes] | None = None) -> None:
        self.device = device
        self.host = Host()
        self._transfer = transfer or device.transfer

    def drive(self, exchange: Generator[bytes, bytes, T]) -> T:
        frame = next(exchange)
        try:
            while True:
                frame = exchange.send(self._transfer(frame))
        except StopIteration as done:
            result: T = done.value
            return result

    def read(self, at: int, count: int) -> list[int]:
        return list(self.drive(self.host.read(at, count)))

    def write(self, at: int, words: npt.NDArray[np.uint32]) -> None:
        self.drive(self.host.write(at, words.tolist()))

    def get(self, name: str) -> int:
        return self.read(address(name), 1)[0]

    def put(self, name: str, word: int) -> None:
        self.drive(self.host.write_register(address(name), word))

    def status(self, field: str) -> int:
        return value(field, self.get("STATUS"))

    def reset(self) -> None:
        self.device.reset()
        self.put("IRQ", 0)  # it may be lost: its number may be that of the last one before

    def load(self, program: Program, flash_address: int | None = None) -> None:
        for at, words in program.segments.items():
            self.write(at, words)
        self.put("PROGRAM", program.program_address)
        self.put("WATCHDOG", WATCHDOG_UNITS)
        self.put("RING_BASE", program.ring_base)
        self.put("RING_BLOCKS", program.ring_blocks)
        if flash_address is not None:
            self.put("FLASH_ADDRESS", flash_address)
            self.put("FLASH_BLOCKS", program.stream_blocks)

    def start(self, program: Program, image: Tensor, control: int = 0) -> None:
        self.write(program.input.address, place_input(program, image))
        self.put("IRQ", mask("irq_done") | mask("irq_error") | mask("irq_paused"))
        self.put("CONTROL", mask("start") | mask("irq_enable") | control)

    def wait(self, step_us: int = 50, most: int = 4000) -> int:
        """STATUS when the IRQ pin is high; polled, since nothing else makes time pass."""
        for _ in range(most):
            if self.device.wait_us(step_us):
                return self.get("STATUS")
        raise TimeoutError(f"no IRQ in {step_us * most} us")

    def feed(self, program: Program) -> None:
        """The whole stream into the ring, as blocks become free; the engine ends or errs by itself."""
        done, size = 0, program.ring_blocks * 64
        while done < len(program.stream) and self.status("busy"):
            free = self.status("ring_free")
            count = min(64 * min(free, 3), size - done % size, len(program.stream) - done)
            if count:
                self.write(program.ring_base + done % size, program.stream[done : done + count])
                self.put("RING_COMMIT", count // 64)
                done += count

    def output(self, program: Program) -> Tensor:
        words = np.array(self.read(program.output.address, program.output.words), np.uint32)
        return read_output(program, words)

    def counters(self) -> dict[str, int]:
        return {name: self.get(name) for name in COUNTERS}
