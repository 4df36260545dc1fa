"""What a node does with an image: buffers, answers, and one ValueError for every bad one."""

import ast
import random
import struct
from binascii import crc32
from pathlib import Path

import pytest

from ascnode.models.image import compile_image
from ascnode_fw.accel import choose, kernel_portable, layout
from ascnode_fw.accel.software import SoftwareAccelerator, largest
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model, read_model
from firmware.accel.audited import AUDITED
from models.golden import DIGITS
from models.random_layers import KINDS, random_images, random_layer


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", crc32(body))


def with_word(image: bytes, word: int, value: int) -> bytes:
    """The image with one word of its layers changed and its CRC right again."""
    at = layout.HEADER_BYTES + 4 * word
    return sealed(image[:at] + struct.pack("<I", value) + image[at + 4 : -4])


@pytest.fixture(scope="module")
def digits() -> bytes:
    return compile_image(load_model(DIGITS))


def test_facts_of_a_loaded_model(digits: bytes) -> None:
    accelerator = SoftwareAccelerator(digits, kernel_portable)
    assert (accelerator.macs, accelerator.input_size, accelerator.output_size) == (23_680, 64, 10)
    assert accelerator.model_id == crc32(DIGITS.read_bytes()) & 0x3FFFFFFF


def test_the_class_chosen_is_the_largest_int8_and_the_first_of_equals() -> None:
    assert largest(bytes([0x80, 0x05, 0xFF, 0x7E, 0x7E])) == 3  # -128, 5, -1, 126, 126
    assert largest(bytes([0x85, 0x80, 0x91])) == 2


def test_two_models_and_two_runs_do_not_disturb_each_other(digits: bytes) -> None:
    model = load_model(DIGITS)
    images = random_images(model.input.shape, 4, 6)[1:]
    expected = Reference(model).run(images)
    first, second = SoftwareAccelerator(digits, kernel_portable), SoftwareAccelerator(digits, kernel_portable)
    for image, answer in zip(images, expected, strict=True):
        output = bytearray(10)
        first.run(image.tobytes(), output)
        second.run(bytes(64), bytearray(10))
        assert output == answer.tobytes()


def test_wrong_buffer_lengths_are_refused_with_all_four_numbers(digits: bytes) -> None:
    accelerator = SoftwareAccelerator(digits, kernel_portable)
    with pytest.raises(ValueError, match=r"takes 64 bytes and gives 10, not 63 and 11"):
        accelerator.run(bytes(63), bytearray(11))


def test_every_flipped_bit_is_noticed(digits: bytes) -> None:
    rng = random.Random(4)
    for _ in range(300):
        spoilt = bytearray(digits)
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError, match=r"^image: "):
            SoftwareAccelerator(bytes(spoilt), kernel_portable)


def test_every_cut_is_noticed(digits: bytes) -> None:
    for length in (*range(0, 60), len(digits) // 2, len(digits) - 1):
        with pytest.raises(ValueError, match=r"^image: "):
            SoftwareAccelerator(digits[:length], kernel_portable)


@pytest.mark.parametrize(
    ("complaint", "word", "value"),
    [
        ("layer 0 has a word out of range", layout.KIND, 4),
        ("layer 0 has a word out of range", layout.ZERO_IN, 0x80000001),
        ("layer 0 has a word out of range", layout.HIGH, 256),
        ("layer 0 has a dimension of 0", layout.STRIDE_W, 0),
        ("layer 0 is larger than a node can hold", layout.IN_H, 1 << 20),
        ("layer 1 does not take what the layer before it gives", layout.WORDS + layout.IN_C, 7),
        ("layer 0 has windows that miss its input", layout.PAD_TOP, 3),
        ("layer 0 has windows that miss its input", layout.STRIDE_W, 2),
        ("layer 0 has a window past 4096", layout.DILATION_H, 4_097),
        ("layer 2 sums 98304 products", 2 * layout.WORDS + layout.KERNEL_H, 4_096),
        ("layer 0 states other MACs", layout.MACS, 4_607),
        ("layer 0 has constants outside the image", layout.WEIGHTS, 2_665),
        ("layer 0 has constants outside the image", layout.TABLE, 12),
        ("layer 0 has a multiplier or shift out of range", layout.TABLE, 250),
        ("layer 0 is depthwise", layout.KIND, layout.DEPTHWISE),
        ("layer 0 is no pool", layout.KIND, layout.MAXIMUM),
    ],
)
def test_an_image_that_would_leave_its_buffers_is_refused(
    digits: bytes, complaint: str, word: int, value: int
) -> None:
    with pytest.raises(ValueError, match=f"^image: {complaint}"):
        SoftwareAccelerator(with_word(digits, word, value), kernel_portable)


def test_another_version_is_refused_with_both_numbers(digits: bytes) -> None:
    other = sealed(digits[:4] + struct.pack("<H", 2) + digits[6:-4])
    with pytest.raises(ValueError, match="version 2, but this firmware reads version 1"):
        SoftwareAccelerator(other, kernel_portable)


def test_whatever_is_accepted_stays_inside_its_buffers() -> None:
    """3,000 images with one to three words changed and a right CRC: refused, or run without leaving a buffer."""
    rng = random.Random(77)
    originals = [compile_image(read_model(random_layer(kind, seed))) for kind in KINDS for seed in range(8)]
    ran = 0
    for n in range(3_000):
        image = originals[n % len(originals)]
        for _ in range(rng.choice((1, 1, 2, 3))):
            word = rng.randrange(layout.MACS)
            image = with_word(
                image, word, rng.choice((0, 1, 1, 2, 3, 4, 5, 7, 12, 200, 1 << 15, (1 << 30) - 1))
            )
        try:
            accelerator = SoftwareAccelerator(image, AUDITED[rng.choice(("portable", "viper"))])
        except ValueError as refusal:
            assert str(refusal).startswith("image: ")
            continue
        if accelerator.input_size + accelerator.output_size < 2_000 and accelerator.macs < 20_000:
            accelerator.run(bytes(accelerator.input_size), bytearray(accelerator.output_size))
            ran += 1
    assert ran > 200


def test_both_kernels_use_the_layouts_indices() -> None:
    folder = Path(kernel_portable.__file__).parent
    for name in ("kernel_portable.py", "kernel_viper.py"):
        found = constants((folder / name).read_text())
        assert found == {key: getattr(layout, key) for key in found}, name
        assert len(found) > 20


def constants(source: str) -> dict[str, int]:
    """NAME of every `_NAME = const(number)` at the top of a module."""
    return {
        node.targets[0].id.lstrip("_"): eval(ast.unparse(node.value.args[0]))
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
    }


def test_cpython_gets_the_portable_kernel() -> None:
    assert choose.choose_kernel() is kernel_portable
