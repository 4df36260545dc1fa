"""A user's own images and model fly like the project's; what does not fit is named."""

from pathlib import Path

import numpy as np
import pytest

from ascnode.errors import ScenarioError
from ascnode.models.digits import load_digits
from ascnode.models.project import project_model_file
from ascnode.scenario.payload import load_payload
from ascnode.scenario.tables.work import Payload
from ascnode_fw.wire.packet import TC_BYTES
from models.tflite_builder import OpSpec, TensorSpec, build
from scenario.flight import fly, scenario


@pytest.fixture
def own(tmp_path: Path) -> Path:
    digits = load_digits()
    np.save(tmp_path / "images.npy", digits.train_images[:50])
    np.save(tmp_path / "labels.npy", digits.train_labels[:50])
    (tmp_path / "model.tflite").write_bytes(project_model_file().read_bytes())
    return tmp_path


def test_own_files_are_asked_and_answered(own: Path) -> None:
    text = (
        'duration_s = 120\nconstellation = {name = "starlink-gen1-1", compute = 5}\n'
        'payload = {images = "images.npy", labels = "labels.npy", model = "model.tflite"}\n'
        '[[workload]]\nkind = "inference"\nqueries = 40\n'
    )
    _, figures, _ = fly(scenario(own, text), own / "run.sqlite")
    assert figures.answered > 30
    assert figures.labelled == figures.answered
    assert figures.correct > 0.9 * figures.answered


def test_sizes_on_the_links_are_those_of_real_packets() -> None:
    payload = load_payload(Payload(), Path())
    # header, MAC, the four arguments (13 B) and an image of 8 x 8
    assert payload.query_bytes == TC_BYTES + 13 + 64
    assert payload.result_bytes < payload.query_bytes
    assert payload.label(0) == load_digits().test_labels[0]


def test_without_labels_there_is_no_accuracy(own: Path) -> None:
    payload = load_payload(Payload(images="images.npy", model="model.tflite"), own)
    assert payload.label(7) == -1


def test_a_model_whose_input_no_command_carries_is_refused(own: Path) -> None:
    tensor = TensorSpec((1, 32, 32, 3), scales=[1.0], zero_points=[0])
    window = {"StrideH": 1, "StrideW": 1, "FilterHeight": 1, "FilterWidth": 1}
    pool = OpSpec("MAX_POOL_2D", [0], [1], "Pool2DOptions", window)
    (own / "wide.tflite").write_bytes(build([tensor, tensor], [pool], [0], [1]))
    with pytest.raises(
        ScenarioError, match="takes 3072 bytes and gives 3072; a node takes at most 784 and gives 52"
    ):
        load_payload(Payload(images="images.npy", model="wide.tflite"), own)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (Payload(labels="labels.npy"), "payload.images"),
        (Payload(images="images.npy"), "payload.model: images of your own need a model"),
        (Payload(images="none.npy", model="model.tflite"), "payload.images: .*none.npy"),
        (Payload(images="images.npy", model="none.tflite"), "payload.model"),
        (Payload(images="images.npy", model="images.npy"), "payload.model"),
        (Payload(images="model.tflite", model="model.tflite"), "payload.images"),
        (Payload(images="labels.npy", model="model.tflite"), r"int8 \(n, 8, 8, 1\)"),
        (Payload(images="images.npy", labels="images.npy", model="model.tflite"), "payload.labels"),
    ],
)
def test_what_does_not_fit_is_one_sentence_that_names_the_key(own: Path, table: Payload, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        load_payload(table, own)
