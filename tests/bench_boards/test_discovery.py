"""Boards by their USB ids, with ports as pyserial describes them."""

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from ascnode.boards.discovery import Found, find_ports, may_be
from ascnode.session.messages import Identity

PICO_ID = "e6614c311b5f7e2a"


def port(device: str, vid: int | None, pid: int | None, serial_number: str | None) -> ListPortInfo:
    info = ListPortInfo(device)
    info.vid, info.pid, info.serial_number = vid, pid, serial_number
    return info


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ids as lsusb and the vendors' data sheets give them.
    ports = [
        port("/dev/ttyUSB1", 0x1A86, 0x7523, None),
        port("/dev/ttyACM0", 0x2E8A, 0x0005, PICO_ID.upper()),
        port("/dev/ttyUSB0", 0x10C4, 0xEA60, "0001"),
        port("/dev/ttyACM1", 0x303A, 0x1001, "A0:B1:C2:D3:E4:F5"),
        port("/dev/ttyS0", None, None, None),
        port("/dev/ttyACM2", 0x2341, 0x0043, "an Arduino"),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: ports)


def test_boards_are_known_by_their_ids_and_nothing_else_is() -> None:
    assert [(one.path, one.family, one.usb) for one in find_ports()] == [
        ("/dev/ttyACM0", "rp2", "2e8a:0005"),
        ("/dev/ttyACM1", "esp32", "303a:1001"),
        ("/dev/ttyUSB0", "esp32", "10c4:ea60"),
        ("/dev/ttyUSB1", "esp32", "1a86:7523"),
    ]
    assert find_ports()[0].usb_serial == PICO_ID


def test_ports_that_the_user_names_come_last_and_once() -> None:
    paths = [one.path for one in find_ports(["/dev/pts/7", "/dev/ttyACM0"])]
    assert paths[-1] == "/dev/pts/7"
    assert paths.count("/dev/ttyACM0") == 1


def test_only_ports_where_a_board_could_be_are_asked() -> None:
    def asked(chip_id: str) -> list[str]:
        return [one.path for one in find_ports(["/dev/pts/7"]) if may_be(one, chip_id)]

    assert asked(PICO_ID) == ["/dev/ttyACM0", "/dev/pts/7"]
    assert asked("0011223344556677") == ["/dev/pts/7"]
    assert asked("a0b1c2d3e4f5") == ["/dev/ttyACM1", "/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/pts/7"]
    assert may_be(Found("/dev/ttyACM3", "", "rp2", "2e8a:000a", ""), PICO_ID)


def test_a_hello_tells_chip_and_id() -> None:
    from ascnode.boards.identity import from_identity

    def told(capabilities: str, unique_id: str) -> tuple[str, str]:
        fields = (1, bytes.fromhex(unique_id), bytes(8), 0, 0, 0, 0, 0, 0, 0, 0, "0.1.0")
        chip = from_identity("p", Identity(*fields, frozenset(capabilities.split())))
        return chip.chip, chip.chip_id

    assert told("sim software rp2 rp2350", PICO_ID) == ("rp2350", PICO_ID)
    assert told("sim software rp2", PICO_ID) == ("rp2", PICO_ID)
    assert told("sim software esp32", "a0b1c2d3e4f50000") == ("esp32", "a0b1c2d3e4f5")
    assert told("sim software esp32 esp32s3", "a0b1c2d3e4f50000") == ("esp32s3", "a0b1c2d3e4f5")
    assert told("sim software unix", PICO_ID) == ("virtual", PICO_ID)
