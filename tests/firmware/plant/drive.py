"""A plant driven by a fixed pseudo-random schedule; runs alike on MicroPython and CPython.

On MicroPython: `main(image file, steps, seed)` prints the rolling CRC-32 every tenth of the run, and the state.
"""

from binascii import crc32

from ascnode_fw.plant import config, layout
from ascnode_fw.plant.model import Plant

PERIOD = 50  # steps between changes of the inputs


def inputs(seed, change, peak_pw):
    # The input words from this change on; a 16-bit generator restarted for each, so that any can be had alone.
    x = (seed * 7919 + change * 40503) & 0xFFFF
    words = []
    for _ in range(8):
        x = (x * 25173 + 13849) & 0xFFFF
        words.append(x)
    sun, array, radiator, albedo, extra, accel, on, age = words
    return (
        (0, 0, 1024, 1024, sun >> 6)[sun % 5],
        1024 if array & 1 else array >> 6,
        radiator >> 6,
        albedo >> 6,
        (extra * (peak_pw >> 4)) >> 18 if extra & 3 == 0 else 0,
        (accel * (peak_pw >> 4)) >> 13 if accel & 1 else (accel * (peak_pw >> 4)) >> 15,
        1 if on % 9 else 0,
        (age % 40) * 25 + change % 10,
    )


def drive(words, steps, seed):
    # Rolling CRC-32 of the state over all steps, its value after every tenth of them, the plant, all events.
    plant = Plant(words)
    state = plant.state
    peak_pw = words[layout.ARRAY_FULL_PW]
    crc = 0
    marks = []
    for step in range(steps):
        if step % PERIOD == 0:
            for word, value in enumerate(inputs(seed, step // PERIOD, peak_pw)):
                plant.set_input(word, value)
        plant.step()
        crc = crc32(state, crc)
        if (step + 1) % (steps // 10) == 0:
            marks.append(crc)
    return marks, plant


def main(image, steps, seed):
    with open(image, "rb") as f:  # noqa: PTH123 -- MicroPython has no pathlib
        marks, plant = drive(config.load(f.read()), int(steps), int(seed))
    print(marks)
    print(list(plant.state))
