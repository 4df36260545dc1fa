"""Telecommands from the dictionary, signed; one commander a board and key."""

import struct

from ascnode_fw.wire import dictionary as d
from ascnode_fw.wire.auth import Signer
from ascnode_fw.wire.packet import MAC_BYTES, TC_BYTES, pack_tc

_COMMANDS = {row[1]: row for row in d.COMMANDS}


class Commander:
    """Makes packets with rising sequence numbers; start above what the board has accepted before."""

    def __init__(self, key: bytes, key_index: int = 0, sequence: int = 0) -> None:
        self._signer = Signer(key)
        self._key_index = key_index
        self.sequence = sequence

    def packet(self, name: str, *arguments: int, data: bytes = b"") -> bytes:
        """A signed telecommand; KeyError for a name that the dictionary lacks, struct.error for wrong arguments."""
        number, _, layout, _, _ = _COMMANDS[name]
        body = struct.pack(layout, *arguments) + data
        out = bytearray(TC_BYTES + len(body))
        self.sequence += 1
        size = pack_tc(out, d.APID, self.sequence, self._key_index, self.sequence, number, body)
        split = size - MAC_BYTES
        out[split:size] = self._signer.sign(memoryview(out)[:split])
        return bytes(out[:size])
