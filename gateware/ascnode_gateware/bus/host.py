"""Reads and writes that survive lost and damaged frames: each is a generator, so that any kind of port can drive it."""

from collections.abc import Generator, Sequence

from ascnode_gateware.bus.frames import (
    MAX_WORDS,
    REGISTERS,
    SEQUENCES,
    Answer,
    FrameError,
    Request,
    RequestError,
    Status,
    read_request,
    write_request,
)

Exchange = Generator[bytes, bytes, Answer]  # yields a frame to send, is sent the bytes received beside it
ATTEMPTS = 8


class LinkError(RuntimeError):
    """No frame came through in ATTEMPTS attempts."""


class Host:
    """One per accelerator: it numbers register writes, so that the accelerator carries each out once.

    The first register write after a restart may be taken for one carried out before; let it be one that may be lost.
    """

    def __init__(self, sequence: int = 1) -> None:
        self._sequence = sequence % SEQUENCES
        self.resent = 0

    def read(self, address: int, count: int) -> Generator[bytes, bytes, tuple[int, ...]]:
        """A register a frame, since a counter may keep only a frame's first word waiting for long."""
        words: list[int] = []
        step = 1 if address >= REGISTERS else MAX_WORDS
        for at in range(0, count, step):
            request = read_request(self._sequence, address + at, min(step, count - at))
            words += (yield from self._attempts(request)).words
        return tuple(words)

    def write(self, address: int, words: Sequence[int]) -> Generator[bytes, bytes, None]:
        """Into memory; a register takes `write_register`."""
        if address >= REGISTERS:
            raise RequestError(f"address {address:#x} is a register's")
        for at in range(0, len(words), MAX_WORDS):
            part = words[at : at + MAX_WORDS]
            yield from self._attempts(write_request(self._sequence, address + at, part))

    def write_register(self, address: int, word: int) -> Generator[bytes, bytes, None]:
        """Carried out once, however often its frame or the answer is lost."""
        answer = yield from self._numbered(address, word)
        while answer.status == Status.REPEATED and not self._sent_again:
            # Another host, or this one before its restart, used the number last: nothing was carried out.
            answer = yield from self._numbered(address, word)

    def _numbered(self, address: int, word: int) -> Exchange:
        self._sequence = (self._sequence + 1) % SEQUENCES
        return (yield from self._attempts(write_request(self._sequence, address, [word])))

    def _attempts(self, request: Request) -> Exchange:
        self._sent_again = False
        failure = ""
        for _ in range(ATTEMPTS):
            received = yield request.encode()
            try:
                answer = request.decode(received)
            except FrameError as error:
                failure = str(error)
            else:
                if answer.status == Status.REJECTED:
                    raise RequestError(f"the accelerator rejected frame {request.sequence}")
                if answer.status != Status.CRC_ERROR:
                    return answer
                failure = "the accelerator received a wrong CRC"
            self.resent += 1
            self._sent_again = True
        raise LinkError(f"{ATTEMPTS} attempts at frame {request.sequence} failed; the last: {failure}")
