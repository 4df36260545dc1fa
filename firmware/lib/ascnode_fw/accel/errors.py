"""What ends an attempt at an inference."""


class InferenceError(Exception):
    """A step has failed; its first argument is the cause (ascnode_fw.accel.causes)."""


class LinkError(InferenceError):
    """A frame did not come through, however often it was sent."""


class ProgramError(InferenceError):
    """The file is no program, or it is damaged; the second argument says why."""
