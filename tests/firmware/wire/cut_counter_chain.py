"""MicroPython only: one flash through hundreds of power cuts in a row. Prints the cuts."""

import vfs
from cutting import CuttingBlockDevice, PowerCutError

from ascnode_fw.hal.files import FileStore
from ascnode_fw.wire.auth import OK, ReplayCounter

LIVES = 400


def live(device, used):
    # One life: boots, uses numbers until the power goes, and never one that was used.
    vfs.mount(vfs.VfsLfs2(device), "/flash")
    counter = ReplayCounter(FileStore("/flash"), "counter")
    assert counter.last >= (used[-1] if used else 0), (counter.last, used[-1])
    for _ in range(150):
        sequence = counter.last + 1
        if counter.accept(sequence) != OK:
            return
        assert not used or sequence > used[-1]
        used.append(sequence)


def unmount():
    try:
        vfs.umount("/flash")
    except (PowerCutError, OSError):
        pass


def powered(before, number):
    # A new device with the old one's bytes: files that a cut left open belong to the dead one for ever.
    # (Their finalisers find that out during a collection, and say so on stdout.)
    cut_after = number * 7 % 23 if number < LIVES else -1
    device = CuttingBlockDevice(16, cut_after, ("none", "half", "full")[number % 3])
    device.data = before.data
    return device


def main():
    device = CuttingBlockDevice(16)
    vfs.VfsLfs2.mkfs(device)
    used = []
    cuts = 0
    for number in range(LIVES + 1):
        device = powered(device, number)
        try:
            live(device, used)
        except (PowerCutError, OSError):
            if not device.dead:
                raise
        unmount()
        cuts += device.dead
    assert len(set(used)) == len(used)
    print(cuts, "cuts", len(used), "numbers")


main()
