"""Tensors as the memory sees them: images of pixels, a pixel being whole words of 4 channels."""

from dataclasses import dataclass
from math import prod

from ascnode_gateware.model.layers import Window
from ascnode_gateware.program.program import LANES


@dataclass(frozen=True)
class Image:
    """`height` rows of `width` pixels of `channels` bytes."""

    height: int
    width: int
    channels: int

    @property
    def groups(self) -> int:
        """Words of a pixel."""
        return -(-self.channels // LANES)

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def words(self) -> int:
        return self.pixels * self.groups

    @property
    def bytes(self) -> int:
        """Bytes of memory, padding lanes included."""
        return self.words * LANES

    def transposed(self) -> "Image":
        return Image(self.width, self.height, self.channels)

    def linear(self) -> "Image":
        """The same pixels as one row."""
        return Image(1, self.pixels, self.channels)

    def same_words(self, channels: int) -> bool:
        """Whether pixels of another number of channels would lie in the very same words."""
        total = self.pixels * self.channels
        return channels == self.channels or (
            channels % LANES == 0 and self.channels % LANES == 0 and total % channels == 0
        )


def image_of(shape: tuple[int, ...]) -> Image:
    """[.., height, width, channels]; missing dimensions are 1, further ones count as rows."""
    padded = (1, 1, 1, *shape)
    return Image(prod(padded[:-2]), padded[-2], padded[-1])


@dataclass(frozen=True)
class Sliding:
    """A window that slides over `source` and gives one pixel of `target` a position."""

    source: Image
    target: Image
    window: Window

    def transposed(self) -> "Sliding":
        """Rows as columns: the same words in memory when both images are one pixel wide."""
        w = self.window
        turned = Window(
            *(w.kernel_w, w.kernel_h, w.stride_w, w.stride_h),
            *(w.dilation_w, w.dilation_h, w.pad_left, w.pad_top),
        )
        return Sliding(self.source.transposed(), self.target.transposed(), turned)

    @property
    def upright(self) -> bool:
        """Whether everything is one pixel wide, so that it may as well run transposed."""
        return self.source.width == self.target.width == self.window.kernel_w == 1

    @property
    def pointwise(self) -> bool:
        """Whether each output pixel depends on the input pixel of the same place alone."""
        same = (self.source.height, self.source.width) == (self.target.height, self.target.width)
        w = self.window
        return same and w.taps == 1 and w.stride_h == w.stride_w == 1 and w.pad_top == w.pad_left == 0

    @property
    def covering(self) -> bool:
        """Whether the window is exactly the whole input."""
        w, source = self.window, self.source
        whole = (w.kernel_h, w.kernel_w) == (source.height, source.width)
        dilated = (w.dilation_h > 1 and w.kernel_h > 1) or (w.dilation_w > 1 and w.kernel_w > 1)
        return whole and not dilated and self.target.pixels == 1 and w.pad_top == w.pad_left == 0
