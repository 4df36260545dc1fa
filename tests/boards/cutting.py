"""A memory-backed flash for MicroPython that loses power at a chosen write or erase. Runs inside the VM.

Use: `run_micropython(script, path=[folder of this file])`, and in the script

    from cutting import cut_everywhere
    cut_everywhere(prepare, action, check)

`prepare(root)`, `action(root)` and `check(root)` get the path that the flash is mounted at.
"""

import vfs

BLOCK_BYTES = 4096
_EIO = 5

# How code above the file system sees a cut.
PowerCutError = OSError


class CuttingBlockDevice:
    """`blocks` blocks of flash; operation number `cut_after` (0 = the first write or erase) is torn.

    `torn` says how much of that operation reaches the flash: "none", "half" or "full". From then on the device is

    `dead`: every access fails with EIO, and nothing changes `data`. -1 never cuts.
    """

    def __init__(self, blocks, cut_after=-1, torn="none"):
        self.data = bytearray(b"\xff" * (blocks * BLOCK_BYTES))
        self.blocks = blocks
        self.cut_after = cut_after
        self.share = {"none": 0, "half": 1, "full": 2}[torn]
        self.operations = 0
        self.dead = False

    # Errors are returned, not raised: the finaliser of a file that was open at the cut comes here with the heap
    # locked, where nothing can be allocated.
    def readblocks(self, block, buf, offset=0):
        if self.dead:
            return -_EIO
        start = block * BLOCK_BYTES + offset
        buf[:] = memoryview(self.data)[start : start + len(buf)]
        return 0

    def writeblocks(self, block, buf, offset=0):
        return -_EIO if self.dead else self._store(block * BLOCK_BYTES + offset, buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK_BYTES
        if op == 6:
            return -_EIO if self.dead else self._store(arg * BLOCK_BYTES, b"\xff" * BLOCK_BYTES)
        return 0

    def _store(self, start, new):
        size = len(new)
        if self.operations == self.cut_after:
            self.dead = True
            size = size * self.share // 2
        self.operations += 1
        self.data[start : start + size] = new[:size]
        return -_EIO if self.dead else 0


def cut_everywhere(prepare, action, check, blocks=16):
    """Runs `action` once for each write and erase it makes and each torn share, and cuts it there.

    `prepare` runs once on a fresh flash, every round starts from that state, and `check` sees what a round
    left, the uncut one first. Returns the number of cuts made.
    """
    device = CuttingBlockDevice(blocks)
    vfs.VfsLfs2.mkfs(device)
    _mounted(device, prepare)
    before = bytes(device.data)
    uncut = _round(before, action, check, -1, "none")
    for cut_after in range(uncut):
        for torn in ("none", "half", "full"):
            _round(before, action, check, cut_after, torn)
    return uncut * 3


def _round(before, action, check, cut_after, torn):
    # A device each: what a file that was open at the cut still wants to write must not reach the next round.
    device = CuttingBlockDevice(len(before) // BLOCK_BYTES, cut_after, torn)
    device.data[:] = before
    _mounted(device, action)
    rebooted = CuttingBlockDevice(device.blocks)
    rebooted.data[:] = device.data
    _mounted(rebooted, check)
    return device.operations


def _mounted(device, step):
    # A cut may come while mounting, inside `step` or while a file is closed.
    try:
        vfs.mount(vfs.VfsLfs2(device), "/flash")
        step("/flash")
    except OSError:
        if not device.dead:
            raise
    finally:
        try:
            vfs.umount("/flash")
        except OSError:
            pass
