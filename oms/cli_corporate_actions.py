"""`oms corporate-action`: splits, previewed by one person and applied by another."""

from typing import Annotated

import typer

from oms.cli_options import DEFAULT_CONFIG, HYPHENS, Config, Json, Reason, settings_of

corporate_action = typer.Typer(help="Splits of instruments.", no_args_is_help=True)

ActionId = Annotated[str, typer.Argument(help="The action's id, yours; it is applied once.")]


@corporate_action.command("list")
def action_list(as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """Every split that was previewed, and which were applied."""
    from oms.app import corporate_actions

    settings = settings_of(config, "corporate-action", quiet=True)
    corporate_actions.show_all(settings, as_json=as_json)


@corporate_action.command("show", context_settings=HYPHENS)
def action_show(
    action_id: ActionId, as_json: Json = False, config: Config = DEFAULT_CONFIG
) -> None:
    """One split, and what its latest preview showed."""
    from oms.app import corporate_actions

    settings = settings_of(config, "corporate-action", quiet=True)
    corporate_actions.show_one(settings, action_id, as_json=as_json)


@corporate_action.command("preview", context_settings=HYPHENS)
def action_preview(
    action_id: ActionId,
    symbol: Annotated[str, typer.Option(help="The instrument.")],
    ratio: Annotated[str, typer.Option(help="New shares to old ones: 2:1 makes two of one.")],
    effective: Annotated[str, typer.Option(help="First trading date of the new shares, ISO.")],
    reason: Reason,
    *,
    cash_in_lieu: Annotated[
        str, typer.Option(help="What is paid for a new share, where a position has a part of one.")
    ] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show what a split would change of orders and positions. Nothing changes."""
    from oms.app import corporate_actions

    settings = settings_of(config, "corporate-action", quiet=True)
    wanted = corporate_actions.Wanted(
        action_id=action_id,
        symbol=symbol,
        ratio=ratio,
        effective=effective,
        cash_in_lieu=cash_in_lieu,
        reason=reason,
    )
    corporate_actions.preview(settings, wanted)


@corporate_action.command("apply", context_settings=HYPHENS)
def action_apply(
    action_id: ActionId,
    number: Annotated[int, typer.Argument(min=1, help="The number that the preview got.")],
    reason: Reason,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show the preview, and let the split take effect; by another than who previewed it."""
    from oms.app import corporate_actions

    settings = settings_of(config, "corporate-action", quiet=True)
    corporate_actions.apply(settings, action_id, number, reason, sure=yes)
