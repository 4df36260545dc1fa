"""`ascnode sky`: passes, eclipses and what is up, as tables, JSON or charts."""

import typer

from ascnode.cli.sky_eclipse import eclipse
from ascnode.cli.sky_passes import passes
from ascnode.cli.sky_visible import visible

app = typer.Typer(
    help="The sky: when satellites pass, when they are dark, and which are up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("passes")(passes)
app.command("eclipse")(eclipse)
app.command("visible")(visible)
