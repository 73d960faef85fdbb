"""`oms db`: the database's schema, and a way in for people."""

from pathlib import Path
from typing import Annotated

import typer

from oms.cli_options import DEFAULT_CONFIG, HYPHENS, Config, Reason, settings_of

# Without the short form, which is psql's for a query.
PsqlConfig = Annotated[
    Path, typer.Option("--config", help="The TOML configuration; OMS_* variables win.")
]
db = typer.Typer(help="The database: its schema, and a way in to read.", no_args_is_help=True)


@db.command("upgrade")
def db_upgrade(config: Config = DEFAULT_CONFIG) -> None:
    """Bring the schema up to date."""
    from oms.app import database

    with database.database(settings_of(config, "db", quiet=True).database) as urls:
        database.migrate(urls)
        typer.echo(database.current_version(urls))


@db.command("current")
def db_current(config: Config = DEFAULT_CONFIG) -> None:
    """Print the schema's version."""
    from oms.app import database

    with database.database(settings_of(config, "db", quiet=True).database) as urls:
        typer.echo(database.current_version(urls))


@db.command("check")
def db_check(config: Config = DEFAULT_CONFIG) -> None:
    """Exit 0 when the schema is the one that this program wants, else 6."""
    from oms.app import database

    with database.database(settings_of(config, "db", quiet=True).database) as urls:
        database.require_schema(urls)
        typer.echo(f"{database.current_version(urls)} is current")


@db.command("restored")
def db_restored(reason: Reason, config: Config = DEFAULT_CONFIG) -> None:
    """Declare that the database has lost entries: a backup was restored, or a replica took over
    that had not got all. The next core goes on behind all numbers that may be in use.
    """
    from oms.app import lost_entries

    lost_entries.declare_restored(settings_of(config, "db", quiet=True), reason=reason)


@db.command("psql", context_settings=HYPHENS)
def db_psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="psql's own, like -f FILE, --csv or -c 'SELECT ...'.")
    ] = None,
    config: PsqlConfig = DEFAULT_CONFIG,
) -> None:
    """Run psql as the role that may read all and change nothing; exits as psql does."""
    from oms.app import psql

    raise typer.Exit(psql.run(settings_of(config, "db", quiet=True), arguments or []))
