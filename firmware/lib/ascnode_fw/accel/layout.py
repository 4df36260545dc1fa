"""Layout of a node image: what the host's compiler writes and the node reads; all little-endian.

    header     magic, version u16, layer count u16, length of the whole u32, model id u32, total MACs u32
    layers     WORDS uint32 each, by the indices below
    tables     RESCALE_WORDS uint16 an output channel, for convolutions and depthwise convolutions
    weights    one byte each, int8 + 128: [out][kernel_h][kernel_w][in], depthwise [kernel_h][kernel_w][channel]
    CRC-32     of all bytes before it, u32

Activations are held as int8 + 128 too, so that every kernel reads plain unsigned bytes; zero points and
clamps in the layer words count that way.
"""

from ascnode_fw.compat import const

MAGIC = b"ACNI"
VERSION = 1
HEADER = "<4sHHIII"
HEADER_BYTES = 20

CONVOLUTION = 0  # a fully connected layer is one with a 1x1 kernel on one row of pixels
DEPTHWISE = 1
AVERAGE = 2
MAXIMUM = 3

# Indices of a layer's words; both kernels repeat those they use as constants that their compiler can fold.
KIND = const(0)
IN_H = const(1)
IN_W = const(2)
IN_C = const(3)
OUT_H = const(4)
OUT_W = const(5)
OUT_C = const(6)
KERNEL_H = const(7)
KERNEL_W = const(8)
STRIDE_H = const(9)
STRIDE_W = const(10)
DILATION_H = const(11)
DILATION_W = const(12)
PAD_TOP = const(13)
PAD_LEFT = const(14)
ZERO_IN = const(15)
ZERO_OUT = const(16)
LOW = const(17)
HIGH = const(18)
WEIGHTS = const(19)  # byte offset in the image; 0 for pools, as is TABLE
TABLE = const(20)
MACS = const(21)
WORDS = const(22)

# Words that the node appends in RAM.
INPUT = const(22)  # byte offsets in the arena
OUTPUT = const(23)
PATCH = const(24)
ROW = const(25)  # the output row to compute
AT = const(26)  # where the current pixel's patch starts
RAM_WORDS = const(27)

# Of a channel's table: bias in two limbs, multiplier in three (11, 10, 10 bits), shift + 31.
RESCALE_WORDS = const(6)

# A kernel holds sum + SUM_OFFSET, which a layer of at most MAX_TAPS products keeps in [0, 2^30 - 2^16); the
# compiler takes SUM_OFFSET out of the bias again. TFLite Micro itself asks for at most 2^16 products.
SUM_OFFSET = const(1 << 29)
MAX_TAPS = const(1 << 14)
MAX_TENSOR = const(1 << 20)  # bytes of one activation; also bounds every loop over a hostile image
MAX_WINDOW = const(4096)  # of a kernel, stride, dilation or padding along one axis
MAX_WORD = const(1 << 30)
