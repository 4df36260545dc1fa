"""Accelerator: inference against the reference model, refusals, charges, accuracy."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_gateware.model.reference import Reference
from ascnode_hil.heard import Answer
from ascnode_hil.measure import Measurement
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import image, images, labelled

_AT_ONCE = 8


def _answers(node: HilNode, sky: HilSky, pictures: list[npt.NDArray[np.int8]]) -> list[Answer]:
    sky.sun()
    sky.contact()
    node.step(3)
    answers: list[Answer] = []
    for at in range(0, len(pictures), _AT_ONCE):
        jobs = [node.query(picture)[0] for picture in pictures[at : at + _AT_ONCE]]
        found = node.answers_to(jobs, 120)
        node.take_over(*(answer.count for answer in found))
        answers += found
    return answers


@pytest.mark.ascnode_requirement("ACC-01")
def test_inference_gives_the_reference_models_bytes(ascnode_node: HilNode, ascnode_sky: HilSky) -> None:
    node = ascnode_node
    shape = image().shape
    rng = np.random.default_rng(node.seed)
    pictures = [
        *images(node.seed, 8),
        np.full(shape, -128, np.int8),
        np.full(shape, 127, np.int8),
        *(rng.integers(-128, 128, shape).astype(np.int8) for _ in range(6)),
    ]
    reference = Reference(node.device.setup.payload.model)
    expected = [reference.run(picture.reshape(1, *shape)).tobytes() for picture in pictures]
    assert [answer.output for answer in _answers(node, ascnode_sky, pictures)] == expected


@pytest.mark.ascnode_requirement("ACC-02")
@pytest.mark.parametrize(
    ("more_model", "more_bytes", "code"),
    [(1, 0, "unknown model"), (0, 1, "bad arguments"), (0, -1, "bad arguments")],
)
def test_a_query_that_no_model_takes_is_refused(
    ascnode_node: HilNode, ascnode_sky: HilSky, more_model: int, more_bytes: int, code: str
) -> None:
    node = ascnode_node
    ascnode_sky.sun()
    ascnode_sky.contact()
    node.step(3)
    accelerator = node.twin.node.accelerator
    data = bytes(accelerator.input_size + more_bytes)
    _, sent = node.query(data, model_id=accelerator.model_id ^ more_model)
    node.step(3)
    report = node.report(sent)
    assert report is not None and report.code == code
    assert node.state("jobs refused") == 1


@pytest.mark.ascnode_requirement("ACC-03")
def test_a_job_is_charged_cycles_time_and_energy_of_its_clock(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    (answer,) = _answers(node, ascnode_sky, [image()])
    (result,) = [one for one in node.heard if one.name == "result"]
    point = result.fields["operating_point"]
    engine = node.twin.engine
    if engine is None:
        work_kcycles = node.twin.node.accelerator.macs * node.parameter("cycles_per_mac") / 1000
    else:
        work_kcycles = engine.cycles * node.parameter("work_scale") / 1000
    duration_s = work_kcycles / node.parameter(f"clock_{point}")
    energy_j = duration_s * node.parameter(f"power_{point}") * node.joules_per_unit / 1000
    assert answer.work_kcycles == int(work_kcycles)
    assert answer.duration_ms == pytest.approx(duration_s * 1000, abs=1)
    ascnode_measure("energy_inference", answer.energy_j, "J", 0.99 * energy_j, 1.01 * energy_j)


@pytest.mark.ascnode_requirement("ACC-04")
def test_answers_are_right_as_often_as_the_reference_models(
    ascnode_node: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement]
) -> None:
    node = ascnode_node
    asked = labelled(node.seed, 48)
    answers = _answers(node, ascnode_sky, [picture for picture, _ in asked])
    right = sum(answer.guess == label for answer, (_, label) in zip(answers, asked, strict=True))
    reference = Reference(node.device.setup.payload.model)
    expected = sum(int(reference.run(picture[None]).argmax()) == label for picture, label in asked)
    ascnode_measure("accuracy", 100 * right / len(asked), "%", low=85, marginal=90)
    assert right == expected
