"""The accelerator's memory: a program, its input and its output, each under a CRC."""

from binascii import crc32

from ascnode_fw.accel import causes
from ascnode_fw.accel import program as p_
from ascnode_fw.accel.errors import InferenceError
from ascnode_fw.accel.port import MAX_WORDS
from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.accel.port import Port
    from ascnode_fw.accel.program import Program

_MOST_BYTES = const(1020)  # of a frame's words


class Memory:
    """What one program has there."""

    def __init__(self, port: "Port", program: "Program") -> None:
        self._port = port
        self._program = program
        self._placed = 0  # CRC of the input that was written for the run to come, if it was
        self._is_placed = False
        self._words_crc = 0  # of the words that it lies in
        self._sent = 0  # of them, as they are written
        self._held = 0  # bytes of those that wait in the port

    # --- program

    def load(self) -> None:
        for at in range(0, len(self._program.segments), p_.SEGMENT_WORDS):
            self._load(at)

    def _load(self, at: int) -> None:
        # Writes a segment of the program.
        address, words, expected, offset = self._program.segments[at : at + p_.SEGMENT_WORDS]
        crc = self._program.seed(address, words)
        for done in range(0, words, MAX_WORDS):
            count = min(MAX_WORDS, words - done)
            piece = self._port.data[: 4 * count]
            self._program.piece(offset + 4 * done, piece)
            crc = crc32(piece, crc)
            self._port.write(address + done, count)
        if crc != expected:
            raise InferenceError(causes.PROGRAM)

    def _memory_crc(self, address: int, words: int, crc: int) -> int:
        for done in range(0, words, MAX_WORDS):
            crc = crc32(self._port.read(address + done, min(MAX_WORDS, words - done)), crc)
        return crc

    def upset(self, at: int, mask: int) -> None:
        # Flips bits of a byte of the program, counted over its segments: the bench's upset of a weight.
        segments = self._program.segments
        for i in range(0, len(segments), p_.SEGMENT_WORDS):
            size = 4 * segments[i + p_.WORDS]
            if at < size:
                address = segments[i + p_.ADDRESS] + at // 4
                self._port.data[:4] = self._port.read(address, 1)
                self._port.data[at % 4] ^= mask & 0xFF
                self._port.write(address, 1)
                return
            at -= size

    def verify(self) -> None:
        # A segment that is not the program's any more is written again; the answer may be wrong.
        bad = 0
        for at in range(0, len(self._program.segments), p_.SEGMENT_WORDS):
            if not self._intact(at):
                self._load(at)
                bad += 1
        if bad:
            raise InferenceError(causes.WEIGHTS)

    def _intact(self, at: int) -> bool:
        address, words, expected, _ = self._program.segments[at : at + p_.SEGMENT_WORDS]
        return bool(self._memory_crc(address, words, self._program.seed(address, words)) == expected)

    # --- input and output

    def forget_input(self) -> None:
        # What lies there is not the next run's.
        self._is_placed = False

    def place(self, data: memoryview) -> None:
        # Writes the input as the first layer reads it, unless it is there.
        crc = crc32(data)
        if self._is_placed and self._placed == crc:
            return
        program = self._program
        self._is_placed = False
        self._words_crc = self._sent = self._held = 0
        for row in range(program.rows):
            line = data[row * program.row_bytes : (row + 1) * program.row_bytes]
            for column in range(program.columns):
                self._pixel(line, column * program.step + program.first)
        self._flush()
        self._placed = crc
        self._is_placed = True

    def _pixel(self, line: memoryview, first: int) -> None:
        # The words of one pixel, which may be more than a frame's.
        size = 4 * self._program.groups
        for done in range(0, size, _MOST_BYTES):
            count = min(_MOST_BYTES, size - done)
            if self._held + count > _MOST_BYTES:
                self._flush()
            self._fill(line, first + done, self._held, count)
            self._held += count

    def _flush(self) -> None:
        self._words_crc = crc32(self._port.data[: self._held], self._words_crc)
        self._port.write(self._program.input_address + self._sent, self._held // 4)
        self._sent += self._held // 4
        self._held = 0

    def _fill(self, line: memoryview, first: int, at: int, count: int) -> None:
        # Bytes of a row from `first` on, with padding where it has none.
        target = self._port.data
        low = max(0, -first)
        high = min(count, len(line) - first)
        if low > 0 or high < count:
            pad = self._program.pad & 0xFF
            for k in range(at, at + count):
                target[k] = pad
        if high > low:
            target[at + low : at + high] = line[first + low : first + high]

    def check_input(self) -> None:
        # Whether the words that the first layer has read are those that were written.
        program = self._program
        words = program.rows * program.columns * program.groups
        if self._memory_crc(program.input_address, words, 0) != self._words_crc:
            raise InferenceError(causes.INPUT)

    def take(self, output: bytearray) -> None:
        program = self._program
        channels = program.channels
        groups = (channels + 3) // 4
        pixels = max(1, MAX_WORDS // groups)
        for done in range(0, program.pixels, pixels):
            count = min(pixels, program.pixels - done)
            words = self._port.read(program.output_address + done * groups, count * groups)
            for pixel in range(count):
                at = (done + pixel) * channels
                output[at : at + channels] = words[pixel * groups * 4 : pixel * groups * 4 + channels]
