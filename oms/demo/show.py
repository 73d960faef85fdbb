"""What the demo shows: progress while it runs, one table at the end, then where to look."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from oms.demo.evidence import Check
from oms.demo.world import COMP_ID, GUEST, HOST, World

SHOWN_FAULTS = 10


class Display:
    """Bars on a terminal, lines everywhere."""

    def __init__(self, console: Console, orders: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._sent = self._progress.add_task("orders sent", total=orders, note="")
        self._answered = self._progress.add_task("orders answered", total=orders, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def update(self, sent: int, answered: int, state: Mapping[str, Any]) -> None:
        """How far it is."""
        up = "" if state.get("up") else "clients are logging on"
        self._progress.update(self._sent, completed=sent, note=f"{state.get('fills', 0):,} fills")
        self._progress.update(self._answered, completed=answered, note=up)


def summary(console: Console, checks: Sequence[Check], seconds: float) -> None:
    """The table, then what differs."""
    table = Table(title=f"Plumbline demo, {seconds:.0f} s", title_justify="left")
    table.add_column("check", no_wrap=True)
    table.add_column("figures", justify="right")
    table.add_column("", no_wrap=True)
    for check in checks:
        mark = "[green]pass[/]" if check.passed else f"[bold red]FAIL ({len(check.faults)})[/]"
        table.add_row(escape(check.name), escape(check.figure), mark)
    console.print(table)
    for check in checks:
        if check.passed:
            continue
        console.print(f"\n{check.name}", style="bold red", highlight=False, markup=False)
        for fault in check.faults[:SHOWN_FAULTS]:
            console.print(f"  {fault}", highlight=False, markup=False, soft_wrap=True)
        more = len(check.faults) - SHOWN_FAULTS
        if more > 0:
            console.print(f"  ... and {more:,} more", highlight=False)


def invitation(console: Console, world: World, database_url: str) -> None:
    """Where everything is that stays up."""
    lines = {
        "REST, with documentation": f"{world.api_url}/docs",
        "X-API-Key, operations": world.keys["operations"],
        f"X-API-Key, trader of {GUEST}": world.keys[GUEST],
        "Metrics of the core": f"http://{HOST}:{world.core_metrics_port}/metrics",
        "Metrics of the api": f"{world.api_url}/metrics",
        "Metrics of the jobs": f"http://{HOST}:{world.jobs_metrics_port}/metrics",
        "A FIX 4.4 session for you": f"{HOST}:{world.fix_port}",
        "  SenderCompID (49)": GUEST,
        "  TargetCompID (56)": COMP_ID,
        "  Username (553)": GUEST.lower(),
        "  Password (554)": world.password,
        "  Account (1)": f"{GUEST}-1",
        "SQL, to read": database_url,
        "Configuration": str(world.config),
        "Logs": str(world.log("serve").parent),
    }
    console.print("\nEverything stays up until Ctrl-C:", highlight=False)
    for name, value in lines.items():
        console.print(f"  {name:<28} {value}", highlight=False, markup=False, soft_wrap=True)
