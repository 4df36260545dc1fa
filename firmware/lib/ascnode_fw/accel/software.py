"""Inference on the node's CPU: runs a node image with whichever kernel the port has."""

from array import array

from ascnode_fw.accel.image import Image, input_bytes, output_bytes, patch_bytes, sums
from ascnode_fw.accel.layout import AVERAGE, DEPTHWISE, INPUT, KIND, OUT_H, OUTPUT, PATCH, ROW

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.kernel import Kernel


class SoftwareAccelerator:
    """Runs one model; every buffer is allocated at construction, nothing during a run. ValueError if it is bad.

    model_id and macs are the image's; input_size and output_size count bytes.
    """

    def __init__(self, image: bytes, kernel: "Kernel") -> None:
        checked = Image(image)
        self.model_id = checked.model_id
        self.macs = checked.macs
        self._kernel = kernel
        self.image = checked.data
        self._layers = checked.layers
        self._tables = checked.tables
        self.input_size = input_bytes(self._layers[0])
        self.output_size = output_bytes(self._layers[-1])
        self._acc = array("i", bytes(4 * max([sums(words) for words in self._layers])))
        self._arena = bytearray(self._place())

    def _place(self) -> int:
        # Inputs and outputs take turns at the two ends of the arena, so that it need only hold the largest pair;
        # behind them lies the patch. Returns the size of it all.
        pair = max([input_bytes(words) + output_bytes(words) for words in self._layers])
        at = 0
        for words in self._layers:
            words[INPUT] = at
            at = 0 if at else pair - output_bytes(words)
            words[OUTPUT] = at
            words[PATCH] = pair
        return pair + max([patch_bytes(words) for words in self._layers])

    def run(self, data: bytes | memoryview, output: bytearray) -> None:
        # Both hold int8 as two's complement bytes; `output` is written whole. ValueError on wrong lengths.
        if len(data) != self.input_size or len(output) != self.output_size:
            raise ValueError(
                f"model takes {self.input_size} bytes and gives {self.output_size}, not {len(data)} and {len(output)}"
            )
        layers = self._layers
        self._kernel.flip(data, 0, self._arena, 0, self.input_size)
        for index in range(len(layers)):
            self._run_layer(layers[index], self._tables[index])
        self._kernel.flip(self._arena, layers[-1][OUTPUT], output, 0, self.output_size)

    def _run_layer(self, words: "array[int]", table: "array[int]") -> None:
        kernel = self._kernel
        for row in range(words[OUT_H]):
            words[ROW] = row
            if words[KIND] >= AVERAGE:
                kernel.pool(words, self._arena)
                continue
            if words[KIND] == DEPTHWISE:
                kernel.depthwise(words, self._arena, self.image, self._acc)
            else:
                kernel.convolve(words, self._arena, self.image, self._acc)
            kernel.requantise(words, table, self._acc, self._arena)


def largest(logits: bytes) -> int:
    # Index of the largest of int8 bytes, the first of equals: the class a model with logits out has chosen.
    best = 0
    for i in range(1, len(logits)):
        if logits[i] ^ 128 > logits[best] ^ 128:
            best = i
    return best
