"""A model file as it goes up: compiled for the node's CPU and, where nodes have one, for the accelerator."""

from pathlib import Path

from ascnode.errors import AscnodeError, PushError
from ascnode.push.package import Package, model_package
from ascnode.scenario.payload import Payload, payload_of
from ascnode_gateware.model.tflite_model import load_model


def package_of(path: Path, payload: Payload, accelerated: bool) -> Package:
    """The .tflite at `path`, for nodes whose queries carry the payload's inputs.

    Its self-test is the payload's first input with the answer of the reference model. PushError when it does not fit.
    """
    if path.suffix == ".acc":
        raise PushError(
            f"{path}: a program alone has nothing for a node's CPU: give the .tflite that it was made from"
        )
    try:
        model = load_model(path)
    except (AscnodeError, OSError, ValueError) as error:
        raise PushError(f"{path}: {error}") from None
    if model.input.size != payload.model.input.size:
        raise PushError(
            f"{path} takes {model.input.size} bytes, and the scenario's queries carry {payload.model.input.size}"
        )
    if model.output.size != payload.model.output.size:
        raise PushError(
            f"{path} gives {model.output.size} bytes, and the model before {payload.model.output.size}"
        )
    new = payload_of(model, payload.images, payload.labels)
    test = payload.images[0].tobytes()
    return model_package(new.image, test, new.answer(test), new.program_image if accelerated else b"")
