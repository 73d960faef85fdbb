"""`oms orphans`: reports that fit no order of ours, and what operations decides about them."""

from typing import Annotated

import typer

from oms.cli_options import DEFAULT_CONFIG, HYPHENS, Config, Json, Reason, settings_of

orphans = typer.Typer(help="Venue reports that fit no order of ours.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="The orphan's number, as `list` shows it.")]


@orphans.command("list")
def orphans_list(
    everything: Annotated[bool, typer.Option("--all", help="Settled ones and notes too.")] = False,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Those that wait for a decision."""
    from oms.app import orphans as decisions

    settings = settings_of(config, "orphans", quiet=True)
    decisions.show(settings, everything=everything, as_json=as_json)


@orphans.command("adopt", context_settings=HYPHENS)
def orphans_adopt(
    number: Number,
    reason: Reason,
    account: Annotated[
        str, typer.Option(help="Whose trade it is; default: the orphan_account of its venue.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Book it: to its order, or as an external order's."""
    from oms.app import orphans as decisions

    decisions.adopt(settings_of(config, "orphans", quiet=True), number, account, reason)


@orphans.command("refuse", context_settings=HYPHENS)
def orphans_refuse(
    number: Number,
    reason: Reason,
    tell_venue: Annotated[
        bool, typer.Option("--tell-venue", help="And send its venue a DontKnowTrade.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Book nothing: it is no trade of ours, or one that is booked already."""
    from oms.app import orphans as decisions

    settings = settings_of(config, "orphans", quiet=True)
    decisions.refuse(settings, number, reason, tell_venue=tell_venue)
