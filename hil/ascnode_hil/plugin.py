"""The pytest plugin: options, fixtures, outcomes and the report.

It is loaded in every pytest run of its environment, so it imports pytest alone until a test uses one of its fixtures,
and everything that it adds is called ascnode.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ascnode_hil.bench import HilBench
    from ascnode_hil.evidence import Evidence
    from ascnode_hil.faults import HilFaults
    from ascnode_hil.measure import Measurement
    from ascnode_hil.node import HilNode
    from ascnode_hil.pool import Pool
    from ascnode_hil.sky import HilSky

MARKER = "ascnode_requirement"
_SUITES = "ascnode_hil.suites"

_EVIDENCE: pytest.StashKey[Evidence] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ascnode", "hardware-in-the-loop tests of ascnode nodes")
    group.addoption(
        "--ascnode-board",
        metavar="BOARD",
        help="virtual (default), emulated, twin, serial:PORT[,PORT...] or bench:NAME[,NAME...]",
    )
    group.addoption(
        "--ascnode-uf2", metavar="FILE", help="official MicroPython image of emulated boards (or ASCNODE_UF2)"
    )
    group.addoption(
        "--ascnode-plant",
        choices=("board", "host"),
        default="board",
        help="where the modelled hardware runs (default: board)",
    )
    group.addoption(
        "--ascnode-time",
        choices=("lockstep", "real"),
        default="lockstep",
        help="as fast as the boards answer, or a control period when it is due (default: lockstep)",
    )
    group.addoption(
        "--ascnode-accelerator",
        choices=("none", "golden", "rtl"),
        help="beside each virtual or emulated board (default: the scenario's)",
    )
    group.addoption("--ascnode-seed", type=int, default=1, help="of keys, noise and choices (default: 1)")
    group.addoption(
        "--ascnode-scenario", metavar="FILE", help="scenario (TOML) whose hardware the boards have"
    )
    group.addoption("--ascnode-bench-file", metavar="FILE", help="the boards of this desk, for bench:NAME")
    group.addoption(
        "--ascnode-requirement",
        metavar="ID",
        action="append",
        default=[],
        help="only tests of that requirement",
    )
    group.addoption("--ascnode-report", metavar="FILE", help="write one self-contained HTML page")
    parser.addini("ascnode_requirements", "tables (TOML) of your own requirements", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*ids): the requirements that a test verifies")
    _usage(lambda: _check_options(config))
    if not hasattr(config, "workerinput"):
        from ascnode_hil.collect import Collector

        config.pluginmanager.register(Collector(config), "ascnode collector")


def _check_options(config: pytest.Config) -> None:
    # What was given has to make sense before anything is started.
    option = config.getoption
    if option("--ascnode-board") is not None:
        from ascnode_hil.target import parse_target

        target = parse_target(option("--ascnode-board"))
        if target.kind == "emulated":
            from ascnode.boards.emulated_image import find_image

            find_image(Path(option("--ascnode-uf2")) if option("--ascnode-uf2") else None)
    if option("--ascnode-scenario"):
        from ascnode.scenario.scenario import load

        load(Path(option("--ascnode-scenario")))
    if option("--ascnode-bench-file"):
        from ascnode.boards.bench import load as load_bench

        load_bench(Path(option("--ascnode-bench-file")))


def _usage(work: Callable[[], Any]) -> Any:
    # An option that makes no sense ends the run in one sentence.
    from ascnode.errors import AscnodeError

    try:
        return work()
    except AscnodeError as error:
        raise pytest.UsageError(str(error)) from None


# --- requirements


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _check(config, items)
    wanted = set(config.getoption("--ascnode-requirement"))
    if wanted:
        left_out = [item for item in items if wanted.isdisjoint(_requirements(item))]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _check(config: pytest.Config, items: list[pytest.Item]) -> None:
    # A test names requirements that there are, and so does the option.
    named = [(item, ids) for item in items if (ids := _requirements(item))]
    wanted = config.getoption("--ascnode-requirement")
    if not named and not wanted:
        return
    from ascnode_hil.requirements import requirements

    known = _usage(lambda: requirements(config.getini("ascnode_requirements")))
    for item, ids in named:
        for name in ids:
            if name not in known:
                raise pytest.UsageError(f"{item.nodeid}: no requirement {name!r} in the table")
    for name in wanted:
        if name not in known:
            raise pytest.UsageError(f"--ascnode-requirement {name}: no such requirement in the table")


def _requirements(item: pytest.Item) -> list[str]:
    return [str(name) for mark in item.iter_markers(MARKER) for name in mark.args]


# --- fixtures


@pytest.fixture(scope="session")
def ascnode_pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """The boards of this session."""
    from ascnode.scenario.scenario import Scenario, load
    from ascnode_hil.pool import Pool
    from ascnode_hil.rig import Setup
    from ascnode_hil.target import DEFAULT, parse_target

    option = request.config.getoption
    file = option("--ascnode-scenario")
    scenario = load(Path(file)) if file else Scenario()
    uf2 = option("--ascnode-uf2")
    setup = Setup(
        scenario,
        option("--ascnode-seed"),
        option("--ascnode-plant"),
        tmp_path_factory.mktemp("ascnode"),
        option("--ascnode-accelerator") or scenario.accelerator,
        Path(uf2) if uf2 else None,
    )
    bench_file = option("--ascnode-bench-file")
    target = parse_target(option("--ascnode-board") or DEFAULT).turned(_worker(request.config))
    pool = Pool(target, setup, Path(bench_file) if bench_file else None, option("--ascnode-time") == "real")
    yield pool
    pool.close()


def _worker(config: pytest.Config) -> int:
    # xdist's number of this process; 0 without.
    return int(getattr(config, "workerinput", {}).get("workerid", "gw0").removeprefix("gw"))


@pytest.fixture
def ascnode_open(request: pytest.FixtureRequest, ascnode_pool: Pool) -> Callable[[int], HilNode]:
    """Opens the board of a number, begun afresh, and keeps what it leaves for the report."""
    evidence = _evidence(request.node)

    def open_node(number: int) -> HilNode:
        node = ascnode_pool.node(number)
        evidence.boards[node.name] = node.device.version
        evidence.traces.append(node.trace)
        evidence.closing.append(lambda: evidence.paced(node.jitter))
        return node

    return open_node


@pytest.fixture
def ascnode_node(ascnode_open: Callable[[int], HilNode]) -> HilNode:
    """One board, begun afresh at time 0: in the dark, without contact, its flash as earlier tests left it."""
    return ascnode_open(0)


@pytest.fixture
def ascnode_bench(ascnode_open: Callable[[int], HilNode], ascnode_pool: Pool) -> HilBench:
    """Several boards: call it with their number."""
    from ascnode_hil.bench import HilBench

    return HilBench(ascnode_open, ascnode_pool.loop)


@pytest.fixture
def ascnode_sky(ascnode_node: HilNode) -> HilSky:
    """The sky over `ascnode_node`."""
    from ascnode_hil.sky import HilSky

    return HilSky(ascnode_node)


@pytest.fixture
def ascnode_faults(request: pytest.FixtureRequest, ascnode_node: HilNode) -> HilFaults:
    """Faults over `ascnode_node`: call it with their tables, first of all."""
    from ascnode_hil.faults import HilFaults

    faults = HilFaults(ascnode_node, _evidence(request.node))
    _evidence(request.node).closing.append(faults.note)
    return faults


@pytest.fixture
def ascnode_measure(request: pytest.FixtureRequest) -> Callable[..., Measurement]:
    """Records a value: ascnode_measure("soc_min", 61.2, "%", low=20, marginal=25). One beyond its limits fails."""
    from ascnode_hil.measure import measurement

    evidence = _evidence(request.node)

    def measure(*args: Any, **limits: Any) -> Measurement:
        measured = measurement(*args, **limits)
        evidence.measurements.append(measured)
        if measured.outcome == "fail":
            raise AssertionError(f"beyond its limits: {measured}")
        return measured

    return measure


# --- outcomes


def _evidence(item: pytest.Item) -> Evidence:
    from ascnode_hil.evidence import Evidence

    if _EVIDENCE not in item.stash:
        item.stash[_EVIDENCE] = Evidence(_name(item), _requirements(item), repeat=_repeat(item))
    return item.stash[_EVIDENCE]


def _concerns(item: pytest.Item) -> bool:
    # Whether a test is ours to report on.
    fixtures = getattr(item, "fixturenames", ())
    return (
        any(name.startswith("ascnode_") for name in fixtures) or item.get_closest_marker(MARKER) is not None
    )


def _name(item: pytest.Item) -> str:
    # As pytest takes it. The id of an installed suite's test says nothing of its module.
    module = getattr(getattr(item, "module", None), "__name__", "")
    return f"{module}::{item.nodeid.partition('::')[2]}" if module.startswith(_SUITES) else item.nodeid


def _repeat(item: pytest.Item) -> str:
    # The command that runs this test again, as it was run.
    name = _name(item)
    where = ["--pyargs", name] if name.startswith(_SUITES) else [name]
    option = item.config.getoption
    given = {"--ascnode-board": option("--ascnode-board") or "virtual"}
    names = ("uf2", "plant", "accelerator", "seed", "time", "scenario", "bench-file")
    given.update({f"--ascnode-{name}": option(f"--ascnode-{name}") for name in names})
    return shlex.join(
        ["pytest", *where, *(f"{name}={value}" for name, value in given.items() if value is not None)]
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _concerns(item):
        _judge(item, call, report)
    return report


def _judge(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    from ascnode_hil.evidence import outcome_of

    evidence = _evidence(item)
    if report.passed and report.when != "call":
        return
    evidence.close()
    if report.failed and call.excinfo is not None and _is_rig(item, call):
        evidence.blocked = str(call.excinfo.value) or type(call.excinfo.value).__name__
        evidence.rig_broke = _rig_broke(call.excinfo.value)
        report.outcome = "skipped"
        report.longrepr = (str(item.path), (item.location[1] or 0) + 1, f"blocked: {evidence.blocked}")
    outcome = outcome_of(report.passed, report.skipped, evidence)
    vars(report)["ascnode"] = evidence.plain(outcome)  # travels with the report
    # JUnit's file takes them from the last phase's report, which pytest makes from the item.
    kept = [one for one in item.user_properties if not one[0].startswith("ascnode_")]
    item.user_properties[:] = [*kept, *evidence.properties(outcome)]
    report.user_properties = list(item.user_properties)


def _is_rig(item: pytest.Item, call: pytest.CallInfo[None]) -> bool:
    from ascnode_hil.blame import is_rig

    assert call.excinfo is not None
    named = item.config.getoption("--ascnode-board") or ""
    return is_rig(call.excinfo.value, call.when == "setup", named.startswith(("serial:", "bench:")))


def _rig_broke(error: BaseException) -> bool:
    # What was there went away, as against what the bench never had.
    from ascnode_hil.errors import BlockedError

    return not isinstance(error, BlockedError)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    evidence: dict[str, Any] | None = getattr(report, "ascnode", None)
    if evidence and evidence["outcome"] == "marginal" and report.when == "call" and report.passed:
        return "marginal", "m", "MARGINAL"
    if evidence and evidence["outcome"] == "blocked" and report.skipped:
        return "blocked", "b", "BLOCKED"
    return None
