"""What a kernel module offers, one output row a call; read by type checkers only, absent on a board."""

from array import array
from typing import Protocol

class Kernel(Protocol):
    """kernel_portable, kernel_viper; `p` holds a layer's words by layout's indices."""

    def flip(
        self,
        source: bytes | bytearray | memoryview,
        source_at: int,
        target: bytearray,
        target_at: int,
        count: int,
        /,
    ) -> None:
        """Copies int8 as int8 + 128, or back."""

    def convolve(self, p: array[int], arena: bytearray, image: bytes, acc: array[int], /) -> None:
        """Sums of a row of a convolution into `acc`, each plus SUM_OFFSET."""

    def depthwise(self, p: array[int], arena: bytearray, image: bytes, acc: array[int], /) -> None:
        """The same for a depthwise convolution."""

    def pool(self, p: array[int], arena: bytearray, /) -> None:
        """A row of a pool."""

    def requantise(self, p: array[int], table: array[int], acc: array[int], arena: bytearray, /) -> None:
        """The sums of a row to its output bytes."""
