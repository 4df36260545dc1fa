"""The flight firmware on an emulated Pico, its twin beside it: the same state after every exchange."""

from collections.abc import Iterator

import pytest

from ascnode.boards.emulated_image import PicoImage
from ascnode.errors import ParityError
from ascnode.scenario.scenario import Scenario
from ascnode_fw import __version__
from ascnode_hil.pool import Pool
from ascnode_hil.rig import Setup
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import images
from ascnode_hil.target import Target


@pytest.fixture(scope="module")
def pool(image: PicoImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """One board for all tests here: its firmware takes half a minute to start."""
    setup = Setup(Scenario(), 1, "board", tmp_path_factory.mktemp("emulated"), uf2=image.path)
    pool = Pool(Target("emulated"), setup, None, False)
    yield pool
    pool.close()


def test_the_firmware_runs_on_a_32_bit_board(pool: Pool) -> None:
    node = pool.node(0)
    assert f"firmware {__version__}" in node.device.version
    assert "rp2 rp2040 sim" in node.device.version
    node.advance(30)
    assert node.device.flyer.steps >= 30


@pytest.mark.parametrize("period_ms", [10_000, pytest.param(1000, marks=pytest.mark.deep)])
def test_a_whole_orbit_leaves_board_and_twin_in_the_same_state(
    pool: Pool, period_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Frames cost a slow board more than the periods between them: longer exchanges.
    monkeypatch.setattr("ascnode_hil.flight._SAMPLE_S", 300.0)
    node = pool.node(0)
    node.configure(control_period=period_ms)
    sky = HilSky(node)
    sky.contact()
    orbit_s = sky.orbit(6000)
    before = node.device.flyer.steps
    jobs = [node.query(image, deadline_s=3000, at_s=600.0 * n)[0] for n, image in enumerate(images(1, 4))]
    node.advance(orbit_s)
    assert node.device.flyer.mismatches == 0
    assert node.device.flyer.steps - before >= orbit_s * 1000 // period_ms
    assert {answer.code for job in jobs for answer in node.answers(job)} == {"ok"}
    assert all(node.answers(job) for job in jobs)
    assert min(node.trace.charge) < 0.99 * max(node.trace.charge)  # there was an eclipse


def test_a_difference_between_board_and_twin_is_named(pool: Pool) -> None:
    node = pool.node(0)
    node.advance(2)
    node.twin.node.plant.state[0] ^= 1
    with pytest.raises(ParityError, match=r"differ at step .*on the board and .* on its twin"):
        node.advance(2)


def test_it_goes_on_after_a_power_cut(pool: Pool) -> None:
    node = pool.node(0)
    node.advance(20)
    charge = node.charge
    node.cut_power()
    assert node.charge == charge
    node.advance(20)
    assert node.device.boots == 1
