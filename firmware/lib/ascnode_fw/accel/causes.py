"""Why an inference did not come from the accelerator, or what had to be mended; the dictionary names them."""

from ascnode_fw.compat import const

OK = const(0)
LINK = const(1)  # no frame comes through
IDENTITY = const(2)  # what answers is no accelerator of this version
HUNG = const(3)  # it was not done by its deadline
STOPPED = const(4)  # it ended with an error code
RESET = const(5)  # it was reset, or ran something else: cycles and throttling are not this program's
WEIGHTS = const(6)  # what is in its memory is not the program
STREAM = const(7)  # its flash cannot be written, or holds something else
PROGRAM = const(8)  # the program's file is damaged
INPUT = const(10)  # what the first layer read is not the input any more
SELF_TEST = const(9)  # the answer to the program's own question is wrong
