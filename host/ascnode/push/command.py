"""What `ascnode model push` and `ascnode firmware push` share: options, the flight with its progress bar, the table."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ascnode.boards.interpreter import Interpreter, require_interpreter
from ascnode.errors import PushError, StoppedError
from ascnode.push.campaign import Plan, Result, roll_out
from ascnode.push.package import Package
from ascnode.push.pusher import IN_USE, Outcome
from ascnode.record.database import Record, next_path
from ascnode.scenario.payload import Payload
from ascnode.scenario.scenario import Scenario, load, ready_made
from ascnode_fw import __version__

To = Annotated[str, typer.Option("--to", help="Node names separated by commas, or all.")]
Canary = Annotated[int, typer.Option(min=0, help="Push to so many nodes first, and compare how they answer.")]
Queries = Annotated[int, typer.Option(min=1, help="That each canary answers before and after.")]
Board = Annotated[str, typer.Option("--board", help="virtual or twin.")]
ScenarioFile = Annotated[
    Path | None, typer.Option("--scenario", help="Whose boards and contacts; the demo's.")
]
Flash = Annotated[
    Path | None, typer.Option("--flash", help="Folder that keeps the boards' flash; runs/flash-SCENARIO.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go up, and stop.")]


@dataclass(frozen=True)
class Options:
    """As the command line has them."""

    to: str
    canary: int
    queries: int
    board: str
    scenario: Path | None
    flash: Path | None
    dry_run: bool

    def interpreter(self) -> Interpreter | None:
        """Of virtual boards; None for twins. PushError for another kind."""
        if self.board not in ("virtual", "twin"):
            raise PushError(
                f"--board {self.board}: models and firmware go to virtual boards and twins so far"
            )
        return require_interpreter() if self.board == "virtual" else None

    def load_scenario(self) -> Scenario:
        """The scenario; PushError when it has no boards."""
        scenario = load(self.scenario or ready_made("demo"))
        if not scenario.space.boards:
            raise PushError(f"scenario {scenario.name} has no boards to push to")
        if scenario.profile == "esp32":
            raise PushError("profile esp32: beside the SIM plane its heap has no room for an update")
        return scenario


def push(console: Console, options: Options, scenario: Scenario, payload: Payload, package: Package) -> None:
    """Flies it and prints what came of it; PushError when a node has not got it, or is worse for it."""
    names = [scenario.space.name(board) for board in scenario.space.boards]
    nodes = chosen(options.to, names)
    if options.canary > len(nodes):
        raise PushError(f"--canary {options.canary}: there are {len(nodes)} nodes")
    _say_what(console, package, [names[node] for node in nodes])
    if options.dry_run:
        return
    flash = options.flash or Path("runs") / f"flash-{scenario.name}"
    plan = Plan(
        scenario, payload, package, nodes, flash, options.interpreter(), options.canary, options.queries
    )
    result = _fly(console, plan)
    console.print(table(result.outcomes), highlight=False)
    _judge(result)


def chosen(to: str, names: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the boards that `to` names; PushError, with the names there are, for another one."""
    if to == "all":
        return tuple(range(len(names)))
    wanted = list(dict.fromkeys(name.strip() for name in to.split(",")))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise PushError(f"--to {unknown[0]}: the boards are {', '.join(names)}")
    return tuple(names.index(name) for name in wanted)


def _say_what(console: Console, package: Package, names: Sequence[str]) -> None:
    what = f"model {package.model_id:08x}" if package.model_id else f"firmware {package.version}"
    console.print(
        f"{what}: {len(package.data):,} bytes in {len(package.chunks())} chunks, to {', '.join(names)}",
        highlight=False,
        soft_wrap=True,
    )


def _fly(console: Console, plan: Plan) -> Result:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} chunks"),
    )
    path = next_path(Path("runs"), f"push-{plan.scenario.name}")
    with Record(path) as record, Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        values = {"ascnode": __version__, "scenario": plan.scenario.model_dump(mode="json")}
        record.values("run", {**values, "payload": plan.payload.digest()})
        tasks = {}

        def progress(name: str, have: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=of)
            bars.update(tasks[name], completed=have)
            record.commit_when_due()

        try:
            return asyncio.run(roll_out(plan, record, progress))
        except KeyboardInterrupt:
            raise StoppedError("stopped by Ctrl-C: the same command goes on from here") from None


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row a node."""
    found = Table()
    for name in ("node", "old", "new"):
        found.add_column(name)
    for name in ("bytes", "chunks sent", "resent", "contacts"):
        found.add_column(name, justify="right")
    for name in ("self-test", "state"):
        found.add_column(name)
    for one in outcomes:
        state = f"{one.state}: {one.why}" if one.why else one.state
        counts = (f"{one.size:,}", str(one.sent), str(one.resent), str(one.contacts))
        found.add_row(one.node, one.old, one.new, *counts, one.self_test, state)
    return found


def _judge(result: Result) -> None:
    if result.stopped:
        raise PushError(f"the roll-out was stopped: {result.stopped}")
    left = [one for one in result.outcomes if one.state != IN_USE]
    if left:
        first = left[0]
        raise PushError(
            f"{len(left)} of {len(result.outcomes)} nodes have not got it; {first.node}: {first.state}, {first.why}"
        )
