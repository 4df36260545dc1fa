"""Seeded mutations of valid frames against what sits behind the deframer, on MicroPython and CPython alike.

`fuzz(target, bodies, sign, mutations, seed)` mutates the frames of `bodies`, feeds them, and hands each body
that comes out intact to `target(body) -> outcome`, a small number that is tallied. One in four mutants is
sealed again with a valid CRC, half of those signed again too by `sign(body, number)`, so that the parsers
behind are reached. An exception out of `target` ends the run. Same seed, same counts, on any interpreter.

As a script, `fuzz_loop.py MUTATIONS SEED` fuzzes the wire package alone and prints the counts as a JSON line.
"""

import json
import sys
from binascii import crc32

from dict_store import DictStore

from ascnode_fw.wire.auth import ReplayCounter, Verifier, seal
from ascnode_fw.wire.frame import MAX_BODY, MAX_FRAME, Deframer, encode
from ascnode_fw.wire.packet import PacketError, pack_tc, pack_tm, unpack_tc, unpack_tm

OUTCOMES = 64
FLIGHT = 2
KEY_INDEX = 0x0107
KEY = b"a key for fuzzing, never another"


class Random:
    """Xorshift with 30 bits of state and full period; no intermediate leaves 30 bits.

    G. Marsaglia, "Xorshift RNGs", J. Stat. Software 8(14), 2003; the shifts were searched for this width.
    """

    def __init__(self, seed):
        self._state = seed & 0x3FFFFFFF or 0x2545F491

    def next(self):
        x = self._state
        x ^= (x & 0x7FFFFF) << 7
        x ^= x >> 11
        x ^= (x & 0x3FFF) << 16
        self._state = x
        return x

    def below(self, bound):
        return self.next() % bound

    def octets(self, count):
        return bytes([self.next() >> 11 & 0xFF for _ in range(count)])


# Mutators: (data, other data, random) -> mutant. `data` is never empty.


def flip_bits(data, other, random):
    mutant = bytearray(data)
    for _ in range(1 + random.below(3)):
        number = random.next()
        mutant[(number >> 3) % len(mutant)] ^= 1 << (number & 7)
    return mutant


def set_byte(data, other, random):
    # Zero and full blocks matter most to COBS.
    mutant = bytearray(data)
    number = random.next()
    mutant[(number >> 10) % len(mutant)] = (0, 255, 1, number & 0xFF)[number >> 8 & 3]
    return mutant


def insert(data, other, random):
    at = random.below(len(data) + 1)
    return data[:at] + random.octets(1 + random.below(4)) + data[at:]


def delete(data, other, random):
    at = random.below(len(data))
    return data[:at] + data[at + 1 + random.below(8) :]


def truncate(data, other, random):
    return data[: random.below(len(data))]


def splice(data, other, random):
    return data[: random.below(len(data))] + other[random.below(len(other)) :]


def delimit(data, other, random):
    at = random.below(len(data) + 1)
    return data[:at] + bytes(1 + random.below(3)) + data[at:]


def repeat(data, other, random):
    return data + data[random.below(len(data)) :] + other


MUTATORS = (flip_bits, set_byte, insert, delete, truncate, splice, delimit, repeat)


class Fuzzer:
    """One deframer under fire; the stream is never reset, so a broken frame may spoil the next one."""

    def __init__(self, target, bodies, sign, seed):
        self.random = Random(seed)
        self.deframer = Deframer()
        self.outcomes = [0] * OUTCOMES
        self.resealed = 0
        self.crc = 0  # over every body that came out
        self._target = target
        self._sign = sign
        self._bodies = bodies
        self._known = set(bodies)
        self._out = bytearray(MAX_FRAME)
        self._frames = [bytes(self._out[: encode(body, self._out)]) for body in bodies]

    def one(self):
        # One mutant into the deframer, everything that comes out of it into the target.
        number = self.random.next()
        if number & 3:
            self._feed(self._mutant(self._frames, number >> 2), number)
            self._drain(b"")
        else:
            body = self._mutant(self._bodies, number >> 2)[:MAX_BODY]
            if not body:
                return
            if number & 4:
                body = bytearray(body)
                self._sign(body, number)
            # What an earlier mutant left open would swallow this frame: close it first.
            self._feed(b"\0" + memoryview(self._out)[: encode(body, self._out)], number)
            self._drain(bytes(body))
            self.resealed += 1

    def _mutant(self, pool, number):
        data = pool[number % len(pool)]
        other = pool[(number >> 8) % len(pool)]
        mutant = MUTATORS[number >> 16 & 7](data, other, self.random)
        if number >> 19 & 3 == 0 and mutant:
            mutant = MUTATORS[number >> 21 & 7](bytes(mutant), other, self.random)
        return mutant

    def _feed(self, data, number):
        # One in eight arrives in two chunks.
        if number >> 26 & 7 == 0:
            at = len(data) // 3
            self.deframer.push(data[:at])
            data = data[at:]
        self.deframer.push(data)

    def _drain(self, sealed):
        # What comes out was put in: the resealed body last, originals before it.
        last = None
        body = self.deframer.pop()
        while body is not None:
            self.crc = crc32(body, self.crc)
            last = bytes(body)
            if last not in self._known and last != sealed:
                raise ValueError(f"a corrupt frame was accepted: {last.hex()}")
            self.outcomes[self._target(body)] += 1
            body = self.deframer.pop()
        if sealed and last != sealed:
            raise ValueError(f"a sealed frame was lost: {sealed.hex()}")


def fuzz(target, bodies, sign, mutations, seed):
    # Counts of the whole run, JSON-ready.
    fuzzer = Fuzzer(target, bodies, sign, seed)
    for _ in range(mutations):
        fuzzer.one()
    deframer = fuzzer.deframer
    return {
        "mutations": mutations,
        "frames": deframer.frames,
        "bad_crc": deframer.bad_crc,
        "bad_cobs": deframer.bad_cobs,
        "too_long": deframer.too_long,
        "originals": deframer.frames - fuzzer.resealed,  # unharmed, as by a doubled delimiter
        "resealed": fuzzer.resealed,
        "outcomes": fuzzer.outcomes,
        "crc": fuzzer.crc,
    }


class WireTarget:
    """Both packet parsers and the verifier. Outcome: the verifier's code, 32 + the parser's for telemetry."""

    def __init__(self):
        self.counter = ReplayCounter(DictStore(), "counter")
        self.verifier = Verifier({KEY_INDEX: KEY}, {KEY_INDEX: self.counter})

    def __call__(self, body):
        packet = body[1:]
        if body[0] != FLIGHT:
            return self._telemetry(packet)
        return self.verifier.check(packet)

    def _telemetry(self, packet):
        try:
            unpack_tc(packet)
            return 31
        except PacketError as error:
            if not 0 < error.code < 8:
                raise
        try:
            return 32 + (unpack_tm(packet).ms > 999)
        except PacketError as error:
            return 32 + error.code

    def sign(self, body, number):
        # A valid MAC; three in four also get the next sequence number and so reach what is behind.
        packet = memoryview(body)[1:]
        if len(packet) < 29:
            return
        if number >> 24 & 3:
            packet[8:12] = (self.counter.last + 1).to_bytes(4, "big")
        seal(KEY, packet)


def wire_bodies(random):
    # Telecommands with ascending sequence numbers, telemetry, and noise of every length that COBS minds.
    bodies = []
    room = bytearray(MAX_BODY)
    view = memoryview(room)
    for sequence in range(1, 25):
        room[0] = FLIGHT
        used = pack_tc(view[1:], 0x2A5, sequence, KEY_INDEX, sequence, sequence, random.octets(3 * sequence))
        seal(KEY, view[1 : 1 + used])
        bodies.append(bytes(view[: 1 + used]))
    for number in range(24):
        room[0] = 1
        used = pack_tm(
            view[1:], 0x2A5, number, 86400 * number, 37 * number, number, random.octets(2 * number)
        )
        bodies.append(bytes(view[: 1 + used]))
    for size in (1, 2, 3, 5, 8, 13, 40, 89):
        bodies.append(random.octets(size))
    for size in (249, 250, 251, 504, 505, 600, MAX_BODY - 1, MAX_BODY):
        bodies.append(bytes([octet or 1 for octet in random.octets(size)]))
    return bodies


def main(mutations, seed):
    target = WireTarget()
    counts = fuzz(target, wire_bodies(Random(seed + 1)), target.sign, mutations, seed)
    counts["refusals"] = list(target.verifier.refusals)
    counts["accepted"] = target.verifier.accepted
    print(json.dumps(counts))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
