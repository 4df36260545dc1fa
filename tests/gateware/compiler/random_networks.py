"""Seeded networks of several layers: branches, sums, paddings and reshapes in any order that the engine must run."""

from collections.abc import Callable

import numpy as np
import tflite

from gateware.networks import Network

Rng = np.random.Generator
Grow = Callable[[Rng, Network, int], int | None]


def random_network(seed: int) -> bytes:
    """Two to nine layers; the same file for the same seed."""
    rng = np.random.default_rng([seed, 77])
    net = Network(seed)
    extent = rng.integers(1, 14, 2)
    if rng.random() < 0.2:
        extent[1] = 1
    source = net.input(1, int(extent[0]), int(extent[1]), int(rng.choice([1, 2, 3, 4, 5, 8, 12, 16])))
    made = [source]
    for _ in range(int(rng.integers(2, 10))):
        start = made[-1] if rng.random() < 0.8 else made[int(rng.integers(len(made)))]
        grown = _GROWERS[int(rng.integers(len(_GROWERS)))](rng, net, start)
        if grown is not None:
            made.append(grown)
    if all(op.op in ("RESHAPE", "PAD") for op in net.ops):
        made.append(net.conv(source, 3, (1, 1)))  # else nothing might be left to compute
    return net.build(source, made[-1])


def _kernel(rng: Rng, net: Network, source: int, padding: int) -> tuple[int, int]:
    _, height, width, _ = net.tensors[source].shape
    kernel = rng.integers(1, 6, 2)
    if padding == tflite.Padding.VALID:
        kernel = np.minimum(kernel, (height, width))
    return int(kernel[0]), int(kernel[1])


def _stride(rng: Rng) -> tuple[int, int]:
    vertical, horizontal = rng.choice([1, 1, 1, 2, 3], 2)
    return int(vertical), int(horizontal)


def _padding(rng: Rng) -> int:
    return int(rng.choice([tflite.Padding.SAME, tflite.Padding.VALID]))


def _is_image(net: Network, source: int) -> bool:
    return len(net.tensors[source].shape) == 4


def _conv(rng: Rng, net: Network, source: int) -> int | None:
    if not _is_image(net, source):
        return None
    padding, channels = _padding(rng), int(rng.choice([1, 3, 4, 8, 10, 16]))
    kernel = _kernel(rng, net, source, padding)
    relu = bool(rng.random() < 0.5)
    return net.conv(source, channels, kernel, _stride(rng), padding=padding, relu=relu)


def _depthwise(rng: Rng, net: Network, source: int) -> int | None:
    if not _is_image(net, source):
        return None
    padding = _padding(rng)
    return net.depthwise(source, _kernel(rng, net, source, padding), _stride(rng), padding=padding)


def _pool(rng: Rng, net: Network, source: int) -> int | None:
    if not _is_image(net, source):
        return None
    op, padding = str(rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), _padding(rng)
    return net.pool(source, op, _kernel(rng, net, source, padding), _stride(rng), padding=padding)


def _pad(rng: Rng, net: Network, source: int) -> int | None:
    if not _is_image(net, source):
        return None
    widths = [(int(a), int(b)) for a, b in rng.integers(0, 3, (3, 2))]
    last = widths[2] if rng.random() < 0.3 else (0, 0)
    return net.pad(source, (0, 0), widths[0], widths[1], last)


def _sum(rng: Rng, net: Network, source: int) -> int | None:
    """With any other image of the same shape, itself if there is none; through a convolution now and then."""
    if not _is_image(net, source):
        return None  # a flattened image may lie in words that no sum has
    shape = net.tensors[source].shape
    alike = [n for n, t in enumerate(net.tensors) if t.data is None and t.shape == shape]
    other = alike[int(rng.integers(len(alike)))]
    if rng.random() < 0.6:
        source = net.conv(source, shape[3], (3, 3), relu=False)
    order = (source, other) if rng.random() < 0.5 else (other, source)
    return net.add(*order, relu=bool(rng.random() < 0.5))


def _reshape(rng: Rng, net: Network, source: int) -> int | None:
    shape = net.tensors[source].shape
    if not _is_image(net, source):
        return None
    _, height, width, channels = shape
    if channels % 8 == 0 and rng.random() < 0.5:
        return net.reshape(source, 1, height * 2, width, channels // 2)
    return net.reshape(source, 1, width, height, channels)


def _dense(rng: Rng, net: Network, source: int) -> int | None:
    if rng.random() < 0.7:
        return None
    size = int(np.prod(net.tensors[source].shape))
    flat = source if len(net.tensors[source].shape) == 2 else net.reshape(source, 1, size)
    return net.dense(flat, int(rng.integers(1, 20)), relu=bool(rng.random() < 0.5))


_GROWERS: tuple[Grow, ...] = (_conv, _conv, _depthwise, _pool, _pad, _sum, _sum, _reshape, _dense)
