"""The journal in PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from oms.domain.commands import SYSTEM, Channel, MessagesSent, Origin, SentMessage
from oms.domain.session_commands import ApproveReportsDiscard, RequestReportsDiscard
from oms.domain.state import State
from oms.runtime.recovery import Recovered, recover
from oms.store.journal import PostgresJournal, read, tip
from oms.store.leader import Leadership, LeadershipLost, acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.contract.journal_contract import JournalContract, OpenJournal, _sent
from tests.support.book import Book, flow
from tests.support.world import REFERENCE

Acquire = Callable[[], Leadership]


@pytest.fixture
def acquire(database_url: str) -> Iterator[Acquire]:
    """Become the leader; whoever led before loses the lock, as when its session ends."""
    held: list[Leadership] = []

    def acquire_next() -> Leadership:
        if held:
            with psycopg.connect(database_url, autocommit=True) as connection:
                pid = held[-1].connection.info.backend_pid
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        url = role_url(database_url, APP_ROLE)
        leadership = acquire_leadership(url, shard="main", wait=True, timeout_s=10)
        held.append(leadership)
        return leadership

    yield acquire_next
    for one in held:
        one.release()


class TestPostgresJournal(JournalContract):
    @pytest.fixture
    def open_journal(self, acquire: Acquire) -> OpenJournal:
        def open_next() -> tuple[PostgresJournal, int]:
            leadership = acquire()
            return PostgresJournal(leadership), leadership.epoch

        return open_next


def test_what_waits_for_a_client_that_is_not_configured(acquire: Acquire) -> None:
    """It is told from its first event on that has not left, once to each core that starts."""
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)

    def note(**more: tuple[SentMessage, ...]) -> dict[str, int]:
        book.take(MessagesSent(**{"origin": SYSTEM, "messages": (), **more}))  # type: ignore[arg-type]
        journal.append(book.seal())
        return journal.kept()

    book.start()
    assert note(kept=(_waits(7), _waits(9))) == {"GONE": 7}
    assert note(messages=(_sent("ALPHA", 1, 12),), kept=(_waits(7), _waits(9))) == {"GONE": 7}
    assert note(kept=(_waits(15),)) == {"GONE": 7}
    session = book.state.session("GONE")
    assert (session.undelivered, session.undelivered_to, session.waiting) == (3, 15, 0)
    # What a reset repeats is older; the others leave in order.
    assert note(messages=(_sent("GONE", 1, 3),)) == {"GONE": 7}
    assert note(messages=(_sent("GONE", 2, 7),)) == {"GONE": 8}
    assert session.undelivered == 2
    assert note(messages=(_sent("GONE", 3, 9), _sent("GONE", 4, 15))) == {}
    assert (session.undelivered, session.undelivered_since) == (0, 0)
    assert note(kept=(_waits(20),)) == {"GONE": 20}
    assert journal.delivered([]) == 15


def test_what_was_discarded_is_looked_for_by_no_recovery(acquire: Acquire) -> None:
    """Not from the first of it on, and not if the decision was all that became durable."""
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    book.take(MessagesSent(origin=SYSTEM, messages=(), kept=(_waits(2), _waits(3))))
    book.take(MessagesSent(origin=SYSTEM, messages=(_sent("ALPHA", 1, 4),)))
    journal.append(book.seal())
    assert _recovered(journal).sent_from == 2
    book.take(RequestReportsDiscard(origin=_operator("anne"), session="GONE", reason="closed"))
    request = book.state.session("GONE").discard_request
    book.take(
        ApproveReportsDiscard(
            origin=_operator("bert"), session="GONE", request=request, reason="told by mail"
        )
    )
    journal.append(book.seal())
    assert journal.kept() == {}
    assert _recovered(journal).sent_from == 5
    # Noted again by a core that began before it knew.
    book.take(MessagesSent(origin=SYSTEM, messages=(), kept=(_waits(3),)))
    journal.append(book.seal())
    assert journal.kept() == {}


def _recovered(journal: PostgresJournal) -> Recovered:
    return recover(State(reference=REFERENCE), journal)


def _operator(user: str) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{user}", user=user)


def _waits(event_seq: int) -> SentMessage:
    return replace(_sent("GONE", 0, event_seq), text="")


def test_an_epoch_that_is_over_writes_nothing_though_the_session_lives(
    acquire: Acquire, database_url: str
) -> None:
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE leadership SET epoch = epoch + 1")
        with pytest.raises(LeadershipLost, match="epoch 1 "):
            journal.append(book.seal())
        assert tip(connection) == (0, bytes(32))
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_a_batch_is_all_or_nothing(acquire: Acquire, database_url: str) -> None:
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    batch = book.seal()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE sessions ADD CHECK (name <> 'XTWO')")
        with pytest.raises(psycopg.errors.CheckViolation):
            journal.append(batch)
        assert tip(connection) == (0, bytes(32))
        connection.execute("ALTER TABLE sessions DROP CONSTRAINT sessions_name_check")
        journal.append(batch)
        assert tip(connection) == (batch.last_seq, batch.last_hash)


def test_entries_can_be_read_while_they_are_appended(acquire: Acquire, database_url: str) -> None:
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    seen: list[int] = []
    stop = threading.Event()

    def follow() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.is_set() or tip(connection)[0] > len(seen):
                seen.extend(entry.seq for entry in read(connection, len(seen) + 1))

    reader = threading.Thread(target=follow)
    reader.start()
    for _ in flow(book, 100, seed=1):
        journal.append(book.seal())
    stop.set()
    reader.join(timeout=60)
    assert seen == list(range(1, book.seq + 1))


def test_more_statements_than_are_kept_prepared(
    acquire: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oms.store.journal._PREPARED_MAX", 2)
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    for _ in flow(book, 40, seed=2):
        journal.append(book.seal())
    query = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'append%'"
    assert leadership.connection.execute(query).fetchone() == (2,)
    assert journal.tip() == (book.seq, book.last_hash)


def test_sql_sees_payloads_as_json_and_can_recompute_the_chain(
    acquire: Acquire, database_url: str
) -> None:
    leadership = acquire()
    journal = PostgresJournal(leadership)
    book = Book(leader_epoch=leadership.epoch)
    book.start()
    journal.append(book.seal())
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT payload ->> 'trade_date' FROM journal_json WHERE type = 'TradingDateOpened'"
        ).fetchall()
        assert found == [("2026-11-20",)]
        broken = connection.execute(
            """
            SELECT count(*) FILTER (WHERE hash <> sha256(
                       coalesce(previous, decode(repeat('00', 32), 'hex'))
                       || convert_to(format('%s|%s|%s|%s|', seq,
                              (extract(epoch FROM at) * 1000000)::bigint, kind, type), 'UTF8')
                       || payload)),
                   count(*)
            FROM (SELECT *, lag(hash) OVER (ORDER BY seq) AS previous FROM journal) AS chained
            """
        ).fetchone()
    assert broken == (0, book.seq)
