"""The bench's figures as tables for a terminal."""

import statistics

from rich.console import Console
from rich.table import Table

from oms.bench.figures import Commits, Figures, WayFigures, machine, spread
from oms.bench.stats import Latency, latency_of


def show(figures: Figures, console: Console) -> None:
    """Print the tables of one run."""
    found = machine()
    console.print(
        f"{figures.rounds} interleaved rounds of {figures.orders} orders, "
        f"{figures.client_sessions} client sessions, {figures.in_flight} orders in flight each; "
        f"{found['cores']} cores, {found['system']}, Python {found['python']}",
        highlight=False,
    )
    console.print(_throughput(figures))
    own_us = statistics.median(figures.own_us_per_order)
    console.print(
        f"The server's own work on an order, without sockets and database: {own_us:,.0f} us of "
        "one core.",
        highlight=False,
    )
    console.print(_latency(figures))
    console.print(_marks(figures))


def _throughput(figures: Figures) -> Table:
    table = _table(
        "Sustained throughput", "orders/s", "lowest - highest", "of the bare relay", "CPU us/order"
    )
    base = statistics.median(figures.relay.orders_per_second)
    rows: list[tuple[str, list[float], list[float]]] = [
        (name, path.orders_per_second, path.cpu_us_per_order)
        for name, path in (
            ("bare QuickFIX relay, keeps nothing", figures.relay),
            ("the same, messages as one text", figures.text_relay),
            ("oms core, everything durable", figures.server),
            (f"the same, {figures.many_sessions} client sessions", figures.crowded),
        )
        if path.orders_per_second
    ]
    rows += [(_batch_name(each), each.orders_per_second, []) for each in figures.commits]
    for name, rounds, cpu_us in rows:
        median = statistics.median(rounds)
        cpu = f"{statistics.median(cpu_us):,.0f}" if cpu_us else ""
        table.add_row(name, f"{median:,.0f}", spread(rounds), f"{median / base:.2f}", cpu)
    return table


def _batch_name(commits: Commits) -> str:
    count = commits.orders_per_commit
    return f"PostgreSQL alone, {count} order{'s' if count > 1 else ''} to a commit"


def _latency(figures: Figures) -> Table:
    table = _table("One order at a time, microseconds", "p50", "p99", "p99.9", "samples")
    for name, path in (
        ("bare relay", figures.relay),
        ("as one text", figures.text_relay),
        ("oms core", figures.server),
        (f"{figures.many_sessions} sessions", figures.crowded),
    ):
        if not path.order_ns:
            continue
        for what, latency in _delays(path):
            _add(table, f"{name}: {what}", latency)
    _add(table, "oms api: REST submit to answer", figures.rest)
    _add(table, "PostgreSQL alone: one command's commit", figures.small_commit)
    _add(table, "the same, back to back", figures.quick_commit)
    return table


def _delays(way: WayFigures) -> list[tuple[str, Latency]]:
    return [
        ("client order in to venue order out", latency_of(way.order_ns)),
        ("venue report in to client report out", latency_of(way.report_ns)),
    ]


def _add(table: Table, name: str, latency: Latency) -> None:
    values = (latency.p50_us, latency.p99_us, latency.p99_9_us)
    table.add_row(name, *(f"{value:,.0f}" for value in values), f"{latency.count:,}")


def _marks(figures: Figures) -> Table:
    table = _table("To reach", "measured", "bound", "")
    for mark in figures.marks():
        bound = f"{'at least' if mark.at_least else 'at most'} {mark.bound} {mark.unit}".rstrip()
        table.add_row(
            mark.name,
            f"{mark.value:.2f} {mark.unit}".rstrip(),
            bound,
            "[green]reached[/]" if mark.reached else "[red]not reached[/]",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table
