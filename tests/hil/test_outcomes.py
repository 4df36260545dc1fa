"""The five outcomes: what pytest, JUnit and the terminal say of each."""

import xml.etree.ElementTree as ET

import pytest

# Loaded before pytester looks at sys.modules: numpy loads once a process, and the rest need not load for each test.
import ascnode_hil.bench
import ascnode_hil.collect
import ascnode_hil.faults
import ascnode_hil.pool
import ascnode_hil.report.page
import ascnode_hil.suites.work  # noqa: F401
from hil.running import run_pytest

pytest_plugins = ["pytester"]

_TESTS = """
import pytest
from ascnode.errors import BoardError, LinkDownError, SessionError
from ascnode_hil.errors import BlockedError

def test_passes(ascnode_node, ascnode_measure):
    ascnode_node.step()
    ascnode_measure("soc_min", 61.2, "%", low=20, marginal=25)

def test_is_marginal(ascnode_measure):
    ascnode_measure("soc_min", 22, "%", low=20, marginal=25)

def test_fails_by_a_limit(ascnode_measure):
    ascnode_measure("soc_min", 19, "%", low=20, marginal=25)
    raise Exception("not reached")

def test_fails(ascnode_node):
    assert ascnode_node.mode == "DOWNLINK"

def test_crashes_the_firmware(ascnode_node):
    raise BoardError("board virtual-0 died: its process was killed by signal 11")

def test_is_restarted(ascnode_node):
    raise SessionError("the board restarted before the end of the exchange")

def test_needs_a_switch(ascnode_node):
    raise BlockedError("virtual-0: the rig has no power switch for this board")

@pytest.mark.skip(reason="not today")
def test_is_skipped(ascnode_node):
    pass

def test_is_none_of_ours():
    pass
"""


@pytest.fixture(scope="module", params=["0", "2"], ids=["one process", "two workers"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ET.Element]:
    """Test cases of the JUnit file by name."""
    folder = tmp_path_factory.mktemp("outcomes")
    (folder / "test_mine.py").write_text(_TESTS)
    ran = run_pytest(folder, "--ascnode-board=twin", "--junitxml=junit.xml", "-n", request.param)
    assert ran.status == 1
    assert ran.told == {"pass": 1, "marginal": 1, "skipped": 1, "blocked": 1, "fail": 4}, ran.output
    root = ET.parse(folder / "junit.xml").getroot()
    return {case.attrib["name"]: case for case in root.iter("testcase")}


def _properties(case: ET.Element) -> dict[str, str]:
    return {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}


def _elements(case: ET.Element) -> list[str]:
    return [child.tag for child in case if child.tag != "properties"]


def test_each_outcome_is_in_the_junit_file(ran: dict[str, ET.Element]) -> None:
    told = {name: (_properties(case).get("ascnode_outcome"), _elements(case)) for name, case in ran.items()}
    assert told == {
        "test_passes": ("pass", []),
        "test_is_marginal": ("marginal", []),
        "test_fails_by_a_limit": ("fail", ["failure"]),
        "test_fails": ("fail", ["failure"]),
        "test_crashes_the_firmware": ("fail", ["failure"]),
        "test_is_restarted": ("fail", ["failure"]),
        "test_needs_a_switch": ("blocked", ["skipped"]),
        "test_is_skipped": ("skipped", ["skipped"]),
        "test_is_none_of_ours": (None, []),
    }


def test_measurements_carry_value_unit_limits_and_result(ran: dict[str, ET.Element]) -> None:
    name = "ascnode_measurement_soc_min"
    assert _properties(ran["test_passes"])[name] == "soc_min = 61.2 % (at least 20) pass"
    assert _properties(ran["test_is_marginal"])[name] == "soc_min = 22 % (at least 20) marginal"
    assert _properties(ran["test_fails_by_a_limit"])[name] == "soc_min = 19 % (at least 20) fail"
    assert (
        "not reached" not in ET.tostring(ran["test_fails_by_a_limit"], "unicode").split("<failure")[1][:200]
    )


def test_why_a_test_was_blocked_is_told(ran: dict[str, ET.Element]) -> None:
    case = ran["test_needs_a_switch"]
    assert _properties(case)["ascnode_blocked"] == "virtual-0: the rig has no power switch for this board"
    (skipped,) = case.iter("skipped")
    assert "blocked: virtual-0: the rig has no power switch" in skipped.attrib["message"]


def test_a_link_that_is_lost_blocks_its_test_and_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from ascnode.errors import LinkDownError
        def test_of_a_link(ascnode_node):
            raise LinkDownError("/dev/x: no end of the exchange in time")
        def test_of_the_firmware(ascnode_node):
            ascnode_node.step()
        """
    )
    result = pytester.runpytest_inprocess("--ascnode-board=twin", "-p", "no:xdist")
    result.stdout.fnmatch_lines(["*1 pass, 1 blocked*", "*the rig broke in 1 tests*no end of the exchange*"])
    assert result.ret == 1


def test_what_the_bench_never_had_blocks_and_does_not_fail_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from ascnode_hil.errors import BlockedError
        def test_of_power(ascnode_node):
            raise BlockedError("no power switch")
        def test_of_the_firmware(ascnode_node):
            ascnode_node.step()
        """
    )
    assert pytester.runpytest_inprocess("--ascnode-board=twin", "-p", "no:xdist").ret == 0


@pytest.mark.parametrize(("named", "status"), [("serial:/dev/x", 1), ("twin", 0)])
def test_a_run_of_skipped_tests_fails_when_hardware_was_named(
    pytester: pytest.Pytester, named: str, status: int
) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.skip(reason="later")
        def test_of_power(ascnode_node): ...
        """
    )
    result = pytester.runpytest_inprocess(f"--ascnode-board={named}", "-p", "no:xdist")
    assert result.ret == status


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--ascnode-board=emulated --ascnode-uf2=no-such.uf2", "*no-such.uf2*"),
        ("--ascnode-board=pico", "*--ascnode-board pico: names no board*"),
        ("--ascnode-scenario=no-such.toml", "*no-such.toml: No such file*"),
        ("--ascnode-bench-file=no-such.toml", "*no-such.toml: No such file*"),
        ("--ascnode-requirement=PWR-99", "*PWR-99: no such requirement*"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_sentence(
    pytester: pytest.Pytester, option: str, words: str
) -> None:
    pytester.makepyfile(
        _TESTS.replace("def test_passes", '@pytest.mark.ascnode_requirement("PWR-01")\ndef test_passes')
    )
    result = pytester.runpytest_inprocess(*option.split(), "-p", "no:xdist")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])


def test_a_report_that_cannot_be_written_fails_the_run_in_one_sentence(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_passes(ascnode_node): ...")
    (pytester.path / "taken").write_text("")
    result = pytester.runpytest_inprocess(
        "--ascnode-board=twin", "--ascnode-report=taken/report.html", "-p", "no:xdist"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*FAILED: the report taken?report.html cannot be written: *"])


def test_a_requirement_that_is_in_no_table_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.ascnode_requirement("PWR-99")
        def test_of_power(): ...
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:xdist")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no requirement 'PWR-99' in the table*"])


def test_a_test_that_left_its_board_broken_does_not_spoil_the_next(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_breaks(ascnode_node):
            ascnode_node.device.flyer._talk = None
        def test_works(ascnode_node):
            ascnode_node.advance(5)
        """
    )
    pytester.runpytest_inprocess("--ascnode-board=twin", "-p", "no:xdist").assert_outcomes(passed=2)


def test_in_real_time_an_advance_takes_as_long_as_it_says(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import time
        def test_of_time(ascnode_node):
            start_s = time.monotonic()
            ascnode_node.advance(3)
            assert time.monotonic() - start_s > 1.9  # the third period begins at 2 s
            assert ascnode_node.jitter.periods == 3
        """
    )
    options = ("--ascnode-board=twin", "--ascnode-time=real", "-p", "no:xdist")
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=1)


def test_two_pokes_of_a_word_leave_the_second(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_of_pokes(ascnode_node):
            ascnode_node.configure(custody_timeout=33)
            ascnode_node.configure(custody_timeout=44)
            ascnode_node.step()
            assert ascnode_node.parameter("custody_timeout") == 44
        """
    )
    pytester.runpytest_inprocess("--ascnode-board=twin", "-p", "no:xdist").assert_outcomes(passed=1)


def test_several_boards_advance_under_one_clock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_three(ascnode_bench):
            nodes = ascnode_bench(3)
            nodes[1].contact()
            heard = ascnode_bench.advance(10)
            assert [node.now_s for node in nodes] == [10, 10, 10]
            assert [bool(packets) for packets in heard] == [False, True, False]
            assert len({node.name for node in nodes}) == 3
        """
    )
    pytester.runpytest_inprocess("--ascnode-board=twin", "-p", "no:xdist").assert_outcomes(passed=1)
