"""`oms session`: FIX sessions as operations need them."""

from typing import Annotated

import typer

from oms.cli_options import DEFAULT_CONFIG, HYPHENS, Config, Json, Reason, settings_of

session = typer.Typer(help="FIX sessions.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The client's or venue's name.")]
Request = Annotated[int, typer.Argument(min=1, help="The number that the request got.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@session.command("list")
def session_list(as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """Every session: state, sequence numbers, next reset, what waits, the last gap."""
    from oms.app import sessions

    sessions.show_all(settings_of(config, "session", quiet=True), as_json=as_json)


@session.command("show")
def session_show(name: Name, as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """All that is known of one session, and its open orders."""
    from oms.app import sessions

    sessions.show_one(settings_of(config, "session", quiet=True), name, as_json=as_json)


@session.command("stop")
def session_stop(name: Name, reason: Reason, config: Config = DEFAULT_CONFIG) -> None:
    """Log a session out and keep it so, whatever its schedule says."""
    from oms.app import sessions

    sessions.stop(settings_of(config, "session", quiet=True), name, reason)


@session.command("start")
def session_start(name: Name, reason: Reason, config: Config = DEFAULT_CONFIG) -> None:
    """Undo a stop."""
    from oms.app import sessions

    sessions.start(settings_of(config, "session", quiet=True), name, reason)


@session.command("reload")
def session_reload(
    reason: Reason,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove clients that have open orders too.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Take over clients, venues and drop copies from the configuration file of the running core."""
    from oms.app import sessions

    settings = settings_of(config, "session", quiet=True)
    sessions.reload(settings, reason, dry_run=dry_run, force=force)


@session.command("reset")
def session_reset(
    name: Name, reason: Reason, yes: Yes = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Show the open orders at risk, and ask for new sequence numbers; somebody else approves."""
    from oms.app import sessions

    sessions.request_reset(settings_of(config, "session", quiet=True), name, reason, sure=yes)


@session.command("approve", context_settings=HYPHENS)
def session_approve(
    name: Name,
    request: Request,
    reason: Reason,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show the open orders at risk, and approve the reset that somebody else asked for."""
    from oms.app import sessions

    settings = settings_of(config, "session", quiet=True)
    sessions.approve_reset(settings, name, request, reason, sure=yes)


@session.command("discard")
def session_discard(
    name: Name, reason: Reason, yes: Yes = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Ask to let go of what waits for a client that is gone for good; somebody else approves."""
    from oms.app import session_discards

    settings = settings_of(config, "session", quiet=True)
    session_discards.request(settings, name, reason, sure=yes)


@session.command("approve-discard", context_settings=HYPHENS)
def session_approve_discard(
    name: Name,
    request: Request,
    reason: Reason,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Approve that: the client is never told what waited for it."""
    from oms.app import session_discards

    settings = settings_of(config, "session", quiet=True)
    session_discards.approve(settings, name, request, reason, sure=yes)


@session.command("resend")
def session_resend(
    name: Name,
    *,
    begin: Annotated[int, typer.Option(min=1, help="BeginSeqNo.")] = 1,
    end: Annotated[int, typer.Option(min=0, help="EndSeqNo; 0: all that follow.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Required: only the counterparty can ask for more.")
    ] = False,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show what a ResendRequest for these numbers would be answered with."""
    from oms.app import sessions

    settings = settings_of(config, "session", quiet=True)
    sessions.show_resend(settings, name, begin, end, dry_run=dry_run, as_json=as_json)


@session.command("disconnects")
def session_disconnects(name: Name, as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """What cancel-on-disconnect cancelled of a client, and what not."""
    from oms.app import sessions

    sessions.show_disconnects(settings_of(config, "session", quiet=True), name, as_json=as_json)


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
