"""Numbers of the LINK and SIM planes: what host and board say to each other on the bench, big-endian throughout.

LINK frames open a session; SIM frames are the sky. Neither is radio traffic: that is FLIGHT alone (wire/packet.py).
"""

from ascnode_fw.compat import const

# LINK, host to board
HELLO = const(1)  # >H nonce, not 0
TO_REPL = const(2)  # then b"repl": leave the firmware for the REPL
# LINK, board to host
IDENTITY = const(0x81)
CREDIT = const(0x82)  # >I body bytes consumed since the hello: for frames that have no other reply
REFUSED = const(0x83)  # text: why a LINK or SIM frame was not obeyed

# nonce of the hello (0: unasked, after a boot), unique id, dictionary digest, credit, greatest body, CRC of the
# plant, model id, boots, reset cause, last telecommand sequence of key 0; then version, NUL,
# capabilities separated by spaces
IDENTITY_FORMAT = ">H8s8sHHIIHBI"

# SIM, host to board
BEGIN = const(1)
EXCHANGE = const(2)
SNAPSHOT = const(3)
RESTORE = const(4)
# SIM, board to host
BEGUN = const(0x81)
DONE = const(0x82)
PART = const(0x83)
CHUNK = const(0x84)
RESTORED = const(0x85)

BEGIN_FORMAT = ">IHHBH"  # s, ms, age in days, reset cause, boots
EXCHANGE_FORMAT = ">HBIHB"  # sequence, flags, until s, until ms, events; then the events
EVENT_FORMAT = ">IHBH"  # s, ms, kind, length; then the data
# sequence, stop, steps, events applied, now s, now ms, state CRC, body bytes consumed, outputs; then the outputs
DONE_FORMAT = ">HBIHIHIIB"
OUTPUT_FORMAT = ">IHH"  # s, ms, length; then a FLIGHT packet that the radio sent then
PLACE_FORMAT = ">BI"  # buffer, byte offset: SNAPSHOT, CHUNK, RESTORE, RESTORED; then the data

# flags of an exchange
MORE = const(1)  # events only: the rest, and the time to advance to, follow
STOP_ON_CUSTODY = const(2)  # stop after the period in which the radio sent what waits to be taken over
# why an exchange ended
REACHED = const(0)
CUSTODY_SENT = const(1)
OUTPUT_FULL = const(2)

# kinds of event
PACKET = const(1)  # a FLIGHT packet arrives at the radio
ENVIRONMENT = const(2)  # >HHHH illumination, cos array, cos radiator, albedo, each /1024
RADIO = const(3)  # >B 1 lock, 0 none
POKE = const(4)  # >BIi buffer, word, value to XOR: an upset

ENVIRONMENT_FORMAT = ">HHHH"
POKE_FORMAT = ">BIi"

CHUNK_MAX = const(512)
# One exchange goes no further: a wild time must not keep a board busy.
EXCHANGE_MAX_S = const(3600)
CREDIT_BYTES = const(4096)  # body bytes that the host may have on the way
OUTPUT_MAX = const(8192)  # body bytes of output after which an exchange ends early
EVENTS_MAX = const(4096)  # body bytes of events that may wait for their exchange
