# The virtual board's boot ROM, run by the unix port with `-c` before anything else: mounts the flash image at
# / and does what a board does after a reset: boot.py, main.py, REPL. It is not copied to a board.
# Arguments: the image file; "friendly" or "raw", the REPL to end in.
# Descriptor 3 is a pipe to the supervisor for lines: "mounted", or what went wrong; "cut" when the flash has met the
# write that power was to fail at. Only after "mounted" does a Ctrl-C reach this process as a signal.
# ASCNODE_CUT names a file that may hold "N SHARE": power fails at the Nth write or erase from then on, of which SHARE
# halves (0, 1, 2) reach the flash.


class Flash:
    """A block device over a file of 4,096-byte blocks; erased flash reads 0xff."""

    def __init__(self, path, cut, status):
        self.file = open(path, "r+b")
        self.cut = open(cut, "rb") if cut else None
        self.status = status
        self.order = b""
        self.left = 0
        self.blocks = self.file.seek(0, 2) // 4096
        self.erased = b"\xff" * 4096

    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        halves = 2
        cut = self.cut_now()
        if cut:
            halves = int(self.order.split()[1])
        self.file.seek(block * 4096 + offset)
        self.file.write(memoryview(buf)[: len(buf) * halves // 2])
        if cut:
            self.die()

    def cut_now(self):
        # Whether power fails in this write.
        if not self.cut:
            return False
        self.cut.seek(0)
        order = self.cut.read()
        if order != self.order:
            self.order = order
            self.left = int(order.split()[0]) if order else 0
        self.left -= 1
        return self.left == 0

    def die(self):
        # Nothing more is written; the supervisor takes the power away.
        import time

        self.status.write("cut\n")
        while True:
            time.sleep(1)

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return 4096
        if op == 6:
            self.writeblocks(arg, self.erased)
        return 0


def mount(image, status):
    import os
    import sys

    import vfs

    # The same write size as the RP2040's port, so that images interchange with it.
    flash = vfs.VfsLfs2(Flash(image, os.getenv("ASCNODE_CUT"), status), progsize=256)
    vfs.umount("/")
    vfs.mount(flash, "/")
    os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]


def run(name):
    # True unless `name` raised; an absent file is an empty one.
    import sys

    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return True
    try:
        exec(compile(source, name, "exec"), globals())
    except SystemExit:
        raise
    except BaseException as error:
        sys.print_exception(error)
        return False
    return True


def start():
    import os
    import sys
    import termios

    import micropython

    micropython.kbd_intr(-1)
    status = open(3, "wb")
    image, mode = sys.argv[1:]
    try:
        mount(image, status)
    except Exception as error:
        status.write("cannot mount the flash image: {!r}\n".format(error))
        sys.exit(2)
    finally:
        del sys.argv[:]
    status.write("mounted\n")
    micropython.kbd_intr(3)
    terminal = termios.tcgetattr(0)
    # boot.py, main.py and the REPL share a namespace that starts empty, as on a board.
    run_file = run
    for name in ("Flash", "mount", "run", "start"):
        del globals()[name]
    # A soft reset out of the raw REPL runs boot.py only, as on a board.
    if run_file("boot.py") and mode == "friendly":
        run_file("main.py")
    # A firmware that failed may have left the terminal without blocking reads.
    termios.tcsetattr(0, 0, terminal)
    # The unix port looks at this after `-c`: REPL instead of exit. A SystemExit, the soft reset, does not
    # come here.
    os.putenv("MICROPYINSPECT", "1")


start()
