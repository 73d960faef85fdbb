"""PostgreSQL fails under load: the core stops, is started again, and nothing is lost or doubled."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.migrate import upgrade
from oms.store.postgres_urls import SUPERUSER, role_url
from tests.integration.exchange_process import VenueProcess
from tests.support.desk import CLIENTS, Desk, desk_with_exchange
from tests.support.ledger import Ledger, order, settle
from tests.support.postgres import scratch_directory

FAULT = 8
ORDERS = 30


class Trading:
    """A desk under load, whose database fails in the middle."""

    def __init__(self, desk: Desk, exchange: VenueProcess, seed: int) -> None:
        self.desk = desk
        self.exchange = exchange
        self.ledgers = [Ledger(name) for name in CLIENTS]
        self._random = random.Random(seed)

    def send(self, count: int) -> None:
        """So many orders over both sessions, whether anybody is there to take them or not."""
        for _ in range(count):
            ledger = self._random.choice(self.ledgers)
            name = f"{ledger.name}-{len(ledger.sent)}"
            ledger.sent.append(name)
            price = self._random.choice(["99.90", "100", "100.10"])
            fields = order(ledger.name, name, "20", price, "0")
            self.desk._clients[ledger.name].send("D", fields)
            self.desk.hub.pump(0.0)

    def start(self) -> None:
        self.desk.start_core()
        for name in CLIENTS:
            self.desk.client(name)

    def ended(self) -> int:
        """The exit code of the core, which nobody has asked to end."""
        core = self.desk.core
        assert core is not None
        self.desk.until(lambda: core.poll() is not None, "the core to notice")
        return core.returncode

    def settle(self) -> None:
        settle(self.desk, self.exchange, self.ledgers)


@contextmanager
def trading(directory: Path, url: str, seed: int) -> Iterator[Trading]:
    with desk_with_exchange(directory, url) as (desk, exchange):
        found = Trading(desk, exchange, seed)
        found.start()
        yield found


@pytest.mark.timeout(180)
def test_the_server_killed_under_load(tmp_path: Path) -> None:
    with scratch_directory() as directory:
        server = EmbeddedPostgres(directory / "data")
        upgrade(server.start())
        try:
            with trading(tmp_path, server.url, 1) as found:
                for _ in range(2):
                    found.send(ORDERS)
                    os.kill(server.pid, signal.SIGKILL)
                    found.send(ORDERS)
                    assert found.ended() == FAULT, found.desk.log()
                    server.start()
                    found.start()
                    found.settle()
        finally:
            server.stop()


@pytest.mark.timeout(180)
def test_the_journals_connection_ended_under_load(tmp_path: Path, database_url: str) -> None:
    with trading(tmp_path, database_url, 2) as found:
        for _ in range(3):
            found.send(ORDERS)
            end_backend(database_url, "plumbline leader%")
            found.send(ORDERS)
            assert found.ended() == FAULT, found.desk.log()
            assert "the lead with epoch" in found.desk.log()
            found.start()
            found.settle()


@pytest.mark.timeout(180)
def test_the_inboxs_connection_ended_is_made_again(tmp_path: Path, database_url: str) -> None:
    with trading(tmp_path, database_url, 3) as found:
        found.send(ORDERS)
        end_backend(database_url, "plumbline inbox")
        found.send(ORDERS)
        found.settle()
        assert found.desk.core is not None
        assert found.desk.core.poll() is None
        assert found.desk.stop_core() == 0


@pytest.mark.timeout(180)
def test_a_statement_that_fails_writes_nothing_and_ends_the_core(
    tmp_path: Path, database_url: str
) -> None:
    with trading(tmp_path, database_url, 4) as found:
        found.send(ORDERS)
        with psycopg.connect(role_url(database_url, SUPERUSER), autocommit=True) as owner:
            owner.execute("ALTER TABLE executions ADD CONSTRAINT spoilt CHECK (false) NOT VALID")
            owner.execute("ALTER TABLE orders ADD CONSTRAINT spoilt CHECK (false) NOT VALID")
            found.send(ORDERS)
            assert found.ended() == FAULT, found.desk.log()
            owner.execute("ALTER TABLE executions DROP CONSTRAINT spoilt")
            owner.execute("ALTER TABLE orders DROP CONSTRAINT spoilt")
        found.start()
        found.settle()


@pytest.mark.timeout(180)
def test_a_journal_that_waits_holds_reports_back_and_sessions_stay_up(
    tmp_path: Path, database_url: str
) -> None:
    with trading(tmp_path, database_url, 5) as found:
        found.send(ORDERS)
        found.settle()
        client = found.desk._clients["ALPHA"]
        with psycopg.connect(database_url) as owner:
            owner.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
            seen = len(client.messages)
            found.send(ORDERS)
            client.send("1", [(112, "still there")])
            client.wait_for(lambda m: m.get(112) == "still there")
            told = [one for one in client.messages[seen:] if one.msg_type == "8"]
            assert not told, "reported before it was durable"
        found.settle()


@pytest.mark.timeout(180)
def test_a_stop_that_cannot_commit_is_not_called_orderly(tmp_path: Path, database_url: str) -> None:
    with trading(tmp_path, database_url, 6) as found:
        with psycopg.connect(database_url) as owner:
            owner.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
            found.send(ORDERS)
            assert found.desk.stop_core() == FAULT
        assert "the journal did not take the last batch in time" in found.desk.log()
        found.start()
        found.settle()


def end_backend(url: str, application: str) -> None:
    with psycopg.connect(role_url(url, SUPERUSER), autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE %s AND datname = current_database()",
            [application],
        ).fetchall()
    assert ended == [(True,)]
