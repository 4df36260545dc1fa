"""Each requirement's tests fail when the firmware breaks it: none of them passes everything."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

import ascnode_fw
from ascnode.boards.interpreter import find_interpreter
from ascnode_hil.requirements import own_requirements
from hil.mutations import MUTATIONS, Mutation
from hil.running import SUITES, run_pytest

_PACKAGE = Path(ascnode_fw.__file__).parent
# The first of each requirement in every run; the others, of the same tests, in the long one.
_FIRST = {mutation.requirement: mutation for mutation in reversed(MUTATIONS)}


def _mutated(folder: Path, mutation: Mutation) -> Path:
    # In the places of a checkout: a board's own files lie beside the package's folder.
    target = folder / "firmware" / "lib" / "ascnode_fw"
    shutil.copytree(_PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(_PACKAGE.parent.parent / "board", target.parent.parent / "board")
    file = target / mutation.file
    file.write_text(file.read_text().replace(mutation.old, mutation.new))
    return target.parent


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(
            m, marks=() if m in _FIRST.values() else pytest.mark.deep, id=f"{m.requirement} {m.what}"
        )
        for m in MUTATIONS
    ],
)
def test_firmware_that_breaks_a_requirement_fails_its_tests(mutation: Mutation, tmp_path: Path) -> None:
    if mutation.board == "virtual" and find_interpreter() is None:
        pytest.skip("no MicroPython interpreter on this machine")
    board = ("--ascnode-board", mutation.board, "--ascnode-requirement", mutation.requirement)
    board += ("--ascnode-accelerator", mutation.accelerator)
    suite = f"{SUITES}.test_{own_requirements()[mutation.requirement].suite}"
    ran = run_pytest(tmp_path, "-x", "--pyargs", suite, *board, first_on_path=_mutated(tmp_path, mutation))
    assert ran.status == 1 and ran.told.get("fail"), ran.output
    assert not ran.told.get("blocked"), ran.output


def test_each_mutation_still_fits_the_firmware() -> None:
    for mutation in MUTATIONS:
        source = (_PACKAGE / mutation.file).read_text()
        assert source.count(mutation.old) == 1, f"{mutation.requirement} {mutation.what}"
        compile(source.replace(mutation.old, mutation.new), mutation.file, "exec")


def test_every_requirement_has_a_mutation_and_none_comes_twice() -> None:
    assert {mutation.requirement for mutation in MUTATIONS} == own_requirements().keys()
    assert max(Counter(MUTATIONS).values()) == 1
