"""oms soak: real processes under real faults, drawn from one seed, and the checkers after."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

Minutes = Annotated[float, typer.Option(min=0.1, help="For how long faults are dealt.")]
Seed = Annotated[int, typer.Option(min=0, help="What is drawn: orders, faults, their moments.")]
Report = Annotated[
    Path | None,
    typer.Option(help="Where report and evidence go; by default a new directory in var/soak."),
]
Rate = Annotated[float, typer.Option(min=0.1, help="Orders and requests a second.")]
Round = Annotated[float, typer.Option("--round", min=10, help="Seconds between two quiet times.")]


def soak(
    *,
    minutes: Minutes = 20.0,
    seed: Seed = 1,
    report: Report = None,
    rate: Rate = 9.0,
    round_s: Round = 300.0,
) -> None:
    """Run the whole server, venues and clients, and kill, freeze, starve and cut them off while
    orders flow; then wait for quiet and check what must hold; exit 1 where it does not.
    """
    from oms.soak.campaign import Options
    from oms.soak.run import main

    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    home = report or Path("var/soak") / f"{now}-{seed}"
    options = Options(home=home, seed=seed, minutes=minutes, rate=rate, round_s=round_s)
    raise typer.Exit(main(options))
