"""Numbers of the LINK and SIM planes: what host and board say to each other on the bench, big-endian throughout.

LINK frames open a session; SIM frames are the sky. Neither is radio traffic: that is FLIGHT alone (wire/packet.py).
"""

from ascnode_fw.compat import const

# LINK, host to board
HELLO = const(1)  # >H nonce, not 0: a later one opens a session
TO_REPL = const(2)  # then b"repl": leave the firmware for the REPL
# LINK, board to host
IDENTITY = const(0x81)
CREDIT = const(
    0x82
)  # >HHB session, number, frames of that request that were taken: those have no other reply
REFUSED = const(0x83)  # >HH session, number (0 and 0: of a frame without them), then why it was not obeyed

# session (0: none, after a boot), unique id, dictionary digest, credit, greatest body, CRC of the plant, model id,
# boots, reset cause, last telecommand sequence of key 0, number of the last SIM request that was answered; then
# version, NUL, capabilities separated by spaces
IDENTITY_FORMAT = ">H8s8sHHIIHBIH"

# Every SIM frame begins with plane, kind, session, number. Numbers rise by one a request, from 1 to 65535 and on to 1:
# the next one is obeyed, the last one is answered again with the same bytes, any other is passed over. Session 0 has no
# numbers: what calls a node without a wire between.
SIM_FORMAT = ">BBHH"
SIM_BYTES = const(6)
NUMBERS = const(0xFFFF)

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

BEGIN_FORMAT = ">IHHBHB"  # s, ms, age in days, reset cause, boots, flags
EXCHANGE_FORMAT = ">BBIHB"  # flags, frame of this exchange from 0, until s, until ms, events; then the events
EVENT_FORMAT = ">IHBH"  # s, ms, kind, length; then the data
# part of this answer from 0, stop, steps, events applied, now s, now ms, state CRC, actuators after the last period
# (accelerator on, accelerator pw, radio pw), outputs; then the outputs
DONE_FORMAT = ">BBHHIHIBIIB"
OUTPUT_FORMAT = ">IHH"  # s, ms, length; then a FLIGHT packet that the radio sent then
# Behind the outputs of the last frame: what each use of the accelerator came to, in order. code, repairs, frames that
# were sent again, cycles measured
OUTCOME_FORMAT = ">BHBI"
OUTCOME_BYTES = const(8)
PLACE_FORMAT = ">BI"  # buffer, byte offset: SNAPSHOT, CHUNK, RESTORE, RESTORED; then the data

# flags of a begin
HOSTED = const(1)  # the plant runs in the host: sensor words come as events
# flags of an exchange
MORE = const(1)  # events only: the rest, and the time to advance to, follow
STOP_ON_CUSTODY = const(2)  # stop after the period in which the radio sent what waits to be taken over
# why an exchange ended
REACHED = const(0)
CUSTODY_SENT = const(1)
OUTPUT_FULL = const(2)
RECOVERED = const(3)  # a period failed, and the flight computer started afresh
RESETTING = const(4)  # the board resets itself behind this answer: another firmware starts

# kinds of event
PACKET = const(1)  # a FLIGHT packet arrives at the radio
ENVIRONMENT = const(2)  # >HHHH illumination, cos array, cos radiator, albedo, each /1024
RADIO = const(3)  # >B 1 lock, 0 none
POKE = const(4)  # >BIi buffer (or WEIGHTS), word, value to XOR: an upset
SENSORS = const(5)  # >6H sensor words of a hosted plant, and its conditions since the last ones
SENSOR_FAULT = const(6)  # >BHh sensor, mask that its words are cut to, offset that is added then

ENVIRONMENT_FORMAT = ">HHHH"
POKE_FORMAT = ">BIi"
WEIGHTS = const(0xFF)  # a POKE's buffer: the weights' bytes, in the accelerator or in the CPU's memory
SENSORS_FORMAT = ">6H"
SENSOR_FAULT_FORMAT = ">BHh"

CHUNK_MAX = const(512)
# One exchange goes no further: a wild time must not keep a board busy.
EXCHANGE_MAX_S = const(3600)
CREDIT_BYTES = const(4096)  # body bytes that the host may have on the way
# Frames of an answer, kept until the next request. An exchange ends early once one is full: what a single period can
# send (48 packets of 96 bytes) fits the others.
REPLY_FRAMES = const(7)
# An exchange also ends once there are so many outcomes; a period adds at most one for each job and one more.
OUTCOMES_FULL = const(60)
OUTCOMES_MAX = const(80)
EVENTS_MAX = const(4096)  # body bytes of events that may wait for their exchange
