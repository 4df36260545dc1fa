"""The check of an answer's proof: what is not as it should be is counted, and only that."""

from pathlib import Path
from zlib import crc32

import pytest

from ascnode.scenario.hardware import Hardware
from ascnode.scenario.payload import load_payload
from ascnode.scenario.proofs import Proofs
from ascnode.scenario.tables.work import Payload
from ascnode.session.telemetry import Packet
from ascnode_fw.wire import dictionary as d

PAYLOAD = load_payload(Payload(), Path())
DATA = PAYLOAD.images[3].tobytes()
RIGHT = PAYLOAD.answer(DATA)
TOP = len(Hardware().operating_points) - 1


def _packet(output: bytes = RIGHT, **changes: int) -> Packet:
    fields = {
        "model": PAYLOAD.model.model_id,
        "operating_point": TOP,
        "engine": d.ENGINE_ACCELERATOR,
        "cycles": PAYLOAD.cycles,
        "proof": crc32(output, crc32(DATA)),
    }
    return Packet(0, 1, d.TM_RESULT, "result", {**fields, **changes}, output)


def _proofs(accelerator: str = "golden") -> Proofs:
    return Proofs(accelerator, Hardware(), PAYLOAD)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"engine": d.ENGINE_CPU, "cycles": 0},
        {"engine": d.ENGINE_FALL_BACK, "cycles": 0},
        {"operating_point": 1, "cycles": round(PAYLOAD.cycles * 6.6)},
    ],
)
def test_a_right_answer_of_any_engine_proves_itself(changes: dict[str, int]) -> None:
    proofs = _proofs()
    assert proofs.check(_packet(**changes), DATA)
    assert proofs.figures().wrong == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"model": PAYLOAD.model.model_id ^ 1},
        {"proof": 0},
        {"cycles": 0},
        {"cycles": PAYLOAD.cycles // 2},
        {"cycles": PAYLOAD.cycles * 2},
        {"operating_point": 0},
        {"operating_point": TOP + 1},
        {"engine": d.ENGINE_CPU},
        {"engine": 7},
    ],
)
def test_what_is_wrong_about_a_proof_is_counted(changes: dict[str, int]) -> None:
    proofs = _proofs()
    assert not proofs.check(_packet(**changes), DATA)
    assert proofs.figures().wrong == 1


def test_a_wrong_output_with_a_right_crc_does_not_hold() -> None:
    wrong = bytes([RIGHT[0] ^ 1]) + RIGHT[1:]
    assert not _proofs().check(_packet(wrong), DATA)


def test_an_accelerators_answer_where_there_is_none_does_not_hold() -> None:
    assert not _proofs("none").check(_packet(), DATA)


def test_answers_are_counted_by_what_computed_them() -> None:
    proofs = _proofs()
    for _ in range(3):
        proofs.check(_packet(), DATA)
    proofs.check(_packet(engine=d.ENGINE_FALL_BACK, cycles=0), DATA)
    found = proofs.figures()
    assert found.engines == {"CPU: the accelerator failed": 1, "accelerator": 3}
    assert found.cycles == 1.0
