"""A PostgreSQL cluster on disk: made, configured for the journal, furnished with our roles."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from oms.store.postgres_account import Account, EmbeddedPostgresError, give, popen_options
from oms.store.postgres_binaries import Binaries
from oms.store.postgres_process import die_with_parent
from oms.store.postgres_urls import (
    APP_ROLE,
    DATABASE,
    OWNER_ROLE,
    READ_ROLE,
    SUPERUSER,
    database_url,
)

# Ours, written anew at every start; an operator's own settings go into postgresql.conf below the
# include, or through ALTER SYSTEM, and win.
_SETTINGS_FILE = "plumbline.conf"
_SETTINGS = """\
# Written at every start. Put settings of your own into postgresql.conf, below the last include.
max_connections = 100
shared_buffers = 256MB
# The journal acknowledges nothing that is not on the disk.
fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = on
wal_level = replica
min_wal_size = 1GB
max_wal_size = 2GB
checkpoint_timeout = 15min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
log_lock_waits = on
"""
# PostgreSQL notices a client that died in the middle of a statement only where the kernel tells it.
_LINUX_SETTINGS = "client_connection_check_interval = 1s\n"

_HBA = "# Written at every start.\nlocal all all peer map=plumbline\n"


def cluster_dir(data_dir: Path, major: int) -> Path:
    """Where the cluster of that major version is."""
    return data_dir / f"pg{major}"


def existing_cluster(data_dir: Path) -> int | None:
    """The major version of the newest cluster in `data_dir`, or None if there is none yet."""
    majors = [
        int(path.name[2:])
        for path in data_dir.glob("pg*")
        if path.name[2:].isdecimal() and (path / "PG_VERSION").exists()
    ]
    return max(majors, default=None)


def create_cluster(cluster: Path, binaries: Binaries, account: Account | None) -> None:
    """Make the cluster. It gets its name when complete; killed earlier, it is made anew."""
    unfinished = cluster.with_name(cluster.name + ".new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    give(unfinished, account)
    command = [
        str(binaries.bin_dir / "initdb"),
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        "--auth-local=peer",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        "--no-instructions",
    ]
    done = subprocess.run(
        command,
        cwd="/",
        env=server_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=die_with_parent(signal.SIGKILL),
        **popen_options(account),
    )
    if done.returncode != 0:
        msg = f"initdb of {cluster} failed:\n{done.stdout}{done.stderr}"
        raise EmbeddedPostgresError(msg)
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write(f"\ninclude = '{_SETTINGS_FILE}'\n# Your own settings:\n")
    unfinished.rename(cluster)
    _sync_directory(cluster.parent)


def configure_cluster(cluster: Path, account: Account | None) -> None:
    """Write the settings, and who may connect: we, as any of our roles, over the unix socket."""
    linux = _LINUX_SETTINGS if sys.platform == "linux" else ""
    write_as(cluster / _SETTINGS_FILE, _SETTINGS + linux, account)
    write_as(cluster / "pg_hba.conf", _HBA, account)
    users = dict.fromkeys([_own_name(), account.name if account else _own_name()])
    lines = [
        f'plumbline "{user}" {role}\n'
        for user in users
        for role in (SUPERUSER, OWNER_ROLE, APP_ROLE, READ_ROLE)
    ]
    write_as(cluster / "pg_ident.conf", "# Written at every start.\n" + "".join(lines), account)


def furnish_cluster(superuser_url: str) -> None:
    """Create our roles and our database where they are missing."""
    with psycopg.connect(database_url(superuser_url, SUPERUSER), autocommit=True) as connection:
        present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER_ROLE, APP_ROLE, READ_ROLE):
            if role not in present:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if READ_ROLE not in present:
            connection.execute(f"ALTER ROLE {READ_ROLE} SET default_transaction_read_only = on")
        if OWNER_ROLE not in present:
            connection.execute(f"GRANT {APP_ROLE}, {READ_ROLE} TO {OWNER_ROLE}")
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")
    open_database(database_url(superuser_url, DATABASE))


def open_database(superuser_url: str) -> None:
    """Give the schema to the owner's role, and let the other two look up names in it."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            f"""
            ALTER SCHEMA public OWNER TO {OWNER_ROLE};
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {READ_ROLE}
            """
        )


def write_as(path: Path, text: str, account: Account | None) -> None:
    """Replace `path` in one step by a private file of `account`, following no link."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(text)
    temporary.rename(path)


def server_environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: nothing of ours may change what they do or say."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        msg = f"user id {os.geteuid()} has no account here: PostgreSQL cannot run as it"
        raise EmbeddedPostgresError(msg) from None


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
