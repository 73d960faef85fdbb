"""The command `oms`: one place that says what the program can do, and how it ends.

Each command imports what it runs only when it runs: `oms --help` needs none of it.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from oms.app.exits import Exit, Stop, complain
from oms.cli_conformance import conformance
from oms.cli_corporate_actions import corporate_action
from oms.cli_db import db
from oms.cli_options import DEFAULT_CONFIG, HYPHENS, Config, Json, Reason, TlsDir, VenueDir
from oms.cli_options import settings_of as _settings
from oms.cli_orphans import orphans
from oms.cli_sessions import session
from oms.cli_simulate import simulate
from oms.cli_soak import soak

_OUTPUT_FAULTS = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
commands = typer.Typer(
    name="oms",
    help="Plumbline: an order and execution management server for institutional desks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
risk = typer.Typer(help="Risk limits.", no_args_is_help=True)
kill = typer.Typer(help="Kill switches.", no_args_is_help=True)
recon = typer.Typer(help="Reconciliation with the venues' files.", no_args_is_help=True)
audit = typer.Typer(help="What happened, and proof of it.", no_args_is_help=True)
order = typer.Typer(help="Single orders.", no_args_is_help=True)
for group, name in (
    (db, "db"),
    (risk, "risk"),
    (kill, "kill"),
    (recon, "recon"),
    (audit, "audit"),
    (order, "order"),
    (session, "session"),
    (orphans, "orphans"),
    (corporate_action, "corporate-action"),
):
    commands.add_typer(group, name=name)
commands.command()(conformance)
commands.command()(simulate)
commands.command()(soak)


def app() -> None:
    """Run the command line; a known fault is one line and its exit code, never a traceback."""
    from oms.settings.load import ConfigError

    _open_what_is_closed()
    _refuse_unreadable(sys.argv[1:])
    try:
        try:
            commands(standalone_mode=True)
        finally:
            sys.stdout.flush()
    except Stop as stop:
        complain(str(stop))
        raise SystemExit(stop.code) from None
    except ConfigError as error:
        complain(str(error))
        raise SystemExit(Exit.CONFIG) from None
    except OSError as error:
        if error.errno not in _OUTPUT_FAULTS:
            raise
        # What could not be written is not tried again at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if error.errno != errno.EPIPE:
            complain(f"the output cannot be written: {error.strerror}")
        raise SystemExit(Exit.FAILED) from None


def _open_what_is_closed() -> None:
    """Standard streams that the caller closed lead nowhere; their numbers are no socket's."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, mode))


def _refuse_unreadable(arguments: list[str]) -> None:
    """An argument that is no text in UTF-8 cannot be looked for, shown or recorded."""
    for argument in arguments:
        if any("\ud800" <= one <= "\udfff" for one in argument):
            shown = os.fsencode(argument).decode("utf-8", "backslashreplace")
            complain(f"argument {shown}: must be text in UTF-8")
            raise SystemExit(Exit.USAGE)


@commands.callback()
def every_command(context: typer.Context) -> None:
    """Logs go to standard error in every command, also before (and without) a configuration."""
    from oms import logs
    from oms.settings import LoggingSettings

    settings = LoggingSettings(format="console", level="warning")
    logs.configure(settings, process=context.invoked_subcommand or "oms")


@commands.command()
def serve(config: Config = DEFAULT_CONFIG) -> None:
    """Run database, core, api and jobs together under one supervisor."""
    from oms.app import serve as process

    raise typer.Exit(process.run(_settings(config, "serve"), config))


@commands.command()
def core(config: Config = DEFAULT_CONFIG) -> None:
    """Run the core: FIX sessions, sequencer, journal. A second one stands by."""
    from oms.app import core as process

    settings = _settings(config, "core")
    try:
        code: int = process.run(settings, config)
    except Stop as stop:
        complain(str(stop))
        code = stop.code
    process.leave(code)


@commands.command()
def api(config: Config = DEFAULT_CONFIG) -> None:
    """Run the REST API (http://HOST:PORT/docs)."""
    from oms.app import side

    raise typer.Exit(side.run_api(_settings(config, "api"), config))


@commands.command()
def jobs(config: Config = DEFAULT_CONFIG) -> None:
    """Run the scheduler: end of day, reconciliation."""
    from oms.app import side

    raise typer.Exit(side.run_jobs(_settings(config, "jobs"), config))


@commands.command()
def exchange(
    name: Annotated[str, typer.Argument(help="The venue's name in the configuration.")],
    *,
    config: Config = DEFAULT_CONFIG,
    data_dir: VenueDir = Path("var/exchange"),
    tls: TlsDir = None,
    control_port: Annotated[int, typer.Option(help="Fault switches; 0: a free port.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of its liquidity.")] = 1,
) -> None:
    """Run a simulated venue that speaks FIX 4.4, with price-time matching."""
    from oms.app import side

    settings = _settings(config, f"exchange {name}")
    code = side.run_exchange(
        settings, name, data_dir=data_dir, control_port=control_port, seed=seed, tls=tls
    )
    raise typer.Exit(code)


@commands.command()
def demo(
    orders: Annotated[
        str, typer.Option(help="How many made-up orders, or a file of your own: CSV or a FIX log.")
    ] = "3000",
    seed: Annotated[int, typer.Option(help="Seed of the flow.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything up afterwards.")] = False,
) -> None:
    """The whole product on this machine: trade, kill, recover, reconcile, prove."""
    from oms.demo.run import Options, main

    raise typer.Exit(main(Options(orders=orders, seed=seed, keep=keep)))


@commands.command()
def bench(
    orders: Annotated[int, typer.Option(min=1, help="Orders in each measured round.")] = 5_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
    recover: Annotated[
        int, typer.Option(min=0, help="Time recovery of a journal of so many events instead.")
    ] = 0,
    memory: Annotated[
        int, typer.Option(min=0, help="Show how memory grows over so many orders instead.")
    ] = 0,
    client_sessions: Annotated[
        int, typer.Option(min=2, help="Measure a second server with so many, too, if more than 2.")
    ] = 2,
) -> None:
    """Measure the server beside a bare relay and the database's own limit."""
    from oms.bench import memory as growth
    from oms.bench import recovery
    from oms.bench.run import Options, main

    if recover or memory:
        raise typer.Exit(recovery.main(recover) if recover else growth.main(memory))
    if json_file is not None and not json_file.parent.is_dir():
        raise Stop(Exit.USAGE, f"json = {json_file}: must be in a directory that exists")
    wanted = Options(orders=orders, json_file=json_file, many_sessions=client_sessions)
    raise typer.Exit(main(wanted))


@commands.command()
def password() -> None:
    """Make the Argon2id hash of a FIX password (asked for, not shown)."""
    from fix_sessions.credentials import hash_password

    text = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    typer.echo(hash_password(text))


@commands.command()
def key() -> None:
    """Make an API key: the key, shown once, and the hash for the configuration."""
    from oms.app.keys import new_key

    made, hashed = new_key()
    typer.echo(f"key      {made}\nkey_hash {hashed}")


@commands.command()
def status(as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """What a desk has to know in the morning, on one screen; exit 1 where there is something to
    look at.
    """
    from oms.app import status as screen

    raise typer.Exit(screen.show(_settings(config, "status", quiet=True), as_json=as_json))


Rule = Annotated[str, typer.Argument(help="MAX_ORDER_QTY, MAX_ORDER_NOTIONAL, PRICE_COLLAR, ...")]
Level = Annotated[str, typer.Argument(help="FIRM, SESSION, ACCOUNT or SYMBOL.")]
Subject = Annotated[str, typer.Argument(help="Whose; '*' at level FIRM.")]


@risk.command("show")
def risk_show(config: Config = DEFAULT_CONFIG) -> None:
    """Every limit and every engaged kill switch."""
    from oms.app import operate

    operate.show_risk(_settings(config, "risk", quiet=True))


@risk.command("set", context_settings=HYPHENS)
def risk_set(
    rule: Rule,
    level: Level,
    subject: Subject,
    value: Annotated[str, typer.Argument(help="The limit, or 'none' to remove it.")],
    *,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Set a limit by a journaled command."""
    from oms.app import operate

    settings = _settings(config, "risk", quiet=True)
    operate.set_limit(settings, rule, level, subject, value=value, reason=reason)


@kill.command("engage")
def kill_engage(
    level: Level,
    subject: Subject,
    reason: Reason,
    keep_orders: Annotated[
        bool, typer.Option("--keep-orders", help="Do not cancel open orders.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Refuse new orders in the scope, and cancel what is open there."""
    from oms.app import operate

    operate.engage_kill(
        _settings(config, "kill", quiet=True), level, subject, reason, not keep_orders
    )


@kill.command("release")
def kill_release(
    level: Level, subject: Subject, reason: Reason, config: Config = DEFAULT_CONFIG
) -> None:
    """Take orders in the scope again."""
    from oms.app import operate

    operate.release_kill(_settings(config, "kill", quiet=True), level, subject, reason)


@order.command("resolve", context_settings=HYPHENS)
def order_resolve(
    order_id: Annotated[str, typer.Argument(help="The child order in doubt.")],
    outcome: Annotated[str, typer.Argument(help="CANCELED, REJECTED or NEW (it works).")],
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Sign a decision about an order whose state is UNKNOWN."""
    from oms.app import operate

    operate.resolve_order(_settings(config, "order", quiet=True), order_id, outcome, reason)


@recon.command("run")
def recon_run(
    date: Annotated[str, typer.Option(help="The venues' date, YYYY-MM-DD (UTC).")],
    source: Annotated[
        Path | None, typer.Option(help="One venue's trade file; default: all venues' own.")
    ] = None,
    venue: Annotated[str, typer.Option(help="Only this venue; the one of --source.")] = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Reconcile a day: exit 0 if all runs are complete and without breaks, 1 if there are breaks,
    10 if a statement is missing or cannot be used.

    Beside a trade file `NAME.csv` the file of orders is looked for as `NAME-orders.csv`.
    """
    from oms.app import reports

    settings = _settings(config, "recon", silent=True)
    raise typer.Exit(reports.reconcile(settings, date, source, venue, as_json=as_json))


@recon.command("show", context_settings=HYPHENS)
def recon_show(
    run_id: Annotated[str, typer.Argument(help="A run's id; none: the latest runs.")] = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Runs, or one run's breaks with the evidence of both sides."""
    from oms.app import reports

    reports.show_recon(_settings(config, "recon", quiet=True), run_id, as_json=as_json)


@audit.command("order", context_settings=HYPHENS)
def audit_order(
    order_id: Annotated[str, typer.Argument(help="OrderID, or a client's ClOrdID.")],
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """One order's whole life, in order."""
    from oms.app import reports

    reports.show_order(_settings(config, "audit", quiet=True), order_id, as_json=as_json)


@audit.command("export")
def audit_export(
    date: Annotated[str, typer.Argument(help="The date of the entries, YYYY-MM-DD (UTC).")],
    out: Annotated[Path | None, typer.Option(help="The file; default: standard output.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """A day of the journal as JSON lines that prove themselves."""
    from oms.app import reports

    reports.export(_settings(config, "audit", quiet=True), date, out)


@audit.command("check")
def audit_check(file: Annotated[Path, typer.Argument(help="An export.")]) -> None:
    """Check an export's chain, without a database; exit 1 where it is broken."""
    from oms.app import reports

    reports.check(file)


@audit.command("verify")
def audit_verify(config: Config = DEFAULT_CONFIG) -> None:
    """Recompute the chain and every table from the journal; exit 1 where a row differs."""
    from oms.app import operate

    raise typer.Exit(operate.verify(_settings(config, "audit", quiet=True)))
