"""Building simulators: real ones, the cache, and what happens without a tool or in time."""

import shutil
import subprocess
import sys
import time

import pytest

from ascnode_gateware.sim import verilator
from ascnode_gateware.sim.verilator import build_executable, lint, verilator_environment
from ascnode_gateware.synth.process import GatewareError, run_tool

COUNTER = """module counter(input clk, input reset, output reg [7:0] count);
  always @(posedge clk) count <= reset ? 8'd0 : count + 8'd3;
endmodule
"""
MAIN = """#include <cstdio>
#include "Vcounter.h"
#include "cycles.h"
int main() {
    Vcounter top;
    top.reset = 1;
    for (int i = 0; i <= CYCLES; i++) { top.clk = 0; top.eval(); top.clk = 1; top.eval(); top.reset = 0; }
    printf("%d", top.count);
}
"""


@pytest.fixture
def counter(tmp_path):
    (tmp_path / "counter.v").write_text(COUNTER)
    (tmp_path / "main.cpp").write_text(MAIN)
    (tmp_path / "cycles.h").write_text("#define CYCLES 100\n")
    return tmp_path


def build(folder):
    return build_executable(
        [folder / "counter.v"],
        "counter",
        folder / "main.cpp",
        folder / "built",
        headers=[folder / "cycles.h"],
    )


def test_a_simulator_is_built_runs_and_is_built_again_only_after_a_change(counter):
    first = build(counter)
    assert subprocess.run([first], capture_output=True, timeout=20).stdout == b"44"  # 3 * 100 mod 256
    built_at = first.stat().st_mtime_ns
    assert build(counter) == first
    assert first.stat().st_mtime_ns == built_at
    (counter / "cycles.h").write_text("#define CYCLES 7\n")
    second = build(counter)
    assert subprocess.run([second], capture_output=True, timeout=20).stdout == b"21"


def test_the_packages_verilator_comes_first_on_the_path():
    environment = verilator_environment()
    assert environment["PATH"].split(":")[0] == environment["VERILATOR_ROOT"] + "/bin"
    found = shutil.which("verilator", path=environment["PATH"])
    assert found == environment["VERILATOR_ROOT"] + "/bin/verilator"


def test_a_syntax_error_is_told_with_the_end_of_the_log(counter):
    (counter / "counter.v").write_text(COUNTER.replace("endmodule", ""))
    with pytest.raises(GatewareError, match=r"(?s)building the simulator of counter failed.*syntax error"):
        build(counter)
    assert not [path for path in (counter / "built").iterdir() if path.suffix != ".log"]


def test_a_missing_compiler_or_source_is_named(counter, monkeypatch):
    (counter / "main.cpp").unlink()
    with pytest.raises(GatewareError, match=r"cannot read .*main\.cpp"):
        build(counter)
    (counter / "main.cpp").write_text(MAIN)
    monkeypatch.setattr(verilator.shutil, "which", lambda name: None)
    with pytest.raises(GatewareError, match=r"g\+\+.* is not on PATH"):
        build(counter)


def test_lint_refuses_what_only_a_warning_tells(counter):
    lint([counter / "counter.v"], "counter", log=counter / "lint.log")
    (counter / "counter.v").write_text(COUNTER.replace("input reset", "input reset, input spare"))
    with pytest.raises(GatewareError, match="UNUSEDSIGNAL"):
        lint([counter / "counter.v"], "counter", log=counter / "lint.log")
    (counter / "waivers.vlt").write_text(
        '`verilator_config\nlint_off -rule UNUSEDSIGNAL -file "*counter.v"\n'
    )
    lint(
        [counter / "counter.v"],
        "counter",
        waivers=[counter / "waivers.vlt"],
        log=counter / "lint.log",
    )


def test_a_tool_that_hangs_is_ended_with_its_children(tmp_path):
    script = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    started = time.monotonic()
    with pytest.raises(GatewareError, match=r"the nap had not ended after 0\.5 s"):
        run_tool([sys.executable, "-c", script], what="the nap", log=tmp_path / "log", deadline_s=0.5)
    assert time.monotonic() - started < 30


def test_a_missing_tool_is_named(tmp_path):
    with pytest.raises(GatewareError, match=r"the work needs no-such-tool"):
        run_tool(["no-such-tool"], what="the work", log=tmp_path / "log", deadline_s=1)
