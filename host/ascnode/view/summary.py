"""The closing table of a run."""

from rich.console import Console
from rich.table import Table

from ascnode.scenario.figures import Figures


def print_summary(console: Console, figures: Figures) -> None:
    """Figures of the whole run, then of each board."""
    console.print(_totals(figures))
    console.print(_boards(figures))


def _totals(figures: Figures) -> Table:
    table = Table(title="Run", box=None, show_header=False, title_justify="left", title_style="bold")
    table.add_column()
    table.add_column()
    share = figures.correct / figures.answered if figures.answered else 0.0
    table.add_row("queries sent", f"{figures.queries_sent}")
    table.add_row("answered", f"{figures.answered}, of them {figures.late} after their deadline")
    causes = ", ".join(f"{count} {cause}" for cause, count in figures.causes.items())
    table.add_row("lost", f"{figures.lost}" + (f" ({causes})" if causes else ""))
    table.add_row("accuracy", f"{share:.1%} of the answers agree with the label ({figures.correct})")
    latency = "  ".join(f"{name} {value:.2f} s" for name, value in figures.latency_s.items())
    table.add_row("latency", latency or "no answers")
    energy = figures.energy_j_per_answer
    table.add_row(
        "energy per answer", f"{energy:.2f} J at the accelerator" if energy is not None else "no answers"
    )
    table.add_row("parity", _parity(figures))
    rate = figures.steps / figures.wall_s if figures.wall_s else 0.0
    table.add_row(
        "time", f"{figures.sim_s:.0f} s simulated in {figures.wall_s:.1f} s, {rate:,.0f} board-steps/s"
    )
    if figures.record:
        table.add_row("record", figures.record)
    return table


def _parity(figures: Figures) -> str:
    if figures.kind == "twin":
        return "no boards: twins flew alone, nothing was compared"
    exchanges = sum(board.exchanges for board in figures.per_board)
    return (
        f"{figures.parity_mismatches} mismatches in {figures.steps:,} steps and {exchanges:,} exchanges: "
        "board and twin agree bit for bit"
    )


def _boards(figures: Figures) -> Table:
    table = Table(title="Boards", box=None, title_justify="left", title_style="bold", header_style="dim")
    table.add_column("board")
    modes = list(figures.per_board[0].mode_minutes) if figures.per_board else []
    for title in (*(f"{mode} min" for mode in modes), "throttled s", "jobs", "job energy kJ"):
        table.add_column(title, justify="right")
    for board in figures.per_board:
        minutes = (f"{board.mode_minutes[mode]:.1f}" for mode in modes)
        table.add_row(
            board.name,
            *minutes,
            f"{board.throttled_s:.0f}",
            str(board.jobs_done),
            f"{board.job_energy_j / 1000:.2f}",
        )
    return table
