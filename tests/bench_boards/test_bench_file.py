"""The bench file: read, refused, and added to without losing a word of its user's."""

import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from ascnode.boards import bench
from ascnode.boards.power_switch import Manual, NoSwitch, Relay, Uhubctl
from ascnode.errors import BenchError

A, B, C = "e6614c311b5f7e2a", "a0b1c2d3e4f5", "0011223344556677"
FILE = f"""\
# Lab 3, the shelf by the window.
[boards.{A}]   # the one with the scratch
name = "nadir"
kind = "pico-ice"
accelerator = "pico-ice"
power = {{ switch = "uhubctl", location = "1-1.4", port = 2 }}

[boards.{B}]
name = "zenith"
kind = "esp32"
[boards.{B}.power]
switch = "relay"
on = ["relayctl", "--channel", "3", "on"]
off = ["relayctl", "--channel", "3", "off"]
"""


def test_a_file_names_boards_switches_and_accelerators() -> None:
    read = bench.parse(FILE.encode())
    assert read.named("nadir") == (A, read.boards[A])
    assert read.named(B) == (B, read.boards[B])
    assert read.boards[A].accelerator == "pico-ice"
    assert read.boards[A].power == Uhubctl(switch="uhubctl", location="1-1.4", port=2)
    assert isinstance(read.boards[B].power, Relay)
    assert read.boards[B].power.on == ["relayctl", "--channel", "3", "on"]


def test_a_board_without_a_switch_has_none() -> None:
    read = bench.parse(f'[boards.{A}]\nname = "a"\nkind = "rp2040"\n'.encode())
    assert read.boards[A].power == NoSwitch()
    manual = bench.parse(f'[boards.{A}]\nname = "a"\nkind = "rp2040"\npower.switch = "manual"\n'.encode())
    assert manual.boards[A].power == Manual(switch="manual")


def test_merging_adds_what_is_new_and_keeps_every_byte_that_was_there() -> None:
    merged, added = bench.merge(FILE.encode(), [(A, "rp2040"), (C, "rp2350"), (C, "rp2350")])
    assert added == [C]
    assert merged.startswith(FILE.encode())
    assert bench.parse(merged).boards[C] == bench.BoardEntry(name="rp2350-6677", kind="rp2350")
    assert bench.merge(merged, [(A, "rp2040"), (B, "esp32"), (C, "rp2350")]) == (merged, [])


def test_a_new_board_gets_a_name_that_is_free() -> None:
    file = f'[boards.{A}]\nname = "rp2350-6677"\nkind = "rp2040"\n'
    merged, _ = bench.merge(file.encode(), [(C, "rp2350"), ("ff11223344556677", "rp2350")])
    names = [entry.name for entry in bench.parse(merged).boards.values()]
    assert names == ["rp2350-6677", "rp2350-56677", "rp2350-556677"]


def test_a_file_with_its_boards_on_one_line_is_left_as_it_is() -> None:
    file = f'boards = {{ {A} = {{ name = "a", kind = "rp2040" }} }}\n'
    with pytest.raises(BenchError, match=r"cannot be added to .*: write its boards as \[boards\.ID\]"):
        bench.merge(file.encode(), [(C, "esp32")])
    assert bench.merge(file.encode(), [(A, "esp32")]) == (file.encode(), [])


def test_a_file_is_made_kept_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    assert bench.save_merged(path, [(A, "rp2040")]) == [A]
    path.write_text(path.read_text() + "# mine\n")
    path.chmod(0o640)
    assert bench.save_merged(path, [(A, "rp2040"), (B, "esp32")]) == [B]
    assert "# mine" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert set(bench.load(path).boards) == {A, B}
    assert [file.name for file in tmp_path.iterdir()] == ["bench.toml"]


def test_a_link_to_a_bench_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(FILE)
    (tmp_path / "bench.toml").symlink_to("real.toml")
    bench.save_merged(tmp_path / "bench.toml", [(C, "esp32")])
    assert (tmp_path / "bench.toml").is_symlink()
    assert C in bench.load(tmp_path / "real.toml").boards


def entry(text: str, chip: str = A) -> str:
    return f"[boards.{chip}]\n{text}\n"


OK = 'name = "a"\nkind = "rp2040"'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("boards = 3", "boards: "),
        ("boats = {}", "boats: is not a key that a bench file has"),
        (entry(OK, "ttyACM0"), r"boards\.ttyACM0"),
        (entry(OK, A.upper()), r"boards\.E661"),
        (entry('kind = "rp2040"'), r"name: field required"),
        (entry('name = "a"\nkind = "z80"'), "no kind of board 'z80': there are rp2040"),
        (entry('name = "A b"\nkind = "rp2040"'), "name: "),
        (entry(OK + "\ncolour = 1"), "colour: is not a key"),
        (entry(OK + '\npower = { switch = "wifi" }'), "power: .*wifi"),
        (
            entry(OK + '\npower = { switch = "relay", on = "relay on", off = ["x"] }'),
            "on: input should be a valid list",
        ),
        (entry(OK + '\npower = { switch = "relay", on = [], off = ["x"] }'), "on: "),
        (entry(OK + '\npower = { switch = "uhubctl", location = "1-1; rm", port = 1 }'), "location: "),
        (entry(OK + '\npower = { switch = "uhubctl", location = "1-1", port = 0 }'), "port: "),
        (entry(OK) + entry(OK, C), "two boards are named 'a'"),
        (entry(OK) + entry(OK), "not TOML"),
        ("[", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(BenchError, match=sentence) as caught:
        bench.parse(text.encode(), "bench.toml")
    assert str(caught.value).startswith("bench.toml: ")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No such file"):
        bench.load(tmp_path / "bench.toml")
    with pytest.raises(BenchError, match="not a text file"):
        bench.parse(b"\xff\xfe")
    (tmp_path / "big").write_bytes(b"#" * (bench.LARGEST_BYTES + 1))
    with pytest.raises(BenchError, match="not a bench file"):
        bench.load(tmp_path / "big")
    with pytest.raises(BenchError, match="no board 'x' in the bench file: there are nadir, zenith"):
        bench.parse(FILE.encode()).named("x")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_hostile_bytes_give_a_bench_or_one_error(content: bytes) -> None:
    try:
        bench.parse(content)
    except BenchError as error:
        assert "\n" not in str(error)


@given(st.integers(0, len(FILE) - 1), st.sampled_from([*'\n"[]{}=#.,\\x0\t ', ""]), st.booleans())
def test_a_damaged_file_is_never_made_worse(at: int, text: str, insert: bool) -> None:
    damaged = FILE[:at] + text + FILE[at + (not insert) :]
    try:
        before = bench.parse(damaged.encode())
        merged, _ = bench.merge(damaged.encode(), [(C, "rp2350")])
    except BenchError:
        return
    after = bench.parse(merged)
    assert after.boards[C].kind == "rp2350"
    assert {**after.boards, **before.boards} == after.boards
    for line in damaged.splitlines():
        if line.startswith("#"):
            assert line in merged.decode()


chips = st.text("0123456789abcdef", min_size=8, max_size=32)
kinds = st.sampled_from(["rp2040", "rp2350", "esp32", "pico-ice", "virtual"])


@given(st.dictionaries(chips, kinds, max_size=6), st.dictionaries(chips, kinds, max_size=6))
def test_mapping_twice_keeps_the_first_and_adds_the_rest(first: dict[str, str], then: dict[str, str]) -> None:
    content, added = bench.merge(b"", first.items())
    assert added == list(first)
    merged, _ = bench.merge(content, then.items())
    boards = bench.parse(merged).boards
    assert {chip: one.kind for chip, one in boards.items()} == {**then, **first}
    # what another TOML library reads is the same
    assert tomllib.loads(merged.decode()) == tomlkit.parse(merged.decode()).unwrap()
