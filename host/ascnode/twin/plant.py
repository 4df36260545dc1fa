"""A plant in the host: the firmware's own model, for what runs there instead of on a board."""

import struct
from collections.abc import Sequence

from ascnode.session.messages import Event
from ascnode_fw import link
from ascnode_fw.plant import layout as p_
from ascnode_fw.plant.model import Plant

_LIGHT = (p_.ILLUMINATION, p_.COS_ARRAY, p_.COS_RADIATOR, p_.ALBEDO)


def shine(plant: Plant, event: Event) -> None:
    """An ENVIRONMENT event takes effect."""
    values = struct.unpack(link.ENVIRONMENT_FORMAT, event.data)
    for word, value in zip(_LIGHT, values, strict=True):
        plant.set_input(word, value)


def due_us(event: Event) -> int:
    """When a board sees an event: its time, up to the next ms."""
    return -(-event.time_us // 1000) * 1000


def coast(plant: Plant, step_ms: int, now_us: int, until_us: int, lights: Sequence[Event]) -> None:
    """Battery and heat without a flight computer: no accelerator, no radio; the bus draws on."""
    plant.set_input(p_.ACCEL_ON, 0)
    plant.set_input(p_.ACCEL_PW, 0)
    plant.set_input(p_.EXTRA_PW, 0)
    waiting = [event for event in lights if event.kind == link.ENVIRONMENT]
    while now_us < until_us:
        while waiting and due_us(waiting[0]) <= now_us:
            shine(plant, waiting.pop(0))
        plant.step()
        now_us += step_ms * 1000
