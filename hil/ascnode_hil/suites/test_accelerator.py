"""Accelerator: inference against the reference model, refusals, charges, accuracy."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from ascnode_fw.accel import causes
from ascnode_fw.wire import dictionary as d
from ascnode_gateware.device.fault import Fault, FaultKind
from ascnode_gateware.model.reference import Reference
from ascnode_hil.heard import Answer
from ascnode_hil.measure import Measurement
from ascnode_hil.node import HilNode
from ascnode_hil.sky import HilSky
from ascnode_hil.suites.work import image, images, labelled

_AT_ONCE = 8
_CPU_AFTER_A_FAILURE, _ACCELERATOR = d.ENGINE_FALL_BACK, d.ENGINE_ACCELERATOR


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


# --- with an accelerator


@pytest.fixture
def accelerated(ascnode_node: HilNode, ascnode_sky: HilSky) -> HilNode:
    if ascnode_node.twin.engine is None:
        pytest.skip("the board has no accelerator: --ascnode-accelerator gives a virtual one its own")
    return ascnode_node


def _engines(node: HilNode) -> list[int]:
    return [one.fields["engine"] for one in node.heard if one.name == "result"]


def _events(node: HilNode, name: str) -> list[int]:
    return [one.value for one in node.heard if one.event == name]


def _right(node: HilNode, answers: list[Answer], pictures: list[npt.NDArray[np.int8]]) -> bool:
    reference = Reference(node.device.setup.payload.model)
    return [answer.output for answer in answers] == [
        reference.run(picture[None]).tobytes() for picture in pictures
    ]


@pytest.mark.ascnode_requirement("ACC-05")
def test_a_dead_accelerator_is_told_of_and_the_cpu_goes_on(accelerated: HilNode, ascnode_sky: HilSky) -> None:
    node = accelerated
    pictures = images(node.seed, 3)
    assert _right(node, _answers(node, ascnode_sky, pictures), pictures)
    assert _engines(node) == [_ACCELERATOR] * 3

    node.device.spoil_accelerator([Fault(FaultKind.STUCK_0, 0, frames=0)])
    assert _right(node, _answers(node, ascnode_sky, pictures), pictures)
    assert _engines(node)[3:] == [_CPU_AFTER_A_FAILURE] * 3
    assert _events(node, "accelerator lost: the CPU goes on") == [1]

    node.device.spoil_accelerator([])
    node.advance(node.parameter("accelerator_retry"))
    assert _right(node, _answers(node, ascnode_sky, pictures), pictures)
    assert _engines(node)[6:] == [_ACCELERATOR] * 3
    assert len(_events(node, "accelerator back")) == 1


@pytest.mark.ascnode_requirement("ACC-06")
def test_a_changed_weight_is_found_and_mended(accelerated: HilNode, ascnode_sky: HilSky) -> None:
    node = accelerated
    pictures = images(node.seed + 1, 4)
    _answers(node, ascnode_sky, pictures[:1])
    address = max(node.device.setup.payload.program.segments)
    node.device.spoil_accelerator([Fault(FaultKind.FLIP, 0, address=address, bit=3)])
    assert _right(node, _answers(node, ascnode_sky, pictures), pictures)
    assert _events(node, "accelerator mended") == [1 << causes.WEIGHTS]


@pytest.mark.ascnode_requirement("ACC-07")
@pytest.mark.parametrize("point", range(1, 7))
def test_cycles_go_with_the_operating_points_clock(
    accelerated: HilNode, ascnode_sky: HilSky, ascnode_measure: Callable[..., Measurement], point: int
) -> None:
    node = accelerated
    top = node.parameter("operating_points") - 1
    asked = (
        node.device.setup.payload.cycles * node.parameter(f"clock_{top}") / node.parameter(f"clock_{point}")
    )
    node.configure(**{f"power_{above}": 1 << 19 for above in range(point + 1, top + 1)})
    _answers(node, ascnode_sky, images(node.seed, 32))
    results = [one.fields for one in node.heard if one.name == "result"]
    assert {fields["operating_point"] for fields in results} == {point}
    mean = sum(fields["cycles"] for fields in results) / len(results)
    ascnode_measure("cycles", 100 * mean / asked, "%", low=99, high=101)
    power_mj = [node.parameter(f"power_{point}") * fields["duration"] / 1000 for fields in results]
    assert [fields["energy"] for fields in results] == pytest.approx(power_mj, rel=0.01)
