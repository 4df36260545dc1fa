"""A question to a model with its answer, for the node to ask its accelerator before it trusts it."""

import numpy as np

from ascnode_gateware.model.layers import Model
from ascnode_gateware.model.reference import Reference
from ascnode_gateware.program.image import SelfTest


def make_self_test(model: Model) -> SelfTest:
    """Seeded noise and the NumPy reference's answer; the same for the same model."""
    rng = np.random.default_rng(model.model_id)
    image = rng.integers(-128, 128, (1, *model.input.shape[1:]), dtype=np.int8)
    return SelfTest(image.tobytes(), Reference(model).run(image).tobytes())
