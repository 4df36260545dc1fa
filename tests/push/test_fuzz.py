"""Hostile update commands: whatever comes, in whatever order, the node stands, and only what was signed gets in use."""

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ascnode_fw.flight.transfer import BLOCK, CHUNK
from ascnode_fw.wire import dictionary as d
from push.ground import KEY, Ground, other_model
from push.test_model import NEW, OLD

_PACKAGE = other_model()
_SIGNED = _PACKAGE.signed(KEY, 0)
_NUMBERS = st.one_of(
    st.sampled_from((0, 1, 255, CHUNK, BLOCK, len(_PACKAGE.data))), st.integers(0, (1 << 32) - 1)
)
_DATA = st.one_of(
    st.binary(max_size=700),
    st.sampled_from((bytes(CHUNK), _SIGNED, bytes(48), _SIGNED[:32] + bytes(16))),
)
_GOOD = st.sampled_from(
    [
        ("update_begin", (0, 0, len(_PACKAGE.data)), _SIGNED),
        *(("update_chunk", (offset,), data) for offset, data in _PACKAGE.chunks()),
        ("update_verify", (), b""),
        ("update_commit", (0, 0), b""),
    ]
)
_ANY = st.one_of(
    st.tuples(
        st.just("update_begin"), st.tuples(st.integers(0, 255), st.integers(0, 65535), _NUMBERS), _DATA
    ),
    st.tuples(st.just("update_chunk"), st.tuples(_NUMBERS), _DATA),
    st.tuples(st.just("update_status"), st.tuples(st.integers(0, 65535)), st.just(b"")),
    st.tuples(st.just("update_commit"), st.tuples(st.integers(0, 255), _NUMBERS), st.just(b"")),
    st.tuples(st.just("update_revert"), st.tuples(st.integers(0, 255)), st.just(b"")),
    *(
        st.tuples(st.just(name), st.just(()), st.binary(max_size=3))
        for name in ("update_verify", "update_abort", "update_confirm")
    ),
)
_FILES = {
    "keys.bin",
    "plant.bin",
    "params",
    "sequence0",
    "model.bin",
    "model_b.bin",
    "model.slot",
    "firmware.slot",
}


@seed(6)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(st.one_of(_ANY, _GOOD), max_size=25))
def test_the_node_answers_each_and_keeps_to_what_was_signed(
    orders: list[tuple[str, tuple[int, ...], bytes]],
) -> None:
    ground = Ground()
    for name, arguments, data in orders:
        accepted, _ = ground.run(name, *arguments, data=data)
        assert accepted >= 0  # an authentic command has an answer
        assert ground.model() in (OLD, NEW)
    stray = {name for name in ground.store.files if not name.startswith("update/")} - _FILES
    assert stray == set()
    ground.wait(700)
    ground.reset()
    ground.run("update_abort")
    assert [name for name in ground.store.files if name.startswith("update/")] == []
    ground.push(_PACKAGE)
    assert ground.model() == NEW


@seed(7)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.data())
def test_an_image_with_any_bytes_changed_never_gets_in_use(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(_PACKAGE.data) - 1))
    changed = bytearray(_PACKAGE.data)
    changed[at] ^= data.draw(st.integers(1, 255))
    ground = Ground()
    ground.begin_update(_PACKAGE)
    for number in range(0, len(changed), CHUNK):
        ground.chunk(number, bytes(changed[number : number + CHUNK]))
    assert ground.run("update_verify")[0] == d.UPDATE_WRONG_HASH
    assert (ground.model(), ground.staged()) == (OLD, [])
