"""Faults in the RTL, drawn by a seed over all units: each is caught, or has a reason why it cannot be."""

from pathlib import Path

import pytest

from ascnode_gateware.sim.build import build_simulator
from gateware.mutation.bench import Bench
from gateware.mutation.design import mutated_verilog
from gateware.mutation.equivalent import EQUIVALENT, key_of
from gateware.mutation.mutants import Mutant
from gateware.mutation.scenarios import caught_by
from gateware.simulators import build_folder

GATEWARE = Path(__file__).resolve().parents[3] / "gateware" / "ascnode_gateware"
SAMPLE, ALL = (40, 1), (300, 2)  # (mutants, seed)
CHUNK = 10  # a test's, so that pytest's workers share them
FLAGS = ("-Wno-WIDTHEXPAND", "-MAKEFLAGS", "OPT_FAST=-O1")  # it is built for few cycles


class Mutants:
    """Simulators by the draw (count, seed) whose mutants they hold; built once, for pytest's workers too."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._made: dict[tuple[int, int], tuple[Path, list[Mutant]]] = {}

    def of(self, draw: tuple[int, int]) -> tuple[Path, list[Mutant]]:
        if draw not in self._made:
            self._made[draw] = self._make(*draw)
        return self._made[draw]

    def _make(self, count: int, seed: int) -> tuple[Path, list[Mutant]]:
        text, mutants = mutated_verilog(count, seed)
        with build_folder(self._request, "mutation") as folder:
            source = folder / f"mutants_{count}_{seed}.v"
            source.write_text(text)
            return build_simulator([source], folder, flags=FLAGS), mutants


@pytest.fixture(scope="session")
def drawn(request: pytest.FixtureRequest) -> Mutants:
    return Mutants(request)


def test_the_design_itself_passes_every_scenario(drawn: Mutants) -> None:
    executable, _ = drawn.of(SAMPLE)
    with Bench(executable, mutant=0) as bench:
        assert caught_by(bench) is None


@pytest.mark.parametrize("first", range(0, SAMPLE[0], CHUNK))
def test_faults_are_caught(drawn: Mutants, first: int) -> None:
    check(*drawn.of(SAMPLE), first)


@pytest.mark.deep
@pytest.mark.parametrize("first", range(0, ALL[0], CHUNK))
def test_many_faults_are_caught(drawn: Mutants, first: int) -> None:
    check(*drawn.of(ALL), first)


def test_the_sample_is_of_every_part_of_the_engine(drawn: Mutants) -> None:
    _, mutants = drawn.of(SAMPLE)
    assert len(mutants) >= 20
    units = {mutant.unit for mutant in mutants}
    assert {"accumulator", "array", "bank", "config", "drain", "fetch", "flash", "passes", "pixels"} <= units


@pytest.mark.parametrize("source", sorted({source for source, _, _ in EQUIVALENT}))
def test_an_excuse_is_of_a_line_that_is_there(source: str) -> None:
    name, _, line = source.partition(" ")
    assert any(line.strip("`") in path.read_text() for path in GATEWARE.rglob(name)), source


def check(executable: Path, mutants: list[Mutant], first: int) -> None:
    """Prints what caught each; all that nothing catches, and no reason excuses, in one AssertionError."""
    survivors = []
    for mutant in mutants[first : first + CHUNK]:
        with Bench(executable, mutant.number) as bench:
            found = caught_by(bench)
        excuse = EQUIVALENT.get(key_of(mutant))
        print(f"{mutant}\n    {': '.join(found) if found else excuse or 'SURVIVES'}")
        if found is None and excuse is None:
            survivors.append(str(mutant))
    assert not survivors, "no scenario catches\n" + "\n".join(survivors)
