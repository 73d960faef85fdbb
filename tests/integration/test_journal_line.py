"""The line to a real PostgreSQL that answers late, takes a batch by halves, or goes away."""

import os
import select
import signal
from collections.abc import Iterator

import psycopg
import pytest

from oms.domain.commands import UnreadableMessage
from oms.runtime.journal_line import Committed, JournalLine
from oms.store.journal import PostgresJournal, tip
from oms.store.leader import IDLE_TIMEOUT_S, LeadershipLost, acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.book import CLIENT, Book
from tests.support.processes import eventually

# Far more than a socket's buffer takes.
LARGE = "x" * (8 << 20)


class Bench:
    """A line whose server process a test may stop and go on with."""

    def __init__(self, url: str, idle_s: float) -> None:
        app_url = role_url(url, APP_ROLE)
        self.url = url
        self.leadership = acquire_leadership(
            app_url, shard="main", wait=True, timeout_s=10, idle_timeout_s=idle_s
        )
        self.backend = self.leadership.connection.info.backend_pid
        self.line = JournalLine(PostgresJournal(self.leadership))
        self.book = Book(leader_epoch=self.leadership.epoch)
        self.book.start()
        self._is_kept = False

    def keep(self) -> None:
        """Start the second thread."""
        self.line.start()
        self._is_kept = True

    def refusal(self, text: str) -> None:
        """One more command in the batch."""
        origin = self.book.origin(CLIENT, text)
        self.book.take(
            UnreadableMessage(
                origin=origin, ref_msg_type="ZZ", business=True, reason_code="3", ref_tag=0, text=""
            )
        )

    def signal(self, signum: int) -> None:
        os.kill(self.backend, signum)

    def wait(self) -> Committed:
        """As the core waits: for the descriptor, or a while."""
        found: list[Committed | None] = []

        def look() -> bool:
            select.select([self.line.fileno()], [], [], 0.05)
            found[:] = [self.line.finished()]
            return found != [None]

        eventually(look, "the commit")
        assert found[0] is not None
        return found[0]

    def check(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert tip(connection) == (self.book.seq, self.book.last_hash)

    def close(self) -> None:
        if self._is_kept:
            self.line.stop(5.0)
        self.leadership.release()


@pytest.fixture
def idle_s() -> float:
    """What a stopped server process may take."""
    return 60.0


@pytest.fixture
def bench(database_url: str, idle_s: float) -> Iterator[Bench]:
    found = Bench(database_url, idle_s)
    try:
        yield found
    finally:
        found.close()


def test_a_large_batch_goes_as_the_server_takes_it_and_nobody_waits(bench: Bench) -> None:
    bench.line.commit(bench.book.seal())
    bench.wait()
    for _ in range(2):  # the first one has its statement prepared before
        bench.refusal(LARGE)
        bench.signal(signal.SIGSTOP)
        try:
            bench.line.commit(bench.book.seal())
            assert [bench.line.finished() for _ in range(50)] == [None] * 50
        finally:
            bench.signal(signal.SIGCONT)
        assert bench.wait().batch.last_seq == bench.book.seq
        bench.check()


@pytest.mark.parametrize("text", ["", LARGE], ids=["small", "large"])
def test_a_session_that_ends_between_send_and_answer_is_lost(bench: Bench, text: str) -> None:
    bench.refusal(text)
    bench.signal(signal.SIGSTOP)
    try:
        bench.line.commit(bench.book.seal())
        bench.signal(signal.SIGTERM)
    finally:
        bench.signal(signal.SIGCONT)
    with pytest.raises((LeadershipLost, psycopg.Error)):
        bench.wait()
    with pytest.raises((LeadershipLost, psycopg.Error)):
        bench.line.finished()
    with psycopg.connect(bench.url, autocommit=True) as connection:
        assert tip(connection) in ((0, bytes(32)), (bench.book.seq, bench.book.last_hash))


def test_a_batch_that_comes_while_the_second_thread_beats_is_sent_after_that(bench: Bench) -> None:
    bench.signal(signal.SIGSTOP)
    try:
        bench.keep()
        eventually(bench.line._lock.locked, "the second thread to beat")
        bench.line.commit(bench.book.seal())
        assert bench.line.finished() is None
    finally:
        bench.signal(signal.SIGCONT)
    bench.wait()
    bench.check()
    bench.refusal("")
    bench.line.commit(bench.book.seal())
    bench.wait()
    bench.check()


@pytest.mark.parametrize("idle_s", [IDLE_TIMEOUT_S])
def test_the_second_thread_finishes_a_batch_that_nobody_looks_after(bench: Bench) -> None:
    """To the server a batch that comes by halves is silence."""
    bench.keep()
    bench.refusal(LARGE)
    batch = bench.book.seal()
    bench.line.commit(batch)
    eventually(lambda: bench.line._done or bench.line._failure, "the second thread to have it")
    found = bench.line.finished()
    assert found is not None
    assert found.batch is batch
    assert bench.line.finished() is None
    bench.check()


def test_a_failed_statement_is_told_and_writes_nothing(bench: Bench) -> None:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE sessions ADD CHECK (name <> 'XTWO')")
        bench.line.commit(bench.book.seal())
        with pytest.raises(psycopg.errors.CheckViolation):
            bench.wait()
        with pytest.raises(psycopg.errors.CheckViolation):
            bench.line.finished()
        assert tip(connection) == (0, bytes(32))
