# The loader: chooses the firmware of a slot, starts it, and goes back to the one before when it fails. No update by
# radio touches this file or boot.py. A firmware that is not on trial and fails leaves the board at its REPL, where it
# can be mended.
import gc
import sys
from binascii import crc32
from struct import pack, unpack

# "firmware.slot" (flight/slots.py writes it as well): version, slot confirmed, slot on trial (0: none), boots that the
# trial has left, why the last one was rolled back, seconds that it may go unconfirmed; then CRC-32.
FILE = "firmware.slot"
FORMAT = "<BBBBBI"
VERSION = 1
FOLDERS = ("", "/fw_a", "/fw_b")  # slot 0 is what the board was delivered with: frozen, or in /lib
UNCONFIRMED = 1
CRASHED = 2
DAMAGED = 4
WATCHDOG_MS = 8000  # an RP2040's goes up to 8,388


def chosen(store):
    # [confirmed, trial, boots, cause, seconds]
    data = store.read(FILE) or b""
    if len(data) != 13 or pack("<I", crc32(data[:-4])) != data[-4:] or data[0] != VERSION:
        return [0, 0, 0, 0, 0]
    found = list(unpack(FORMAT, data[:-4])[1:])
    return found if max(found[:2]) < len(FOLDERS) else [0, 0, 0, 0, 0]


def choose(store, values):
    data = pack(FORMAT, VERSION, *values)
    store.write(FILE, data + pack("<I", crc32(data)))


def start_slot(store):
    # The slot to start. A trial loses a boot before it begins, and is over when none is left.
    confirmed, trial, boots, _, seconds = chosen(store)
    if not trial:
        return confirmed
    if not boots:
        choose(store, [confirmed, 0, 0, UNCONFIRMED, 0])
        return confirmed
    choose(store, [confirmed, trial, boots - 1, 0, seconds])
    return trial


def roll_back(store, slot):
    # The firmware of that slot did not start, or failed: whether another one is to be tried.
    confirmed, trial, _, _, _ = chosen(store)
    if trial:
        choose(store, [confirmed, 0, 0, CRASHED, 0])
        return True
    if slot:
        choose(store, [0, 0, 0, DAMAGED, 0])
    return slot > 0


class Files:
    # The root of the flash.
    def read(self, name):
        try:
            file = open(name, "rb")
        except OSError:
            return None
        try:
            return file.read()
        finally:
            file.close()

    def write(self, name, data):
        import os

        file = open(name + ".new", "wb")
        try:
            file.write(data)
        finally:
            file.close()
        os.rename(name + ".new", name)


class Loader:
    # What the firmware is given: it has to feed the watchdog that guards a trial.
    def __init__(self, on_trial):
        import machine

        self._machine = machine
        self._dog = machine.WDT(timeout=WATCHDOG_MS) if on_trial and hasattr(machine, "WDT") else None

    def feed(self):
        if self._dog:
            self._dog.feed()

    def reset(self):
        # A board has reset(), the unix port only the soft one.
        getattr(self._machine, "reset", self._machine.soft_reset)()


def start():
    files = Files()
    slot = start_slot(files)
    loader = Loader(chosen(files)[1])
    if slot:
        sys.path.insert(0, FOLDERS[slot])
    imported = False
    try:
        from ascnode_fw.main import main

        imported = True
        main(loader)
    except Exception as error:
        sys.print_exception(error)
        # A confirmed firmware that started once is whole: what stopped it is for the REPL.
        if (not imported or chosen(files)[1]) and roll_back(files, slot):
            loader.reset()


if __name__ == "__main__":
    # Imports leave much behind that what is kept would be strewn among: collect often until the firmware runs.
    gc.threshold(4096)
    start()
