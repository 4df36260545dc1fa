"""A model by radio: in any order, resumed, verified, swapped when no job runs, and back when it fails."""

import random
import struct

import pytest

from ascnode.push.package import Package, model_package
from ascnode_fw.flight.transfer import BLOCK, CHUNK
from ascnode_fw.wire import dictionary as d
from push.flash import FullStore
from push.ground import CODE, INPUT, KEY, Ground, answer, files, image, other_image, other_model

FULL = {CODE["no room on the flash"], CODE["not stored"]}
OLD = struct.unpack_from("<I", image(), 12)[0]
NEW = OLD ^ 1


def large_model(size: int = 3 * BLOCK) -> Package:
    """A package of several blocks: the self-test is too long for any model, so it is only moved about."""
    return Package(d.UPDATE_MODEL, random.Random(5).randbytes(size))


def test_a_pushed_model_is_verified_tested_and_in_use() -> None:
    ground = Ground()
    assert ground.push(other_model()) == (d.OK, d.OK)
    assert ground.model() == NEW
    assert ground.events("model swapped") == [1] or ground.events("model swapped") == []
    assert ground.staged() == []
    assert ground.store.files["model_b.bin"] == other_image()
    assert ground.store.files["model.bin"] == image()


def test_the_model_in_use_stays_so_over_a_reset_and_can_be_reverted() -> None:
    ground = Ground()
    ground.push(other_model())
    ground.reset()
    assert ground.model() == NEW
    assert ground.run("update_revert", d.UPDATE_MODEL)[0] == d.OK
    assert ground.model() == OLD
    ground.reset()
    assert ground.model() == OLD


def test_a_second_push_takes_the_first_slot_again() -> None:
    ground = Ground()
    ground.push(other_model())
    back = model_package(image(), INPUT, answer(image(), INPUT))
    assert ground.push(back) == (d.OK, d.OK)
    assert ground.model() == OLD
    assert ground.status().fields["model_slot"] == 0


def test_chunks_come_in_any_order_and_more_than_once() -> None:
    ground, package = Ground(), large_model(2 * BLOCK + 700)
    ground.begin_update(package)
    order = package.chunks() * 2
    random.Random(1).shuffle(order)
    for offset, data in order:
        assert ground.chunk(offset, data) == d.OK
    stored = [ground.store.files[f"update/{block:03}"][1:] for block in range(3)]
    assert b"".join(stored) == package.data
    assert ground.status().data == b"\xff\xff\x03"


def test_chunks_in_order_take_one_write_a_block() -> None:
    ground, package = Ground(), large_model()
    ground.begin_update(package)
    written: list[str] = []
    write = ground.store.write_parts
    ground.store.write_parts = lambda name, parts: (written.append(name), write(name, parts))[1]  # type: ignore[method-assign]
    assert ground.chunks(package) == {d.OK}
    assert [name for name in written if name.startswith("update/")] == [
        "update/000",
        "update/001",
        "update/002",
    ]


def test_the_status_says_what_is_missing() -> None:
    ground, package = Ground(), large_model(BLOCK + 600)
    ground.begin_update(package)
    for offset, data in package.chunks():
        if offset not in (2 * CHUNK, BLOCK):
            ground.chunk(offset, data)
    status = ground.status()
    assert (status.fields["size"], status.fields["blocks"]) == (BLOCK + 600, 2)
    assert status.fields["hash"] == int.from_bytes(package.hash[:4], "big")
    assert status.data == bytes((0b11111011, 0b10))
    assert ground.status(1).data == bytes((0b10,))
    assert ground.run("update_verify") == (CODE["chunks are missing"], -1)


def test_a_reset_loses_the_chunks_of_one_block_at_most() -> None:
    ground, package = Ground(), large_model()
    ground.begin_update(package)
    for offset, data in package.chunks()[:12]:
        ground.chunk(offset, data)
    assert ground.status().data == b"\xff\x0f\x00"
    ground.reset()
    assert ground.status().data == b"\xff\x00\x00"
    assert ground.begin_update(package) == d.OK
    assert ground.status().data == b"\xff\x00\x00"
    assert ground.chunks(package) == {d.OK}
    assert ground.status().data == b"\xff\xff\xff"


def test_another_image_takes_the_place_of_one_that_never_came_whole() -> None:
    ground = Ground()
    ground.begin_update(large_model())
    ground.chunk(0, large_model().data[:CHUNK])
    assert ground.push(other_model()) == (d.OK, d.OK)
    assert (ground.model(), ground.staged()) == (NEW, [])


def test_a_model_that_fails_its_self_test_is_rolled_back_and_says_so() -> None:
    ground = Ground()
    wrong = bytearray(answer(other_image(), INPUT))
    wrong[3] ^= 0x10
    accepted, completed = ground.push(other_model(bytes(wrong)))
    assert (accepted, completed) == (d.OK, CODE["self-test failed"])
    assert ground.model() == OLD
    assert ground.staged() == []
    assert "model_b.bin" not in ground.store.files
    status = ground.status()
    assert (status.fields["state"], status.fields["model"], status.fields["model_slot"]) == (0, OLD, 0)


def test_the_roll_back_is_an_event() -> None:
    ground = Ground()
    package = other_model(bytes(10))
    ground.begin_update(package)
    ground.chunks(package)
    ground.run("update_verify")
    ground.run("update_commit", 0, 0)
    assert ground.events("model rolled back") == [CODE["self-test failed"]]


def test_a_swap_waits_until_no_job_runs_and_new_ones_are_refused_meanwhile() -> None:
    ground = Ground()
    package = other_model()
    ground.begin_update(package)
    ground.chunks(package)
    ground.run("update_verify")
    query = (7, OLD, 0, ground.now_s + 500)
    ground.send(ground.commander.packet("set_param", 18, 100_000 - 256), seconds=1)
    ground.send(ground.commander.packet("query", *query, data=INPUT), seconds=1)
    assert ground.node.computer.tasks.held() == 1
    ground.send(ground.commander.packet("update_commit", 0, 0), seconds=1)
    assert (ground.model(), ground.status().fields["state"]) == (OLD, 3)
    assert (
        ground.run("query", 8, OLD, 0, ground.now_s + 500, data=INPUT)[0]
        == CODE["an update is being installed"]
    )
    assert ground.begin_update(package) == CODE["an update is being installed"]
    ground.heard = []
    ground.wait(400)
    assert [p.fields["job"] for p in ground.heard if p.kind == d.TM_RESULT][:1] == [7]
    assert ground.model() == NEW


@pytest.mark.parametrize("mode", [1, 2], ids=["SAFE", "CHARGE"])
def test_a_node_that_spares_its_battery_takes_chunks(mode: int) -> None:
    ground = Ground()
    ground.run("set_mode", mode)
    assert ground.push(other_model()) == (d.OK, d.OK)
    assert ground.model() == NEW


# --- what is refused, without leaving anything


def test_a_signature_of_another_key_is_refused_at_once() -> None:
    ground = Ground()
    assert ground.begin_update(other_model(), key=bytes(32)) == CODE["image is not signed by this key"]
    assert ground.begin_update(other_model(), index=9) == CODE["image is not signed by this key"]
    assert ground.staged() == []


def test_an_image_with_another_hash_is_thrown_away() -> None:
    ground, package = Ground(), other_model()
    ground.begin_update(package)
    forged = Package(package.kind, package.data[:-1] + bytes((package.data[-1] ^ 1,)))
    assert ground.chunks(forged) == {d.OK}
    assert ground.run("update_verify") == (CODE["image has another hash"], -1)
    assert ground.staged() == []
    assert ground.run("update_commit", 0, 0)[0] == CODE["no update was begun"]


def test_nothing_is_swapped_in_that_was_not_verified() -> None:
    ground, package = Ground(), other_model()
    ground.begin_update(package)
    ground.chunks(package)
    assert ground.run("update_commit", 0, 0) == (CODE["image was not verified"], -1)
    ground.run("update_verify")
    ground.reset()  # what was verified before is not any more
    assert ground.run("update_commit", 0, 0) == (CODE["image was not verified"], -1)
    assert ground.model() == OLD


def test_what_was_verified_is_looked_at_again_when_it_is_swapped_in() -> None:
    ground, package = Ground(), other_model()
    ground.begin_update(package)
    ground.chunks(package)
    ground.run("update_verify")
    block = bytearray(ground.store.files["update/000"])
    block[100] ^= 4
    ground.store.files["update/000"] = bytes(block)
    ground.run("update_commit", 0, 0)
    assert ground.model() == OLD
    assert ground.staged() == []


@pytest.mark.parametrize("size", [0, 255 * BLOCK + 1, 0xFFFFFFFF])
def test_a_size_that_no_node_takes_is_refused(size: int) -> None:
    ground = Ground()
    assert ground.run("update_begin", 0, 0, size, data=bytes(48))[0] == CODE["out of limits"]
    assert ground.staged() == []


@pytest.mark.parametrize(
    ("offset", "size"),
    [
        (1, CHUNK),
        (CHUNK // 2, CHUNK),
        (0, CHUNK - 1),
        (0, CHUNK + 1),
        (0, 0),
        (3 * BLOCK, CHUNK),
        (0xFFFFFE00, CHUNK),
    ],
)
def test_a_chunk_that_overlaps_or_lies_outside_is_refused(offset: int, size: int) -> None:
    ground = Ground()
    ground.begin_update(large_model())
    assert ground.chunk(offset, bytes(size)) == CODE["bad arguments"]
    assert ground.status().data == b"\0\0\0"


def test_a_chunk_or_a_verify_without_a_begin_is_refused() -> None:
    ground = Ground()
    assert ground.chunk(0, bytes(CHUNK)) == CODE["no update was begun"]
    assert ground.run("update_verify")[0] == CODE["no update was begun"]
    assert ground.run("update_confirm")[0] == CODE["no firmware is on trial"]
    assert ground.run("update_revert", 0)[0] == CODE["not possible on this node"]
    assert ground.staged() == []


def test_a_command_that_is_repeated_by_another_is_not_obeyed() -> None:
    ground, package = Ground(), other_model()
    packet = ground.commander.packet("update_begin", 0, 0, len(package.data), data=package.signed(KEY, 0))
    ground.send(packet)
    ground.run("update_abort")
    ground.send(packet)
    assert ground.staged() == []


@pytest.mark.parametrize(
    "data", [b"\0" * 700, b"ACNI" + b"\xff" * 700, other_image(), other_image() + b"ACST\xff\xff\xff\xff"]
)
def test_an_image_that_is_no_model_is_thrown_away(data: bytes) -> None:
    ground, package = Ground(), Package(d.UPDATE_MODEL, data)
    ground.begin_update(package)
    ground.chunks(package)
    assert ground.run("update_verify") == (CODE["image makes no sense here"], -1)
    assert ground.staged() == []


def test_a_model_that_the_node_cannot_load_is_rolled_back() -> None:
    broken = bytearray(other_image())
    broken[-1] ^= 1
    ground = Ground()
    assert ground.push(model_package(bytes(broken), INPUT, bytes(10)))[1] == CODE["image makes no sense here"]
    assert (ground.model(), ground.staged()) == (OLD, [])


@pytest.mark.parametrize("room", range(0, 12_000, 499))
def test_a_full_flash_is_said_and_what_came_is_given_back(room: int) -> None:
    store = FullStore(files())
    ground, package = Ground(store), other_model()
    store.room = store.used() + room
    before = {name: data for name, data in store.files.items() if name != "sequence0"}
    codes = [ground.begin_update(package), *ground.chunks(package), *ground.run("update_verify")]
    codes += [*ground.run("update_commit", 0, 0)]
    if ground.model() == OLD:
        assert codes[0] in FULL or FULL & set(codes)
        assert {name: data for name, data in store.files.items() if name != "sequence0"} == before
    else:
        assert set(codes) == {d.OK}
        assert room > len(package.data)
