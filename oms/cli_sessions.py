"""`oms session`: FIX sessions as operations need them."""

from typing import Annotated

import typer

from oms.cli_options import DEFAULT_CONFIG, Config, Json, settings_of

session = typer.Typer(help="FIX sessions.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The client's or venue's name.")]


@session.command("schedule")
def session_schedule(
    name: Name,
    days: Annotated[int, typer.Option(min=1, max=3_660, help="From today on.")] = 14,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """When a session is open and when its sequence numbers begin anew, in UTC and local time."""
    from oms.app import session_schedules

    settings = settings_of(config, "session", quiet=True)
    session_schedules.show(settings, name, days, as_json=as_json)
