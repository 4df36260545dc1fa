"""Trains, quantises and writes the project's own digits model: `python -m ascnode.models.train` (extra `train`).

TensorFlow is needed here only: everything that runs the model reads data/digits.tflite.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import typer

from ascnode.models.digits import INPUT_SCALE, INPUT_ZERO_POINT, Digits, load_digits
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import read_model

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 550
EPOCHS = 120
BATCH = 32
OUT = Path(__file__).parent / "data" / "digits.tflite"


def reproducible(seed: int) -> Any:
    """TensorFlow with every source of chance and of reordered sums pinned; call before any other use of it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(seed)
    return tf


def build(tf: Any) -> Any:
    """23,680 MACs: 3x3 to 8 channels on 8x8, 3x3 to 16 on 4x4, 64 to 10; logits out, no softmax."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1), batch_size=1),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )


def to_real(images: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """The real numbers that int8 inputs stand for, so that training sees what the node will see."""
    return ((images.astype(np.float32) - INPUT_ZERO_POINT) * INPUT_SCALE).astype(np.float32)


def fit(tf: Any, model: Any, digits: Digits) -> float:
    """Trains on the training part, shows an epoch a line, returns the float accuracy on the test part."""
    rate = tf.keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * len(digits.train_labels) // BATCH)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(
        to_real(digits.train_images),
        digits.train_labels,
        epochs=EPOCHS,
        batch_size=BATCH,
        shuffle=True,
        verbose=2,
    )
    logits = model.predict(to_real(digits.test_images), verbose=0)
    return accuracy(logits, digits.test_labels)


def quantise(tf: Any, model: Any, images: npt.NDArray[np.int8]) -> bytes:
    """Full-int8 .tflite; activation ranges come from the training images."""

    def samples() -> Iterator[list[npt.NDArray[np.float32]]]:
        for image in to_real(images):
            yield [image[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def accuracy(logits: npt.NDArray[Any], labels: npt.NDArray[np.uint8]) -> float:
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def main(out: Path = OUT, seed: int = SEED) -> None:
    """Train the digits model and write it as a full-int8 .tflite file."""
    digits = load_digits()
    tf = reproducible(seed)
    model = build(tf)
    float_accuracy = fit(tf, model, digits)
    data = quantise(tf, model, digits.train_images)
    quantised = read_model(data)
    int8_accuracy = accuracy(Reference(quantised).run(digits.test_images), digits.test_labels)
    out.write_bytes(data)
    typer.echo(
        f"{out}: {len(data)} bytes, {quantised.macs} MACs; right on the test part: "
        f"{float_accuracy:.1%} in float, {int8_accuracy:.1%} in int8"
    )


if __name__ == "__main__":
    typer.run(main)
