"""What ends an attempt at an inference."""


class InferenceError(Exception):
    """A step has failed; its argument is the cause (ascnode_fw.accel.causes)."""
