"""Whole .acc files: the accelerator's program with the same model for a node's CPU, and a self-test of both."""

from dataclasses import dataclass

from ascnode.models.image import compile_image
from ascnode_gateware.compiler.self_test import make_self_test
from ascnode_gateware.model.layers import Model, ModelError
from ascnode_gateware.program.image import write_image
from ascnode_gateware.program.program import Program


@dataclass(frozen=True)
class AccFile:
    """The file's bytes; `no_cpu_model` says why it holds none, and is empty when it does."""

    data: bytes
    no_cpu_model: str


def acc_file(program: Program, model: Model) -> AccFile:
    """`program` is `model` compiled. A model that a node's CPU does not run is left out, the self-test never."""
    try:
        cpu_model, why = compile_image(model), ""
    except ModelError as error:
        cpu_model, why = b"", str(error)
    return AccFile(write_image(program, cpu_model=cpu_model, self_test=make_self_test(model)), why)
