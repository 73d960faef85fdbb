"""oms simulate: the whole server under one seed, with everything around it simulated."""

from typing import Annotated

import typer

Seeds = Annotated[int | None, typer.Option(min=1, help="How many seeds; by default 200.")]
First = Annotated[int, typer.Option(min=0, help="The first of them.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many processes at once.")]
Minutes = Annotated[
    float, typer.Option(min=0, help="Stop after so long; without --seeds nothing else ends it.")
]
Seed = Annotated[int | None, typer.Option(help="Play this seed alone, and tell its story.")]
Acts = Annotated[
    str, typer.Option(help="With --seed: only these acts of its plan, by number; none for none.")
]
Without = Annotated[str, typer.Option(help="With --seed: without these faults, as XA.reject.")]
Shrink = Annotated[bool, typer.Option("--shrink", help="With --seed: make a failure short first.")]

_ENDLESS = 10**9


def simulate(
    *,
    seeds: Seeds = None,
    first: First = 1,
    jobs: Jobs = 2,
    minutes: Minutes = 0.0,
    seed: Seed = None,
    acts: Acts = "",
    without: Without = "",
    shrink: Shrink = False,
) -> None:
    """Play seeded days of orders, faults and crashes in virtual time, each twice, and check what
    must hold whatever happens; exit 1 where it does not, with the line that plays it again.
    """
    if seed is None:
        from oms.simulation.run import Options, main

        wanted = seeds or (_ENDLESS if minutes else 200)
        options = Options(seeds=wanted, first=first, jobs=jobs, minutes=minutes)
        raise typer.Exit(main(options))
    from oms import logs
    from oms.settings.model import LoggingSettings
    from oms.simulation.plan import Recipe
    from oms.simulation.replay import replay

    logs.configure(LoggingSettings(level="error"), process="simulate")
    numbers = [one for one in acts.split(",") if one and one != "none"]
    kept = tuple(int(one) for one in numbers) if acts else None
    left_out = frozenset(one for one in without.split(",") if one)
    recipe = Recipe(seed=seed, kept=kept, left_out=left_out)
    raise typer.Exit(replay(recipe, shrink=shrink))
