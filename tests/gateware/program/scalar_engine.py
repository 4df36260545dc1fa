"""docs/accelerator.md read word by word in plain Python: slow, and without NumPy's or the executor's shortcuts."""

from collections import deque
from collections.abc import Sequence

BANK = 1 << 14
LAYER_END_BIT = 7


class ScalarEngine:
    """Runs a program from `memory` (32768 words); `run` returns it as it is at END."""

    def __init__(self, memory: Sequence[int], stream: Sequence[int]) -> None:
        self.memory = [int(word) for word in memory]
        self.stream = [int(word) for word in stream]
        self.consumed = 0
        self.layers = 0
        self.window: deque[int] = deque([0, 0, 0, 0], 4)  # the newest word is last; it is never cleared
        self.tables: list[int] = []

    def run(self, address: int) -> list[int]:
        while bits(self.memory[address], 0, 1):
            header = [self.memory[moved(address, i)] for i in range(12)]
            opcode = bits(header[0], 0, 1)
            if opcode == 1:
                ScalarJob(self, header).run()
            else:
                assert opcode == 2
                source = self.source(header)
                self.tables = [next(source) for _ in range(514)]
            self.layers += bits(header[0], LAYER_END_BIT, LAYER_END_BIT)
            address = moved(address, 12)
        return self.memory

    def source(self, header):
        """Parameter, weight and table words one after another."""
        address = bits(header[1], 16, 30)
        while True:
            if bits(header[0], 6, 6):
                self.consumed += 1
                yield self.stream[self.consumed - 1]
            else:
                yield self.memory[address]
                address = moved(address, 1)


class ScalarJob:
    """One RUN; names are those of the header's table."""

    def __init__(self, engine, header):
        self.engine = engine
        self.source = engine.source(header)
        w = header
        self.dw, self.max, self.add = bits(w[0], 2, 2), bits(w[0], 3, 3), bits(w[0], 5, 5)
        self.prime, self.period, self.pad = bits(w[0], 8, 10), bits(w[0], 12, 14), bits(w[0], 16, 23)
        self.input = bits(w[1], 0, 14)
        self.output, self.out_step, self.skip = bits(w[2], 0, 14), bits(w[2], 16, 24), bits(w[3], 0, 14)
        self.d_col, self.d_row = bits(w[4], 0, 13), bits(w[4], 16, 29)
        self.d_kx, self.d_ky = bits(w[5], 0, 13), bits(w[5], 16, 29)
        self.d_icg, self.d_ocg = bits(w[6], 0, 13), bits(w[6], 16, 29)
        self.ix0, self.iy0 = bits(w[7], 0, 9), bits(w[7], 10, 19)
        self.sx, self.sy = bits(w[7], 20, 22), bits(w[7], 23, 25)
        self.kx_inc, self.ky_inc = bits(w[7], 26, 28), bits(w[7], 29, 31)
        self.width, self.height = bits(w[8], 0, 9), bits(w[8], 10, 19)
        self.cols, self.rows = bits(w[9], 0, 9) + 1, bits(w[9], 10, 18) + 1
        self.n_kx, self.n_ky, self.n_icg = (
            bits(w[10], 0, 7) + 1,
            bits(w[10], 8, 15) + 1,
            bits(w[10], 16, 24) + 1,
        )
        self.n_ocg = bits(w[11], 0, 8) + 1

    def run(self):
        first = self.input
        for group in range(self.n_ocg):
            parameters = [next(self.source) for _ in range(12)]
            accumulators = None
            for icg in range(self.n_icg):
                column0, row0 = self.ix0, self.iy0
                for ky in range(self.n_ky):
                    column0 = self.ix0
                    for kx in range(self.n_kx):
                        sums = self.one_pass(first, column0, row0)
                        accumulators = self.accumulate(accumulators, sums)
                        column0 = (column0 + self.kx_inc) % 1024
                        if kx < self.n_kx - 1:
                            first = moved(first, self.d_kx)
                    row0 = (row0 + self.ky_inc) % 1024
                    if ky < self.n_ky - 1:
                        first = moved(first, self.d_ky)
                if icg < self.n_icg - 1:
                    first = moved(first, self.d_icg)
            first = moved(first, self.d_ocg)
            self.drain(group, accumulators, parameters)

    def one_pass(self, address, column0, row0):
        """Row sums of each output: the job's words, one after another, past one block."""
        block = [next(self.source) for _ in range(4)]
        sums = []
        for _ in range(self.rows):
            wait, column = self.prime, column0
            for col in range(self.cols):
                inside = column < self.width and row0 < self.height
                self.engine.window.append(self.engine.memory[address] if inside else self.pad * 0x01010101)
                if wait == 0:
                    sums.append([self.row_sum(block[r], r) for r in range(4)])
                    wait = self.period + 1
                wait -= 1
                column = (column + self.sx) % 1024
                if col < self.cols - 1:
                    address = moved(address, self.d_col)
            address = moved(address, self.d_row)
            row0 = (row0 + self.sy) % 1024
        return sums

    def row_sum(self, weights, row):
        window = self.engine.window
        total = 0
        for lane in range(4):
            seen = byte(window[lane], row) if self.dw else byte(window[3], lane)
            total += seen * byte(weights, lane)
        return total

    def accumulate(self, old, sums):
        if old is None:
            return sums
        if self.max:
            return [[max(a, b) for a, b in zip(*pair, strict=True)] for pair in zip(old, sums, strict=True)]
        return [[signed32(a + b) for a, b in zip(*pair, strict=True)] for pair in zip(old, sums, strict=True)]

    def drain(self, group, accumulators, parameters):
        memory = self.engine.memory
        for pixel, sums in enumerate(accumulators):
            place = pixel * self.out_step + group
            other = memory[moved(self.skip, place)]
            word = 0
            for r in range(4):
                bias, digits, control = parameters[3 * r : 3 * r + 3]
                value = rescaled(signed32(sums[r] + bias), digits, control)
                if self.add:
                    a, b = value & 0xFF, other >> 8 * r & 0xFF
                    tables = self.engine.tables
                    value = rescaled(signed32(tables[a] + tables[256 + b]), tables[512], tables[513])
                word |= (value & 0xFF) << 8 * r
            memory[moved(self.output, place)] = word


def rescaled(x, digits, control):
    multiplier = sum({0: 0, 1: 1, 2: 2, 3: -1}[digits >> 2 * j & 3] * 4**j for j in range(16))
    amount, left = bits(control, 0, 4), bits(control, 5, 5)
    if left:
        x = signed32(x << amount)
    v = (x * multiplier + 2**30) >> 31
    if not left and amount > 0:
        v = (v + 2 ** (amount - 1) - (1 if v < 0 else 0)) >> amount
    return min(max(v + byte(control, 1), byte(control, 2)), byte(control, 3))


def bits(word, low, high):
    return word >> low & ((1 << (high - low + 1)) - 1)


def byte(word, index):
    value = word >> 8 * index & 0xFF
    return value - 256 if value > 127 else value


def signed32(value):
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def moved(address, step):
    """The address `step` words on, in the same bank."""
    return (address & BANK) | ((address + step) % BANK)
