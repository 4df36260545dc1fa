"""`ascnode accel`: compile models for the accelerator, run them on it in simulation, build it."""

import typer

from ascnode.cli.accel_bench import bench
from ascnode.cli.accel_build import synth, verilog
from ascnode.cli.accel_compile import compile_
from ascnode.cli.accel_run import run

app = typer.Typer(
    help="The inference accelerator: compile models, run them in simulation, build the chip.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("compile")(compile_)
app.command("run")(run)
app.command("bench")(bench)
app.command("synth")(synth)
app.command("verilog")(verilog)
