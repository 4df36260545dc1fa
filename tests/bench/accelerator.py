"""`make bench`, the accelerator: cycles of MLPerf Tiny's networks beside 16 MACs a cycle and what others publish.

Networks whose files are not at hand are built with random weights: cycles do not depend on weights or data.
"""

import tempfile
from pathlib import Path

from ascnode.cli.accel_bench import bench, found_models
from gateware.networks import mobilenet_v1, resnet8, wake_word


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ascnode-bench-") as folder:
        paths = []
        for name, data in (("resnet8", resnet8()), ("mobilenet", mobilenet_v1()), ("wake_word", wake_word())):
            paths.append(Path(folder) / f"{name}.tflite")
            paths[-1].write_bytes(data)
        bench([path for path in found_models() if path.is_file()] + paths)


if __name__ == "__main__":
    main()
