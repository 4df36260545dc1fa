"""The driver's modules on MicroPython, as sources: what CPython lets pass and a board's compiler does not."""

from pathlib import Path

from firmware.driver.rig import case
from unix_port import run_micropython

SCRIPT = """
import sys
from ascnode_fw.accel.engine import make_models
from ascnode_fw.hal.files import FileStore
import ascnode_fw.accel.flash


class Dead:
    def transfer(self, out, into, n):
        for k in range(n):
            into[k] = 0

    def reset(self):
        pass

    def wait_us(self, us):
        return 0


kernel, engine = make_models(Dead, FileStore(sys.argv[1]), "model.acc")
output = bytearray(kernel.output_size)
data = memoryview(bytes(kernel.input_size))
code = engine.run(data, output, 20000, 133000, None)
kernel.run(data, output)
print(engine.cycles, code, engine.recover(), engine.resent, output.hex())
"""


def test_a_dead_link_is_told_and_the_cpu_answers(tmp_path: Path) -> None:
    (tmp_path / "model.acc").write_bytes(case().image)
    said = run_micropython(SCRIPT, str(tmp_path)).split()
    zeros = bytes(case().model.input.size)
    assert said == ["3391", "1", "1", "8", case().answer(zeros).hex()]
