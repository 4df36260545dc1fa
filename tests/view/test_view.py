"""The live display and the closing table, as text."""

from io import StringIO

from rich.console import Console

from ascnode.scenario.figures import (
    BoardFigures,
    Figures,
    FleetFigures,
    MeshFigures,
    WaveFigures,
    gini,
    load,
    percentiles,
)
from ascnode.scenario.injected import FaultFigures
from ascnode.scenario.ledger import PARTS
from ascnode.scenario.pings import PingFigures
from ascnode.scenario.proofs import ProofFigures
from ascnode.scenario.status import Status
from ascnode.view.live import LiveView, clock
from ascnode.view.summary import print_summary

BOARD = Status(
    name="sat-18-5",
    mode="DOWNLINK",
    charge=0.873,
    accelerator_c=81.5,
    radiator_c=44.25,
    operating_point=5,
    jobs=3,
    packets=7,
    contact=True,
    sunlit=False,
    jobs_done=123,
)


def figures(**changes: object) -> Figures:
    modes = {"SAFE": 0.0, "CHARGE": 1.5, "COMPUTE": 50.25, "DOWNLINK": 43.8}
    values = {
        "queries_sent": 400,
        "answered": 390,
        "late": 7,
        "lost": 10,
        "correct": 385,
        "boards": 1,
        "steps": 5737,
        "parity_mismatches": 0,
        "energy_j_per_answer": 117.85,
        "sim_s": 5737.0,
        "held": 1,
        "labelled": 390,
        "goodput_per_s": 0.0668,
        "latency_s": {"p5": 0.9, "p50": 1.95, "p90": 3.96, "p95": 5.0, "p99": 26.29, "max": 2243.3},
        "split_s": {part: percentiles([i / 8, i / 4]) for i, part in enumerate(PARTS)},
        "answers_per_node": load({"sat-18-5": 300, "sat-0-0": 90}, 40),
        "bytes_per_satellite": load({"sat-1-1": 151}, 1584),
        "answers_per_gateway": load({}, 0),
        "fleet": FleetFigures(40, *4 * ({"min": 0.51, "p5": 0.52, "p50": 0.53, "p95": 0.54, "max": 0.55},)),
        "mesh": MeshFigures(1584, 100, 84, 383, 60_400, 59_000, 1_400, 0, 18.25),
        "training": [WaveFigures(16, 3, percentiles([31.5, 45.0]))],
        "pings": [
            PingFigures("lasers", 500, {"p5": 61.0, "p50": 116.0, "p95": 208.0, "p99": 246.0}, 0.005, {})
        ],
        "faults": [],
        "policy": "headroom",
        "causes": {"not down by the end": 1, "refused: queue full": 9},
        "proofs": ProofFigures("golden", {"accelerator": 300, "CPU": 90}, 0, 1.0004),
        "per_board": [BoardFigures("sat-18-5", 5737, 912, 390, modes, 77.0, 45_961.5)],
        "kind": "virtual",
        "wall_s": 2.5,
        "record": "runs/demo-0001.sqlite",
    }
    return Figures(**{**values, **changes})  # type: ignore[arg-type]


def summary(result: Figures) -> str:
    out = StringIO()
    print_summary(Console(file=out, width=150), result)
    return out.getvalue()


def test_the_summary_says_what_became_of_the_queries() -> None:
    text = summary(figures())
    for part in (
        "390, of them 7 after their deadline",
        "10 (1 not down by the end, 9 refused: queue full)",
        "98.7% of the answers agree with the label (385)",
        "p5 0.90 s  p50 1.95 s  p90 3.96 s  p95 5.00 s  p99 26.29 s  max 2243.30 s",
        "0.067 answers in time per second",
        "1,584, 100 users, 84 gateways",
        "60,400 offered, 59,000 delivered, 1,400 lost, 0 waiting",
        "18.2 hops a packet",
        "over 40, p50 0; most: sat-18-5 300, sat-0-0 90",
        "3 waves of 16 workers",
        "least charge",
        "51.0%",
        "116.0",
        "0.50%",
        "117.85 J at the accelerator",
        "0 mismatches in 5,737 steps and 912 exchanges",
        "5737 s simulated in 2.5 s, 2,295 board-steps/s",
        "runs/demo-0001.sqlite",
        "45.96",
        "300 by the accelerator (golden), 90 by the CPU; every proof holds; cycles 100.04%",
        "50.2",
        "77",
    ):
        assert part in text, part


def test_the_summary_says_which_faults_struck_and_what_came_of_them() -> None:
    struck = FaultFigures("board", "power cut", 1_203, {"went on": 1_200, "recovered": 3})
    text = summary(figures(faults=[struck]))
    for part in ("board power cut", "1,203", "1,200 went on, 3 recovered"):
        assert part in text
    assert "Faults of the boards" not in summary(figures())


def test_a_run_without_answers_is_no_division_by_zero() -> None:
    text = summary(
        figures(
            answered=0,
            labelled=0,
            correct=0,
            late=0,
            energy_j_per_answer=None,
            latency_s=percentiles([]),
            per_board=[],
        )
    )
    assert text.count("no answers") == 3


def test_twins_alone_do_not_claim_parity() -> None:
    assert "nothing was compared" in summary(figures(kind="twin"))


def test_a_terminal_sees_every_board_state_by_word() -> None:
    out = StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system=None, legacy_windows=False)
    with LiveView(console, 100.0) as view:
        view.update(100.0, [BOARD])
    text = out.getvalue()
    for part in (
        "sat-18-5",
        "DOWNLINK",
        "eclipse",
        "87.3%",
        "81.5 °C",
        "44.2 °C",
        "contact",
        "123",
        "100 %",
        "0:01:40",
    ):
        assert part in text, part


def test_a_log_gets_lines_and_not_one_for_every_round() -> None:
    out = StringIO()
    with LiveView(Console(file=out, width=200), 100.0) as view:
        for second in range(101):
            view.update(float(second), [BOARD])
    lines = out.getvalue().splitlines()
    assert 2 <= len(lines) <= 4
    assert lines[0].startswith("t=0:00:00 of 0:01:40")
    assert lines[-1].startswith("t=0:01:40 of 0:01:40  sat-18-5 DOWNLINK 87% 82C op5")


def test_percentiles_are_numpys() -> None:
    assert percentiles([float(v) for v in range(1, 102)]) == {
        "p5": 6.0,
        "p50": 51.0,
        "p90": 91.0,
        "p95": 96.0,
        "p99": 100.0,
        "max": 101.0,
    }


def test_ginis_index_of_equal_loads_is_0_and_of_one_alone_is_nearly_1() -> None:
    assert gini([3, 3, 3]) == 0.0
    assert gini([0, 0, 0]) == 0.0
    assert gini([0, 0, 0, 8]) == 0.75  # (n - 1) / n
    # by its definition: mean difference of all pairs over twice the mean
    assert gini([1, 2, 5]) == round(
        sum(abs(a - b) for a in (1, 2, 5) for b in (1, 2, 5)) / (2 * 9 * 8 / 3), 4
    )


def test_the_parts_of_the_latency_are_shown_where_there_are_answers() -> None:
    assert "queue of the node" in summary(figures())
    assert "where the time went" not in summary(figures(answered=0)).lower()


def test_the_clock_counts_hours() -> None:
    assert [clock(s) for s in (0, 59.9, 3600, 5737)] == ["0:00:00", "0:00:59", "1:00:00", "1:35:37"]
