"""What runs the model of a node with an accelerator: the driver of what its board reaches, and the CPU behind it."""

from ascnode_fw.accel import causes
from ascnode_fw.accel.choose import choose_kernel
from ascnode_fw.accel.driver import Driver
from ascnode_fw.accel.errors import ProgramError
from ascnode_fw.accel.program import Program
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.flight.slots import CPU_IMAGE, PROGRAM

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.protocols import Accelerator, Engine, FindBus, Store


def make_models(find: "FindBus", store: "Store", name: str) -> "tuple[Accelerator, Engine]":
    # (CPU, accelerator) with the program in that file, on what `find()` finds. What cannot be had is stood for by
    # something that says so at each use: the node boots whatever lies on its flash.
    try:
        program = Program(store, name)
    except ProgramError:
        return NoKernel(), NoEngine(causes.PROGRAM)
    return _kernel(program, store, name[: -len(PROGRAM)] + CPU_IMAGE), make_engine(find, program)


def make_engine(find: "FindBus", program: Program) -> "Engine":
    try:
        bus = find()
    except OSError:
        bus = None
    return NoEngine(causes.LINK, program.cycles) if bus is None else Driver(bus, program)


def _kernel(program: Program, store: "Store", name: str) -> "Accelerator":
    # The same model for the CPU, out of the same file or out of its own.
    image = program.cpu_model() or store.read(name) or b""
    try:
        kernel = SoftwareAccelerator(image, choose_kernel())
    except (ValueError, MemoryError):
        return NoKernel(program.model_id, program.input_size, program.output_size)
    if kernel.model_id != program.model_id:
        return NoKernel(program.model_id, program.input_size, program.output_size)
    return kernel


class NoKernel:
    """A model that the CPU cannot run: no MACs, so that nothing asks it to."""

    def __init__(self, model_id: int = 0, input_size: int = 0, output_size: int = 0) -> None:
        self.model_id = model_id
        self.macs = 0
        self.input_size = input_size
        self.output_size = output_size

    def run(self, data: memoryview, output: bytearray) -> None:
        raise ValueError("there is no model for the CPU")


class NoEngine:
    """An accelerator that cannot be used."""

    def __init__(self, cause: int, cycles: int = 1) -> None:
        self.cycles = cycles
        self.code = cause
        self.repairs = self.resent = self.measured = 0
        self.verify_every = 0

    def run(
        self,
        data: memoryview,
        output: bytearray,
        clock_khz: int,
        top_khz: int,
        following: "memoryview | None" = None,
    ) -> int:
        return self.code

    def recover(self) -> int:
        return self.code

    def upset(self, at: int, mask: int) -> None:
        pass
