"""The accelerator at the emulated Pico's SPI: whole inferences by the firmware's driver, and what its pins say."""

from collections.abc import Iterator

import pytest

from ascnode.boards.emulated_image import PicoImage
from ascnode.scenario.scenario import Scenario
from ascnode_fw.wire import dictionary as d
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_hil.pool import Pool
from ascnode_hil.rig import Setup
from ascnode_hil.suites.work import images
from ascnode_hil.target import Target


@pytest.fixture(
    scope="module", params=["golden", pytest.param("rtl", marks=pytest.mark.deep)], ids=lambda kind: kind
)
def pool(
    request: pytest.FixtureRequest, image: PicoImage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pool]:
    """One board with its accelerator for all tests here."""
    folder = tmp_path_factory.mktemp("emulated")
    setup = Setup(Scenario(), 1, "board", folder, accelerator=request.param, uf2=image.path)
    pool = Pool(Target("emulated"), setup, None, False)
    yield pool
    pool.close()


def test_whole_inferences_give_the_reference_s_bytes(pool: Pool) -> None:
    node = pool.node(0)
    node.contact()
    pictures = images(3, 3)
    jobs = [node.query(picture, deadline_s=3000)[0] for picture in pictures]
    answers = node.answers_to(jobs, 300)
    expected = [pool.setup.payload.answer(picture.tobytes()) for picture in pictures]
    assert [answer.output for answer in answers] == expected
    engines = [h.fields["engine"] for h in node.heard if h.name == "result"]
    assert engines == [d.ENGINE_ACCELERATOR] * 3


def test_a_dead_wire_is_announced_and_the_cpu_answers(pool: Pool) -> None:
    node = pool.node(0)
    node.contact()
    node.device.spoil_accelerator([Fault(FaultKind.STUCK_1, 0, frames=0)])
    picture = images(4, 1)[0]
    job, _ = node.query(picture, deadline_s=3000)
    (answer,) = node.answers_to([job], 300)
    assert answer.output == pool.setup.payload.answer(picture.tobytes())
    assert [h.fields["engine"] for h in node.heard if h.name == "result"] == [d.ENGINE_FALL_BACK]
    assert len(node.events("accelerator lost: the CPU goes on")) == 1
