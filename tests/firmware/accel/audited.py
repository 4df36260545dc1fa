"""Both kernels with every intermediate and every index watched, as a 32-bit VM or a memory fault would."""

import ast
import operator
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ascnode_fw.accel import kernel_portable

BOUND = 2**30  # a small int of a 32-bit MicroPython lies in [-2^30, 2^30); past it the VM allocates


class Audited(int):
    """An int whose arithmetic raises OverflowError on reaching +-BOUND, and whose results are Audited again."""


def _watched(name: str) -> Callable[[int, int], Audited]:
    function = getattr(operator, name, None) or getattr(operator, f"{name}_")

    def forward(self: int, other: int) -> Audited:
        return _checked(function(int(self), int(other)), name)

    return forward


def _checked(value: int, what: str) -> Audited:
    if not -BOUND < value < BOUND:
        raise OverflowError(f"{what} gives {value}")
    return Audited(value)


def _reversed(forward: Callable[[int, int], Audited]) -> Callable[[int, int], Audited]:
    return lambda self, other: forward(other, self)


for _name in ("add", "sub", "mul", "lshift", "rshift", "and", "or", "xor", "floordiv"):
    setattr(Audited, f"__{_name}__", _watched(_name))
    setattr(Audited, f"__r{_name}__", _reversed(_watched(_name)))
setattr(Audited, "__neg__", lambda self: _checked(-int(self), "neg"))  # noqa: B010


class Watched:
    """A buffer that hands out Audited ints; IndexError where machine code would reach beside it."""

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer

    def __len__(self) -> int:
        return len(self.buffer)

    def __getitem__(self, index: int) -> Audited:
        return Audited(self.buffer[self._inside(index)])

    def __setitem__(self, index: int, value: int) -> None:
        self.buffer[self._inside(index)] = value

    def _inside(self, index: int) -> int:
        if not 0 <= index < len(self.buffer):
            raise IndexError(f"index {index} of {len(self.buffer)}")
        return index


class AuditedKernel:
    """Stands in for a kernel module and watches all it does, save `flip`, which only copies."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self.flip = kernel_portable.flip

    def convolve(self, *buffers: Any) -> None:
        self._kernel.convolve(*map(Watched, buffers))

    def depthwise(self, *buffers: Any) -> None:
        self._kernel.depthwise(*map(Watched, buffers))

    def pool(self, *buffers: Any) -> None:
        self._kernel.pool(*map(Watched, buffers))

    def requantise(self, *buffers: Any) -> None:
        self._kernel.requantise(*map(Watched, buffers))

    def rescale(self, *limbs: int) -> int:
        return int(self._kernel.rescale(*map(Audited, limbs)))


def viper_in_python() -> SimpleNamespace:
    """kernel_viper's functions as CPython runs them: pointers are Watched buffers, int() is Audited.

    What stays inside +-BOUND here is the same in a word of 32 and of 64 bits.
    """
    tree = ast.parse(Path(kernel_portable.__file__).with_name("kernel_viper.py").read_text())
    tree.body = [node for node in tree.body if isinstance(node, (ast.Assign, ast.FunctionDef))]
    names: dict[str, Any] = dict.fromkeys(("ptr8", "ptr16", "ptr32"), Watched)
    names |= {"int": Audited, "const": int, "micropython": SimpleNamespace(viper=lambda function: function)}
    exec(compile(tree, "kernel_viper.py", "exec"), names)
    return SimpleNamespace(**names)


AUDITED = {"portable": AuditedKernel(kernel_portable), "viper": AuditedKernel(viper_in_python())}
