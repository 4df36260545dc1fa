"""What queries carry and what nodes run: inputs, labels, a model, and the sizes of the packets on the links."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ascnode.errors import AscnodeError, ScenarioError
from ascnode.models.acc import acc_file
from ascnode.models.digits import load_digits
from ascnode.models.image import compile_image
from ascnode.models.project import load_project_model
from ascnode.scenario.tables.work import Payload as PayloadTable
from ascnode.session.commanding import Commander
from ascnode_fw.accel.image import Image
from ascnode_fw.flight.tasks import INPUT_MAX
from ascnode_fw.flight.telemetry import OUTPUT_MAX
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.packet import TM_BYTES
from ascnode_gateware.compiler.compile import compile_model
from ascnode_gateware.model.layers import Model, ModelError
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.program import Program


@dataclass(frozen=True, eq=False)
class Payload:
    """images: int8 inputs (n, ...); labels (n,) or None; image: the model as a node runs it.

    A query's packet and an answer's have query_bytes and result_bytes.
    """

    model: Model
    images: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int64] | None
    image: bytes
    macs: int
    query_bytes: int
    result_bytes: int
    answer: Callable[[bytes], bytes]

    @cached_property
    def program(self) -> Program:
        """The model as the accelerator runs it; ScenarioError when it cannot."""
        try:
            return compile_model(self.model)
        except ModelError as e:
            raise ScenarioError(f"payload.model: {e}") from None

    @property
    def cycles(self) -> int:
        """Of one inference on the accelerator, as its compiler foretells."""
        assert self.program.foretold is not None  # just compiled
        return self.program.foretold.cycles

    @cached_property
    def program_image(self) -> bytes:
        """The same as a file (.acc), with the model for a CPU and a self-test."""
        return acc_file(self.program, self.model).data

    def label(self, image: int) -> int:
        """-1 without labels."""
        return -1 if self.labels is None else int(self.labels[image])

    def digest(self) -> str:
        """SHA-256 over inputs, labels and model: what a record says of them."""
        labels = b"" if self.labels is None else self.labels.tobytes()
        return hashlib.sha256(self.images.tobytes() + labels + self.image).hexdigest()


def load_payload(table: PayloadTable, folder: Path) -> Payload:
    """The project's digits, or a user's files; ScenarioError, naming the key, for what does not fit."""
    if table.images is None:
        if table.labels or table.model:
            raise ScenarioError("payload.images: labels or a model without images")
        digits = load_digits()
        return payload_of(load_project_model(), digits.test_images, digits.test_labels.astype(np.int64))
    if table.model is None:
        raise ScenarioError("payload.model: images of your own need a model that takes them")
    try:
        model = load_model(folder / table.model, drop_final_softmax=True)  # the largest logit stays so
    except (AscnodeError, OSError, ValueError) as e:
        raise ScenarioError(f"payload.model: {e}") from None
    if model.input.size > INPUT_MAX or model.output.size > OUTPUT_MAX:
        raise ScenarioError(
            f"payload.model: {table.model} takes {model.input.size} bytes and gives {model.output.size}; "
            f"a node takes at most {INPUT_MAX} and gives {OUTPUT_MAX}"
        )
    images = _array("images", folder / table.images)
    if images.dtype != np.int8 or len(images) == 0 or images[0].size != model.input.size:
        raise ScenarioError(
            f"payload.images: {table.images} holds {images.dtype} {images.shape}; the model takes int8 "
            f"(n, {', '.join(map(str, model.input.shape[1:]))})"
        )
    labels = _array("labels", folder / table.labels).astype(np.int64) if table.labels else None
    if labels is not None and labels.shape != (len(images),):
        raise ScenarioError(f"payload.labels: {labels.shape} labels for {len(images)} images")
    return payload_of(model, images.reshape(-1, *model.input.shape[1:]), labels)


def _array(key: str, path: Path) -> npt.NDArray[np.int8]:
    try:
        array: npt.NDArray[np.int8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as e:
        raise ScenarioError(f"payload.{key}: {path}: {e}") from None
    return array


def payload_of(model: Model, images: npt.NDArray[np.int8], labels: npt.NDArray[np.int64] | None) -> Payload:
    """What is made of a model, its inputs and their labels."""
    image = compile_image(model)
    packet = Commander(bytes(32)).packet("query", 0, 0, 0, 0, data=bytes(model.input.size))
    answer_bytes = TM_BYTES + struct.calcsize(d.TELEMETRY[d.TM_RESULT - 1][2]) + model.output.size
    return Payload(
        model, images, labels, image, Image(image).macs, len(packet), answer_bytes, _answers(model)
    )


def _answers(model: Model) -> Callable[[bytes], bytes]:
    reference = Reference(model)
    shape = (1, *model.input.shape[1:])

    @lru_cache(maxsize=4096)  # users send the same images again
    def answer(data: bytes) -> bytes:
        image: npt.NDArray[np.int8] = np.frombuffer(data, np.int8)
        return reference.run(image.reshape(shape)).tobytes()

    return answer
