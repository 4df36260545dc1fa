"""A model file as it goes up: for the node's CPU and, where nodes have one, for the accelerator, with a self-test."""

from math import prod
from pathlib import Path

from ascnode.errors import AscnodeError, PushError
from ascnode.push.package import Package, model_package
from ascnode.scenario.payload import Payload, payload_of
from ascnode_gateware.model.tflite_model import load_model
from ascnode_gateware.program.image import ImageError, read_whole_image, write_image


def package_of(path: Path, payload: Payload, accelerated: bool) -> Package:
    """The model at `path` (.acc or .tflite), for nodes whose queries carry the payload's inputs. PushError when it does
    not fit. The program for an accelerator goes along when nodes are `accelerated`."""
    return (
        _of_acc(path, payload, accelerated)
        if path.suffix == ".acc"
        else _of_tflite(path, payload, accelerated)
    )


def _of_acc(path: Path, payload: Payload, accelerated: bool) -> Package:
    try:
        image = read_whole_image(path.read_bytes())
    except (ImageError, OSError) as error:
        raise PushError(f"{path}: {_reason(error)}") from None
    test = image.self_test
    if not image.cpu_model or test is None:
        raise PushError(f"{path} has no CPU model or no self-test: compile it again (ascnode accel compile)")
    _check_sizes(path, payload, prod(image.program.input.shape), prod(image.program.output.shape))
    program = write_image(image.program) if accelerated else b""
    return model_package(image.cpu_model, test.input, test.output, program)


def _of_tflite(path: Path, payload: Payload, accelerated: bool) -> Package:
    # Its self-test is the payload's first input with the answer of the reference model.
    try:
        model = load_model(path)
    except (AscnodeError, OSError, ValueError) as error:
        raise PushError(f"{path}: {_reason(error)}") from None
    _check_sizes(path, payload, model.input.size, model.output.size)
    new = payload_of(model, payload.images, payload.labels)
    test = payload.images[0].tobytes()
    return model_package(new.image, test, new.answer(test), new.program_image if accelerated else b"")


def _check_sizes(path: Path, payload: Payload, inputs: int, outputs: int) -> None:
    before = payload.model
    if (inputs, outputs) != (before.input.size, before.output.size):
        raise PushError(
            f"{path} takes {inputs} bytes and gives {outputs}; the scenario's queries carry {before.input.size}, "
            f"and its answers {before.output.size}"
        )


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
