"""What CPython and MicroPython name differently."""

import struct

TYPE_CHECKING = False  # type checkers take it for true

if TYPE_CHECKING:

    def const(value: int) -> int:
        return value

else:
    try:
        from micropython import const  # the compiler has folded its calls already
    except ImportError:

        def const(value):
            return value


STRUCT_ERROR: "type[Exception]" = getattr(struct, "error", ValueError)  # MicroPython raises ValueError
