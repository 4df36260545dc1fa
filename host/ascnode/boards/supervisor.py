"""One process per virtual board: keeps its serial port, runs the MicroPython child, shows what a board would.

    python -I -S -c "... main()" [--link PATH] [--env NAME=VALUE]... -- COMMAND...

COMMAND, with the REPL mode to start in ("friendly" or "raw") appended, runs in an environment of the --env
variables alone. There are two pseudo-terminals: the host's stays open over resets, so a program stays
attached; the child's, its controlling terminal, is new with every boot. Bounded queues relay between them.

stdin: lines `power on`, `power off`, `cut`, `reset`, `quit`. End of file is `quit`: a board dies with its
host.
stdout: one JSON object a line, with "event" as
    port   path             the host's end, from the start to the end
    boot   boot, pid        the flash is mounted; `boot` counts from 1
    exit   code             the VM ended by itself and starts again, as after a soft reset
    crash  signal           the VM was killed by a signal that did not come from here; the board is off
    fault  reason           the VM cannot boot and the board is off
    error  reason           an unknown command came
    off                     the board has no power; also when it met the write that ASCNODE_CUT ordered a cut at
"""

from __future__ import annotations

import os
import select
import signal
import sys
import tty
from collections.abc import Callable

from ascnode.boards.child import Child, Queue, read_available

_STDIN, _STDOUT = 0, 1
_CTRL_A, _CTRL_C = b"\x01", b"\x03"
_SOFT_RESET = b"MPY: soft reboot\r\n"
# What the VM prints on entering either REPL: the only sign of which one it is in.
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'


class Supervisor:
    """The board: at most one child, one port, and what is on its way between them."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command = command
        self._environment = environment
        # The slave stays open here: data and terminal settings outlive a program that closes the port.
        self._host, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        for fd in (self._host, _STDIN, _STDOUT):
            os.set_blocking(fd, False)
        self._to_host = Queue(self._host)
        self._reports = Queue(_STDOUT)
        self._to_child = Queue(-1)
        self._child: Child | None = None
        self._boots = 0
        self._raw = False
        self._tail = b""
        self._line = b""
        self._quit = False

    def run(self) -> None:
        """Serves until `quit` or end of file on stdin; leaves no process behind."""
        try:
            self._report("port", path=self.port)
            while not self._quit:
                self._serve()
        except BrokenPipeError:
            return  # nobody hears the reports any more
        finally:
            self._stop()

    def _serve(self) -> None:
        reads: dict[int, Callable[[], None]] = {_STDIN: self._take_commands}
        writes = {queue.fd: queue for queue in (self._to_host, self._reports, self._to_child) if queue.data}
        if not self._to_child.full():
            reads[self._host] = self._take_from_host
        if self._child is not None:
            if not self._to_host.full():
                reads[self._child.terminal] = self._take_from_child
            if not self._child.silent:
                reads[self._child.status] = self._take_status
        readable, writable, _ = select.select(reads, writes, [])
        for fd in writable:
            writes[fd].flush()
        # A handler may end the child that a later one was called for: each looks again at what there is.
        for fd in readable:
            reads[fd]()

    def _take_commands(self) -> None:
        data = read_available(_STDIN)
        if data is None:
            return
        self._quit = not data
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._obey(line.decode(errors="replace").strip())

    def _obey(self, line: str) -> None:
        if line == "power on":
            if self._child is None:
                self._boot()
        elif line == "power off":
            self._power_off()
        elif line == "cut":
            self._to_host.data.clear()
            self._power_off()
        elif line == "reset":
            self._stop()
            self._boot()
        elif line == "quit":
            self._quit = True
        else:
            self._report("error", reason=f"unknown command {line!r}")

    def _power_off(self) -> None:
        self._stop()
        self._report("off")

    def _stop(self) -> None:
        # As a loss of power does: at once, and with it all that the board had not yet read.
        if self._child is not None:
            self._child.end()
        self._child = None
        self._to_child = Queue(-1)

    def _boot(self, raw: bool = False, waiting: bytes = b"") -> None:
        self._boots += 1
        self._raw = raw
        self._tail = b""
        try:
            self._child = Child([*self._command, "raw" if raw else "friendly"], self._environment)
        except OSError as error:
            self._fault(f"the board's process cannot be started: {error.strerror}")
            return
        # The VM always starts in the friendly REPL; a Ctrl-A leads it back to the raw one.
        self._to_child = Queue(self._child.terminal, (_CTRL_A if raw else b"") + waiting)

    def _take_from_host(self) -> None:
        data = read_available(self._host)
        child = self._child
        if child is None or data is None:
            return  # without power nobody listens
        while _CTRL_C in data:
            before, _, rest = data.partition(_CTRL_C)
            if not child.interrupt():
                break  # disarmed holds for the whole chunk: one look at the process, not one a byte
            self._to_child.send(before)
            data = rest
        self._to_child.send(data)

    def _take_from_child(self) -> None:
        self._take_status()  # came before what it prints: the host hears of a boot before it sees its output
        child = self._child
        if child is None:
            return
        try:
            data = read_available(child.terminal)
        except OSError:  # EIO, where macOS gives an end of file
            data = b""
        if data:
            self._note_repl(data)
            self._to_host.send(data)
        elif data is not None:  # the process is gone, and all it wrote has been read
            self._ended(child)

    def _note_repl(self, data: bytes) -> None:
        text = self._tail + data
        raw, friendly = text.rfind(_RAW_BANNER), text.rfind(_FRIENDLY_BANNER)
        if raw != friendly:
            self._raw = raw > friendly
        self._tail = text[-len(_FRIENDLY_BANNER) :]

    def _take_status(self) -> None:
        child = self._child
        if child is None or child.silent:
            return
        line = read_available(child.status)
        if child.mounted:
            self._note_cut(child, line)
        elif line:
            self._note_status(child, line)
        elif line is not None:
            self._ended(child)

    def _note_cut(self, child: Child, line: bytes | None) -> None:
        child.silent = line == b""  # its end; what it printed is still to be read
        if line:
            with open(self._environment["ASCNODE_CUT"], "wb"):  # noqa: PTH123 -- as below
                pass  # done: the next boot has no such order
            self._obey("cut")

    def _note_status(self, child: Child, line: bytes) -> None:
        if line.startswith(b"mounted\n"):
            child.mounted = True
            self._report("boot", boot=self._boots, pid=child.pid)
            if line != b"mounted\n":
                self._note_cut(child, line)
        else:
            self._fault(line.decode(errors="replace").strip())

    def _ended(self, child: Child) -> None:
        last = None if child.mounted else read_available(child.status)
        if last:
            self._note_status(child, last)
        if self._child is None:
            return  # its last words were a fault
        waiting = bytes(self._to_child.data)
        status = child.end()
        self._child = None
        self._to_child = Queue(-1)
        if os.WIFSIGNALED(status):
            self._report("crash", signal=os.WTERMSIG(status))
        elif not child.mounted:
            self._fault(
                f"the interpreter ended with code {os.WEXITSTATUS(status)} before the flash was mounted"
            )
        else:
            self._report("exit", code=os.WEXITSTATUS(status))
            self._to_host.send(_SOFT_RESET)
            self._boot(self._raw, waiting)

    def _fault(self, reason: str) -> None:
        self._stop()
        self._report("fault", reason=reason)

    def _report(self, event: str, **details: str | int) -> None:
        # A host that takes no reports loses the newest ones.
        if not self._reports.full():
            self._reports.send(_line(event, **details))


def _line(event: str, **details: str | int) -> bytes:
    fields = {"event": event, **details}
    return b"{%s}\n" % ",".join(f'"{key}":{_json(value)}' for key, value in fields.items()).encode()


def _json(value: str | int) -> str:
    # The json module would lengthen the start-up by a third.
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\u{ord(c):04x}" for c in value) + '"'


# pathlib would lengthen the start-up by half.
def _publish(port: str, link: str) -> None:
    # What a supervisor that was killed left behind is replaced; a real file is not.
    if os.path.islink(link):  # noqa: PTH114
        os.unlink(link)  # noqa: PTH108
    os.symlink(port, link)  # noqa: PTH211


def _withdraw(port: str, link: str) -> None:
    # Another board may have taken the name since.
    if os.path.islink(link) and os.readlink(link) == port:  # noqa: PTH114, PTH115
        os.unlink(link)  # noqa: PTH108


def _parse(arguments: list[str]) -> tuple[list[str], dict[str, str], str]:
    split = arguments.index("--")
    environment: dict[str, str] = {}
    link = ""
    for option, value in zip(arguments[:split:2], arguments[1:split:2], strict=True):
        if option == "--link":
            link = value
        else:
            name, _, text = value.partition("=")
            environment[name] = text
    return arguments[split + 1 :], environment, link


def main() -> None:
    """Serves one board until its host lets go of stdin."""
    command, environment, link = _parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        supervisor = Supervisor(command, environment)
        if link:
            _publish(supervisor.port, link)
    except OSError as error:
        os.write(_STDOUT, _line("fault", reason=f"no serial port can be made: {error}"))
        return
    try:
        supervisor.run()
    finally:
        if link:
            _withdraw(supervisor.port, link)
