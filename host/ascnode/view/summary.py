"""The closing tables of a run."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from ascnode.scenario.figures import Figures, Load
from ascnode.scenario.injected import DETECTED

_QUANTILES = ("p5", "p50", "p90", "p95", "p99", "max")
_PARTS = {
    "uplink": "up: turn, airtime, light",
    "mesh": "lasers, both ways",
    "queue": "queue of the node",
    "compute": "compute",
    "wait": "wait for the downlink",
    "downlink": "down: airtime, light",
}
_SHOWN = 5  # of the busiest


def print_summary(console: Console, figures: Figures) -> None:
    """Figures of the whole run, where its time went, its network and its nodes, then each board."""
    console.print(_totals(figures))
    if figures.answered:
        console.print(_latency(figures))
    console.print(_network(figures))
    console.print(_fleet(figures))
    if figures.pings:
        console.print(_pings(figures))
    if figures.per_board:
        console.print(_boards(figures))
    if figures.faults:
        console.print(_faults(figures))


def _pairs(title: str) -> Table:
    table = Table(title=title, box=None, show_header=False, title_justify="left", title_style="bold")
    table.add_column()
    table.add_column()
    return table


def _grid(title: str, *columns: str) -> Table:
    table = Table(title=title, box=None, title_justify="left", title_style="bold", header_style="dim")
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _totals(figures: Figures) -> Table:
    table = _pairs("Run")
    table.add_row("queries sent", f"{figures.queries_sent}")
    table.add_row("answered", f"{figures.answered}, of them {figures.late} after their deadline")
    table.add_row("goodput", f"{figures.goodput_per_s:.3f} answers in time per second")
    causes = ", ".join(f"{count} {cause}" for cause, count in figures.causes.items())
    table.add_row("lost", f"{figures.lost}" + (f" ({causes})" if causes else ""))
    table.add_row("accuracy", _accuracy(figures))
    latency = "  ".join(f"{name} {value:.2f} s" for name, value in figures.latency_s.items())
    table.add_row("latency", latency or "no answers")
    energy = figures.energy_j_per_answer
    table.add_row(
        "energy per answer", f"{energy:.2f} J at the accelerator" if energy is not None else "no answers"
    )
    for wave in figures.training:
        took = "  ".join(f"{name} {value:.1f} s" for name, value in wave.wave_s.items())
        table.add_row("training", f"{wave.waves} waves of {wave.workers} workers  {took}")
    table.add_row("computed by", _engines(figures))
    table.add_row("parity", _parity(figures))
    rate = figures.steps / figures.wall_s if figures.wall_s else 0.0
    speed = f", {rate:,.0f} board-steps/s" if figures.steps else ""
    table.add_row("time", f"{figures.sim_s:.0f} s simulated in {figures.wall_s:.1f} s{speed}")
    if figures.record:
        table.add_row("record", figures.record)
    return table


def _accuracy(figures: Figures) -> str:
    if not figures.labelled:
        return "no answers" if not figures.answered else "the payload has no labels"
    share = figures.correct / figures.labelled
    return f"{share:.1%} of the answers agree with the label ({figures.correct})"


def _engines(figures: Figures) -> str:
    proofs = figures.proofs
    if not figures.boards:
        return "simulated nodes"
    if not proofs.engines:
        return "no answers of boards"
    kind = f" ({proofs.accelerator})" if proofs.accelerator != "none" else ""
    if figures.kind == "twin":
        kind = " (modelled: twins have none)"
    parts = [
        f"{count:,} by the {name}{kind if name == 'accelerator' else ''}"
        for name, count in proofs.engines.items()
    ]
    verdict = "every proof holds" if not proofs.wrong else f"{proofs.wrong:,} PROOFS DO NOT HOLD"
    speed = "" if proofs.cycles is None else f"; cycles {proofs.cycles:.2%} of what the clocks ask for"
    return f"{', '.join(parts)}; {verdict}{speed}"


def _parity(figures: Figures) -> str:
    if not figures.boards:
        return "no boards: all nodes were simulated"
    if figures.kind == "twin":
        return "no boards: twins flew alone, nothing was compared"
    exchanges = sum(board.exchanges for board in figures.per_board)
    upset = any(DETECTED in one.outcomes for one in figures.faults)
    return (
        f"{figures.parity_mismatches} mismatches in {figures.steps:,} steps and {exchanges:,} exchanges: "
        f"board and twin agree bit for bit{', but for the upsets of the board alone' if upset else ''}"
    )


def _latency(figures: Figures) -> Table:
    table = _grid("Where the time went, s", "part", *_QUANTILES)
    for part, label in _PARTS.items():
        table.add_row(label, *(f"{figures.split_s[part][q]:.3f}" for q in _QUANTILES))
    table.add_row("together", *(f"{figures.latency_s[q]:.3f}" for q in _QUANTILES))
    return table


def _network(figures: Figures) -> Table:
    mesh = figures.mesh
    table = _pairs("Network")
    table.add_row("satellites", f"{mesh.satellites:,}, {mesh.users} users, {mesh.gateways} gateways")
    table.add_row(
        "bytes",
        f"{mesh.bytes_offered:,} offered, {mesh.bytes_delivered:,} delivered, {mesh.bytes_lost:,} lost, "
        f"{mesh.bytes_waiting:,} waiting",
    )
    table.add_row("lasers", f"{mesh.hops_mean:.1f} hops a packet, {mesh.slots:,} slots")
    table.add_row("answers a node", _load(figures.answers_per_node))
    table.add_row("bytes a satellite", _load(figures.bytes_per_satellite))
    if figures.answers_per_gateway.top:
        table.add_row("answers a gateway", _load(figures.answers_per_gateway))
    return table


def _load(load: Load) -> str:
    busiest = ", ".join(f"{name} {count:,}" for name, count in list(load.top.items())[:_SHOWN])
    if not busiest:
        return "none"
    return f"Gini {load.gini:.2f} over {load.of:,}, p50 {load.percentiles['p50']:,.0f}; most: {busiest}"


def _fleet(figures: Figures) -> Table:
    fleet = figures.fleet
    table = _grid(f"{fleet.nodes:,} compute nodes", "", "min", "p5", "p50", "p95", "max")

    def row(name: str, values: Mapping[str, float], form: str) -> None:
        table.add_row(name, *(format(values[q], form) for q in ("min", "p5", "p50", "p95", "max")))

    row("least charge", fleet.charge_min, ".1%")
    row("charge at the end", fleet.charge_end, ".1%")
    row("hottest accelerator °C", fleet.accelerator_max_c, ".1f")
    row("hottest radiator °C", fleet.radiator_max_c, ".1f")
    return table


def _pings(figures: Figures) -> Table:
    table = _grid("Pings, ms", "via", "packets", "p5", "p50", "p95", "p99", "lost")
    for one in figures.pings:
        quantiles = (f"{one.rtt_ms[q]:.1f}" if one.rtt_ms else "-" for q in ("p5", "p50", "p95", "p99"))
        table.add_row(one.via, f"{one.packets:,}", *quantiles, f"{one.loss:.2%}")
    return table


def _faults(figures: Figures) -> Table:
    table = _grid("Faults of the boards", "fault", "injected", "what came of it")
    for one in figures.faults:
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in one.outcomes.items())
        table.add_row(f"{one.kind} {one.what}", f"{one.injected:,}", outcomes)
    return table


def _boards(figures: Figures) -> Table:
    modes = list(figures.per_board[0].mode_minutes)
    table = _grid(
        "Boards", "board", *(f"{mode} min" for mode in modes), "throttled s", "jobs", "job energy kJ"
    )
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
