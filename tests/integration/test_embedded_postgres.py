"""A real server of our own: its settings, its owner, and what happens when either is killed."""

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from oms.store.durability import NotDurable, require_durable
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_account import EmbeddedPostgresError, account_for, popen_options
from oms.store.postgres_process import is_alive, process_facts
from oms.store.postgres_urls import (
    APP_ROLE,
    OWNER_ROLE,
    READ_ROLE,
    SUPERUSER,
    database_url,
    role_url,
)
from tests.support.postgres import scratch_directory
from tests.support.processes import eventually, running

OWNER = "tests.support.postgres_owner"
ROLES_SQL = Path(__file__).resolve().parents[2] / "docker" / "roles.sql"


FAILED = "all server processes terminated; reinitializing"


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data directory with a cluster in it, which the tests of this module take over in turn."""
    with scratch_directory() as directory:
        path = directory / "data"
        with EmbeddedPostgres(path):
            pass
        yield path


def test_settings_and_roles_are_as_promised(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        promised = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "lc_messages": "C",
            "TimeZone": "UTC",
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "client_connection_check_interval": "1s",
        }
        with psycopg.connect(server.url) as connection:
            found = {name: _value(connection, f"SHOW {name}") for name in promised}
            assert _value(connection, "SELECT current_user") == OWNER_ROLE
            assert _value(connection, "SHOW is_superuser") == "off"
        assert found == promised
        for role in (APP_ROLE, READ_ROLE):
            with psycopg.connect(role_url(server.url, role)) as connection:
                assert _value(connection, "SELECT current_user") == role
                with pytest.raises(psycopg.errors.Error, match=r"denied|read-only"):
                    connection.execute("CREATE TABLE mine (number int)")


def test_a_server_without_fsync_is_told_by_its_setting(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        with psycopg.connect(server.url) as connection:
            require_durable(connection)
        superuser = role_url(server.url, SUPERUSER)
        with psycopg.connect(superuser, autocommit=True) as connection:
            try:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
                eventually(lambda: _value(connection, "SHOW fsync") == "off", "the setting is read")
                with pytest.raises(NotDurable, match="fsync = off: must be on"):
                    require_durable(connection)
            finally:
                connection.execute("ALTER SYSTEM RESET fsync")


def test_nobody_else_can_reach_the_socket_or_the_data(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        socket_dir = _socket_dir(server)
        assert len(str(socket_dir / ".s.PGSQL.5432")) < 100
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        cluster = _cluster(data_dir)
        assert stat.S_IMODE(cluster.stat().st_mode) == 0o700
        assert cluster.stat().st_uid == socket_dir.stat().st_uid != 0
    assert not socket_dir.exists()


def test_the_url_and_the_data_are_the_same_after_a_restart(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    with EmbeddedPostgres(data_dir) as server:
        assert server.url == url
        with psycopg.connect(url) as connection:
            assert _value(connection, "SELECT number FROM kept") == 42
            connection.execute("DROP TABLE kept")


def test_a_second_starter_gets_the_same_server_and_cannot_end_it(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as first:
        with EmbeddedPostgres(data_dir) as second:
            assert (second.url, second.pid) == (first.url, first.pid)
            assert first.owned
            assert not second.owned
        _assert_answers(first.url)
        assert first.start() == first.url
        assert first.owned


def test_of_many_first_starters_one_owns_the_server() -> None:
    with scratch_directory() as directory:
        arguments = (OWNER, str(directory / "data"), "0")
        with running(*arguments) as one, running(*arguments) as two, running(*arguments) as three:
            children = [one, two, three]
            urls = {child.expect("url ") for child in children}
            owners = [child for child in children if child.lines[0].startswith("owned")]
            assert len({child.lines[0].split()[1] for child in children}) == 1
            assert len(owners) == 1
            assert len(urls) == 1
            _assert_answers(urls.pop())
            for child in sorted(children, key=lambda child: child in owners):
                child.close_input()
                assert child.process.wait(30) == 0


def test_the_server_ends_with_its_owner_and_loses_nothing(data_dir: Path) -> None:
    acknowledged = 0
    for _ in range(3):
        with running(OWNER, str(data_dir), "1000000") as owner:
            postmaster = int(owner.expect("owned "))
            owner.expect(f"wrote {acknowledged + 20}")
            owner.kill()
            # Not waiting for the old server's end: the next starter has to see to that.
            with EmbeddedPostgres(data_dir) as server:
                assert server.owned
                assert process_facts(postmaster) is None
                owner.read_to_end()
                last = max(int(line.split()[1]) for line in owner.lines if line[:5] == "wrote")
                with psycopg.connect(server.url) as connection:
                    acknowledged = int(str(_value(connection, "SELECT max(number) FROM written")))
                    assert acknowledged == _value(connection, "SELECT count(*) FROM written")
                assert last <= acknowledged <= last + 1


def test_the_server_ends_when_nobody_comes_back(data_dir: Path) -> None:
    with running(OWNER, str(data_dir), "0") as owner:
        postmaster = int(owner.expect("owned "))
        owner.expect("holding")
        owner.kill()
        eventually(lambda: process_facts(postmaster) is None, "the server has ended")


def test_an_owner_that_leaves_in_order_stops_the_server(data_dir: Path) -> None:
    with running(OWNER, str(data_dir), "0") as owner:
        postmaster = int(owner.expect("owned "))
        owner.expect("holding")
        owner.close_input()
        assert owner.process.wait(30) == 0
        assert process_facts(postmaster) is None


def test_a_killed_server_is_recovered_by_its_owner(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE survived AS SELECT 7 AS number")
        killed, url = server.pid, server.url
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: process_facts(killed) is None, "the server is dead")
        assert server.start() == url
        assert server.owned
        assert server.pid != killed
        with psycopg.connect(url) as connection:
            assert _value(connection, "SELECT number FROM survived") == 7
            connection.execute("DROP TABLE survived")


def test_a_server_that_failed_while_it_recovered_is_ended_and_started_anew(data_dir: Path) -> None:
    """As seen on a full disk: its postmaster lives, and never gets ready again."""
    with EmbeddedPostgres(data_dir) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        first = server.pid
        assert not server.has_died
        [cluster] = data_dir.glob("pg*")
        pid_file = cluster / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace("ready   ", "starting"))
        with (data_dir / "postgresql.log").open("a") as log:
            log.write(f"LOG:  {FAILED}\n")
            log.flush()
            assert not server.has_died, "it recovers"
            log.write(f"LOG:  {FAILED}\n")
        assert server.has_died
        server.start()
        assert server.pid != first
        assert not is_alive(first)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_start_that_fails_inside_is_not_waited_for(data_dir: Path) -> None:
    """As on a full disk, the checkpoint at the end of recovery cannot write its file. PostgreSQL 18
    recovers once more then, and waits for ever.
    """
    with EmbeddedPostgres(data_dir) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept_too AS SELECT 1 AS one")
        first = server.pid
        os.kill(first, signal.SIGKILL)
        eventually(lambda: server.has_died, "the postmaster to end")
        [cluster] = data_dir.glob("pg*")
        in_the_way = cluster / "pg_logical" / "replorigin_checkpoint.tmp"
        in_the_way.mkdir()
        with pytest.raises(EmbeddedPostgresError, match=f"(?s)did not start in .*{FAILED}"):
            server.start()
        assert server.has_died
        in_the_way.rmdir()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT one FROM kept_too").fetchone() == (1,)


def test_a_pid_file_whose_number_another_process_has_is_no_hindrance(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        content = (_cluster(data_dir) / "postmaster.pid").read_text()
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: process_facts(server.pid) is None, "the server is dead")
    # A process of the same account, or PostgreSQL itself would see that it cannot be a postmaster.
    account = account_for(_cluster(data_dir))
    command = ["/bin/sleep", "300"]
    with subprocess.Popen(command, cwd="/", **popen_options(account)) as stranger:
        try:
            rest = content.partition("\n")[2]
            (_cluster(data_dir) / "postmaster.pid").write_text(f"{stranger.pid}\n{rest}")
            with EmbeddedPostgres(data_dir) as server:
                assert server.owned
                _assert_answers(server.url)
            assert is_alive(stranger.pid)
        finally:
            stranger.kill()


def test_a_start_that_fails_says_what_the_server_said(data_dir: Path) -> None:
    own_settings = _cluster(data_dir) / "postgresql.conf"
    before = own_settings.read_text()
    own_settings.write_text(before + "\nshared_buffers = 'plenty'\n")
    try:
        with pytest.raises(
            EmbeddedPostgresError, match=r'invalid value .*"shared_buffers".*plenty'
        ):
            EmbeddedPostgres(data_dir).start()
    finally:
        own_settings.write_text(before)


def test_a_start_is_bounded_in_time(data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="not ready in time"):
        EmbeddedPostgres(data_dir, start_timeout_s=0).start()
    with EmbeddedPostgres(data_dir) as server:
        _assert_answers(server.url)


def test_an_unfinished_initdb_is_begun_anew() -> None:
    with scratch_directory() as directory:
        unfinished = directory / "data" / f"pg{_major()}.new"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("half")
        with EmbeddedPostgres(directory / "data") as server:
            _assert_answers(server.url)
        assert not unfinished.exists()


def test_a_cluster_of_another_version_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pg13").mkdir()
    (tmp_path / "pg13" / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedPostgresError, match="no usable PostgreSQL 13, which the data dir"):
        EmbeddedPostgres(tmp_path).start()
    assert sorted(path.name for path in tmp_path.glob("pg*")) == ["pg13"]


def test_a_directory_without_programs_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=f"{tmp_path} has no postgres"):
        EmbeddedPostgres(tmp_path / "data", bin_dir=tmp_path).start()


def test_a_passing_thread_may_not_start_it(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedPostgres(tmp_path).start()
        except EmbeddedPostgresError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(30)
    assert "main thread" in str(errors)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_a_directory_that_is_closed_to_the_servers_account_stays_closed_to_all_others() -> None:
    with scratch_directory() as directory:
        closed = directory / "closed"
        closed.mkdir(mode=0o700)
        with EmbeddedPostgres(closed / "data") as server:
            _assert_answers(server.url)
            assert closed.stat().st_mode & 0o007 == 0
            assert closed.stat().st_uid == 0
            account = account_for(_cluster(closed / "data"))
            listing = subprocess.run(
                ["/bin/ls", str(closed)],
                cwd="/",
                capture_output=True,
                check=False,
                **popen_options(account),
            )
            assert b"Permission denied" in listing.stderr


def test_a_server_of_ones_own_is_furnished_alike(data_dir: Path) -> None:
    from oms.store.postgres_binaries import find_binaries

    account = account_for(_cluster(data_dir))
    binaries = find_binaries(bin_dir=None, account=account, cluster_major=None)
    with EmbeddedPostgres(data_dir) as server:
        ours = _furniture(server)
        admin_url = database_url(role_url(server.url, SUPERUSER), SUPERUSER)
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE plumbline")
            connection.execute(f"DROP ROLE {OWNER_ROLE}, {APP_ROLE}, {READ_ROLE}")
        for _ in range(2):
            command = [str(binaries.bin_dir / "psql"), "--quiet", f"--file={ROLES_SQL}", admin_url]
            subprocess.run(command, check=True, timeout=60)
        assert _furniture(server) == ours


def _furniture(server: EmbeddedPostgres) -> list[object]:
    superuser_url = role_url(server.url, SUPERUSER)
    queries = (
        """
        SELECT rolname, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolinherit, rolconfig
        FROM pg_roles WHERE rolname ^@ 'plumbline' ORDER BY 1
        """,
        """
        SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members
        WHERE member::regrole::text ^@ 'plumbline' ORDER BY 1, 2
        """,
        """
        SELECT datdba::regrole::text, pg_encoding_to_char(encoding), datcollate, datacl::text
        FROM pg_database WHERE datname = 'plumbline'
        """,
        "SELECT nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = 'public'",
    )
    with psycopg.connect(superuser_url) as connection:
        found = [connection.execute(query).fetchall() for query in queries]
    assert all(found)
    return list(found)


def _assert_answers(url: str) -> None:
    with psycopg.connect(url) as connection:
        assert _value(connection, "SELECT 1 + 1") == 2


def _value(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _cluster(data_dir: Path) -> Path:
    return next(path for path in data_dir.glob("pg*") if path.name[2:].isdecimal())


def _socket_dir(server: EmbeddedPostgres) -> Path:
    return Path(server.url.partition("host=")[2].partition("&")[0])


def _major() -> int:
    return psycopg.pq.version() // 10000
