# What an image with the firmware frozen in holds, beside what its board has anyway:
#   make -C ports/rp2 BOARD=RPI_PICO FROZEN_MANIFEST=<this file>
# boot.py stays in the file system, where a user can change it; main.py is frozen: a wiped board still flies.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821
package("ascnode_fw", base_path="lib", opt=0)  # noqa: F821
module("main.py", base_path="board", opt=0)  # noqa: F821
