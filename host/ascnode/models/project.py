"""The project's own model: a small int8 CNN for handwritten digits, trained by train.py."""

from importlib import resources
from pathlib import Path

from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.tflite_model import load_model


def project_model_file() -> Path:
    """The committed .tflite file."""
    return Path(str(resources.files("ascnode.models") / "data" / "digits.tflite"))


def load_project_model() -> Model:
    """Reads it."""
    return load_model(project_model_file())
