"""Runs on MicroPython and CPython: a whole node through seeded commands, weather and upsets of its radiator.

Prints the state CRC every tenth of the way, a CRC of all that it sent, and what it has been through.
"""

import struct
from binascii import crc32

from ascnode_fw import link
from ascnode_fw.flight import layout as f_
from ascnode_fw.node import Node
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import seal
from ascnode_fw.wire.packet import TC_BYTES, pack_tc


class Store:
    """Flash in memory."""

    def __init__(self, files):
        self.files = dict(files)

    def read(self, name):
        return self.files.get(name)

    def write(self, name, data):
        self.files[name] = bytes(data)


class Accelerator:
    """Answers with its input's first bytes, each one more."""

    model_id = 0x12345678
    macs = 60000
    input_size = 64
    output_size = 10

    def run(self, data, output):
        for i in range(10):
            output[i] = data[i] + 1 & 0xFF


class Dice:
    """The same numbers on both interpreters."""

    def __init__(self, seed):
        self.state = seed

    def roll(self, sides):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 8) % sides


class Ground:
    """Signs telecommands and folds what the node sends."""

    def __init__(self, files, seed):
        self.crc = 0
        self.frames = 0
        self.sequence = 0
        self.key = files["keys.bin"][2:34]
        self.dice = Dice(seed)
        self.node = Node(Store(files), Accelerator(), b"\x01\x02\x03\x04\x05\x06\x07\x08", self.hear)

    def hear(self, body):
        if body[0] == d.SIM:  # a refusal's text is the interpreter's
            self.crc = crc32(body, self.crc)
            self.frames += 1

    def order(self, command, arguments):
        self.sequence += 1
        packet = bytearray(TC_BYTES + len(arguments))
        pack_tc(packet, d.APID, self.sequence, 0, self.sequence, command, arguments)
        seal(self.key, memoryview(packet))
        return packet

    def event(self, kind, data):
        f = self.node.computer.f
        head = struct.pack(link.EVENT_FORMAT, f[f_.NOW_S] + self.dice.roll(3), 0, kind, len(data))
        return head + bytes(data)

    def command(self):
        roll = self.dice.roll
        now_s = self.node.computer.f[f_.NOW_S]
        kind = roll(12)
        if kind < 5:
            head = struct.pack(">IIBI", roll(1000), 0x12345678, roll(3), now_s + 5 + roll(300))
            return self.order(d.CMD_QUERY, head + bytes([roll(256)] * (64 if roll(20) else 63)))
        if kind == 5:
            number, _, default, low, high, _ = d.PARAMETERS[roll(len(d.PARAMETERS))]
            value = (default, default, low, high)[roll(4)]
            if number in (d.P_CONTROL_MS, d.P_RADIO_BPS, d.P_OP_COUNT):
                value = default
            return self.order(d.CMD_SET_PARAM, struct.pack(">Hi", number, value))
        if kind == 6:
            return self.order(d.CMD_CAP_POWER, struct.pack(">I", (0, 70000 + roll(200000))[roll(2)]))
        if kind == 7:
            return self.order(d.CMD_SET_MODE, bytes([(0, 0, 0, 1, 2, 3)[roll(6)]]))
        if kind == 8:
            count = self.node.computer.f[f_.TM_COUNT]
            return self.order(d.CMD_CUSTODY, struct.pack(">HH", count & 0x3FFF, count - roll(30) & 0x3FFF))
        if kind == 9:
            start_s = now_s + roll(300)
            window = struct.pack(">BII", roll(2), start_s, start_s + 1 + roll(600))
            return self.order(d.CMD_PLAN_ADD, window)
        if kind == 10:
            return self.order(d.CMD_GET_PARAM, struct.pack(">H", roll(50)))
        return bytes([roll(256)] * roll(60))

    def calm(self):
        # What was set to an extreme goes back, so that the node works again.
        orders = [self.order(d.CMD_SET_MODE, b"\0"), self.order(d.CMD_CAP_POWER, bytes(4))]
        for row in d.PARAMETERS:
            if self.node.computer.v[row[0]] != row[2]:
                orders.append(self.order(d.CMD_SET_PARAM, struct.pack(">Hi", row[0], row[2])))
        for order in orders:
            self.node.handle(memoryview(bytes([d.FLIGHT]) + order))

    def weather(self):
        roll = self.dice.roll
        light = (1024, 1024, 0, roll(1025))[roll(4)]
        return struct.pack(link.ENVIRONMENT_FORMAT, light, 1024, roll(1025), roll(1025))

    def exchange(self, seconds):
        roll = self.dice.roll
        events = [self.event(link.PACKET, self.command()) for _ in range(roll(4))]
        events.append(self.event(link.ENVIRONMENT, self.weather()))
        events.append(self.event(link.RADIO, bytes([roll(4) and 1])))
        if not roll(30):
            events.append(
                self.event(link.POKE, struct.pack(link.POKE_FORMAT, 0, p_.T_RADIATOR_UK, 1 << roll(24)))
            )
        until_s = self.node.computer.f[f_.NOW_S] + seconds
        flags = link.STOP_ON_CUSTODY * roll(2)
        head = struct.pack(link.EXCHANGE_FORMAT, flags, 0, until_s, 0, len(events))
        self.node.handle(memoryview(bytes([d.SIM, link.EXCHANGE, 0, 0, 0, 0]) + head + b"".join(events)))


def main(files, steps, seed):
    ground = Ground(files, seed)
    node = ground.node
    begin = struct.pack(link.BEGIN_FORMAT, 1000, 0, 500, 4, 3, 0)
    node.handle(memoryview(bytes([d.SIM, link.BEGIN, 0, 0, 0, 0]) + begin))
    f = node.computer.f
    mark = 1
    turn = 0
    while f[f_.NOW_S] < 1000 + steps:
        ground.exchange(1 + ground.dice.roll(20))
        turn += 1
        if turn % 10 == 0:
            ground.calm()
        if f[f_.NOW_S] >= 1000 + mark * steps // 10:
            print(f"{node.digest():08x} {ground.crc:08x}")
            mark += 1
    print(list(f))
    print(list(node.plant.state))
    print(ground.frames, node.verifier.accepted, list(node.verifier.refusals))


def load(folder):
    files = {}
    for name in ("plant.bin", "keys.bin", "params"):
        with open(folder + "/" + name, "rb") as f:  # noqa: PTH123 -- MicroPython has no pathlib
            files[name] = f.read()
    return files
