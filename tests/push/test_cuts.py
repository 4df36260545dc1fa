"""Power fails at every change of the flash in a push: the old or the new one is in use, and the push goes on."""

from collections.abc import Callable

import pytest

from ascnode.errors import BoardError
from ascnode.push.package import Package
from ascnode_fw import link
from ascnode_fw.flight import slots
from ascnode_fw.wire import dictionary as d
from push.ground import Ground, other_image, other_model, small_firmware
from push.test_model import NEW, OLD


def _push(ground: Ground, package: Package) -> None:
    # As a ground does that knows nothing: asks, begins (or goes on), sends what is missing, verifies, commits.
    if ground.status().fields["model"] == NEW:
        ground.run("update_abort")
        return
    assert ground.begin_update(package) == d.OK
    missing = ground.missing(package)
    assert all(ground.chunk(*package.chunks()[number]) == d.OK for number in missing)
    assert ground.run("update_verify") == (d.OK, d.OK)
    ground.run("update_commit", 3, 600)
    ground.wait(30)


def _cut_everywhere(
    begin: Callable[[], Ground], push: Callable[[Ground], None], check: Callable[[Ground], str]
) -> set[str]:
    # What was in use after each cut.
    found = set()
    for number in range(1, 1000):
        for new in (False, True):
            ground = begin()
            ground.twin.cut_at_write(number, new)
            try:
                push(ground)
            except BoardError:
                ground.reset()
                found.add(check(ground))
                push(ground)
                assert check(ground) == "new"
                assert ground.staged() == []
            else:
                assert number > 4
                return found
    raise AssertionError("no end")


def _model(ground: Ground) -> str:
    return {OLD: "old", NEW: "new"}[ground.model()]


def test_a_model_push_cut_at_every_change_leaves_the_old_or_the_new_one_and_resumes() -> None:
    package = other_model()
    assert _cut_everywhere(Ground, lambda ground: _push(ground, package), _model) == {"old", "new"}


def test_a_cut_in_a_models_commit_never_leaves_half_an_image_in_use() -> None:
    ground = Ground()
    _push(ground, other_model())
    assert ground.store.files["model_b.bin"] == other_image()


def _push_firmware(ground: Ground) -> None:
    if slots.firmware(ground.store).confirmed or slots.firmware(ground.store).trial:
        ground.run("update_abort")
    else:
        _push(ground, small_firmware())
        stop = ground.wait(30)
        assert stop == link.RESETTING
        ground.reset()
    if slots.firmware(ground.store).trial:
        assert ground.run("update_confirm") == (d.OK, d.OK)


def _firmware(ground: Ground) -> str:
    chosen = slots.firmware(ground.store)
    slot = chosen.confirmed or chosen.trial
    if slot:  # all of it is there before it is chosen
        names = {name for name in ground.store.files if name.startswith("fw_a/")}
        assert len(names) == 3
    return "new" if slot else "old"


def test_a_firmware_push_cut_at_every_change_leaves_the_old_or_the_new_one_and_resumes() -> None:
    assert _cut_everywhere(Ground, _push_firmware, _firmware) == {"old", "new"}


@pytest.mark.parametrize("boots", [1, 3])
def test_a_trial_that_is_not_confirmed_is_over_after_its_boots(boots: int) -> None:
    ground = Ground()
    assert ground.push(small_firmware(), boots, 600)[1] == d.OK
    for boot in range(boots):
        ground.reset()
        assert (boot, ground.status().fields["firmware_trial"]) == (boot, 1)
    ground.reset()
    assert ground.events("firmware rolled back") == [slots.UNCONFIRMED]
    status = ground.status().fields
    assert (status["firmware_trial"], status["firmware_slot"], status["rolled_back"]) == (0, 0, 1)
