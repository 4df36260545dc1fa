# main.py of a board that boots the node, runs an inference and prints what its heap holds.
import gc

gc.threshold(4096)  # as firmware/board/main.py does

from ascnode_fw.accel.choose import choose_kernel
from ascnode_fw.accel.software import SoftwareAccelerator
from ascnode_fw.hal.files import FileStore
from ascnode_fw.node import Node
from ascnode_fw.sim import SimPlane

store = FileStore("/")
accelerator = SoftwareAccelerator(store.read("model.bin"), choose_kernel())
node = Node(store, accelerator, bytes(8), lambda body: None)
node.sim = SimPlane(node)
accelerator.run(bytes(accelerator.input_size), bytearray(accelerator.output_size))
for _ in range(100):
    node.step()
gc.collect()
print("heap", gc.mem_alloc(), gc.mem_free(), "heap end")
