"""Picks the fastest kernel that this interpreter can run."""

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.kernel import Kernel


def choose_kernel() -> "Kernel":
    # kernel_viper where the port can compile or load machine code (ValueError: a .mpy of another architecture).
    try:
        from ascnode_fw.accel import kernel_viper

        return kernel_viper
    except (ImportError, SyntaxError, ValueError, NotImplementedError):
        from ascnode_fw.accel import kernel_portable

        return kernel_portable
