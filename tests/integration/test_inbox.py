"""The inbox of commands: in order, none twice, none lost, answered in the journal's transaction."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest

from oms.domain.commands import (
    Channel,
    Command,
    EngageKillSwitch,
    NewOrderSingle,
    OrderCancelRequest,
    OrderMassCancelRequest,
    Origin,
    SetRiskLimit,
)
from oms.domain.events import CommandAnswered
from oms.domain.fix import OrdType, Side
from oms.domain.reasons import Reason
from oms.store.codec import encode
from oms.store.inbox import InboxReader
from oms.store.journal import PostgresJournal
from oms.store.leader import acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.support.book import ACCOUNTS, CLIENT, Book

ORIGIN = Origin(channel=Channel.REST, counterparty=CLIENT, accounts=ACCOUNTS)
TIMEOUT_S = 20.0


def order(number: int) -> NewOrderSingle:
    return NewOrderSingle(
        origin=ORIGIN,
        cl_ord_id=f"REST-{number}",
        account=ACCOUNTS[0],
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(100 + number),
    )


def put(connection: psycopg.Connection, key: str, command: Command) -> int:
    row = connection.execute(
        "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash)"
        " VALUES (%s, %s, %s, %s, '') RETURNING id",
        [CLIENT, key, type(command).__name__, encode(command)],
    ).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def reading(url: str) -> Iterator[InboxReader]:
    reader = InboxReader(role_url(url, APP_ROLE))
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()


def taken(reader: InboxReader, count: int) -> list[int]:
    """Inbox ids of the next `count` commands."""
    found: list[int] = []
    deadline = time.monotonic() + TIMEOUT_S
    while len(found) < count:
        left = deadline - time.monotonic()
        assert left > 0, f"only {found} of {count} came"
        select.select([reader], [], [], left)
        found += [command.origin.inbox_id for command in reader.take()]
    return found


def nothing_comes(reader: InboxReader, database_url: str) -> bool:
    """Whether the reader, having looked again, hands nothing out."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        last = put(connection, f"mark-{time.monotonic_ns()}", order(999))
    return taken(reader, 1) == [last]


def test_commands_come_in_order_with_their_number(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        before = [put(connection, f"a{n}", order(n)) for n in range(3)]
        with reading(database_url) as reader:
            assert taken(reader, 3) == before
            after = [put(connection, f"b{n}", order(n)) for n in range(3)]
            assert taken(reader, 3) == after
            assert nothing_comes(reader, database_url)


def test_what_comes_is_what_was_put(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        put(connection, "a", order(1))
        with reading(database_url) as reader:
            select.select([reader], [], [], TIMEOUT_S)
            (command,) = reader.take()
            assert isinstance(command, NewOrderSingle)
            assert (command.cl_ord_id, command.price) == ("REST-1", Decimal(101))
            assert reader.take() == []


def test_a_lower_number_that_commits_later_is_not_lost(database_url: str) -> None:
    with (
        psycopg.connect(database_url) as slow,
        psycopg.connect(database_url, autocommit=True) as quick,
        reading(database_url) as reader,
    ):
        first = put(slow, "slow", order(1))
        second = put(quick, "quick", order(2))
        assert first < second
        assert taken(reader, 1) == [second]
        slow.commit()
        assert taken(reader, 1) == [first]
        assert nothing_comes(reader, database_url)


def test_many_senders_at_once_lose_nothing_and_double_nothing(database_url: str) -> None:
    put_ids: list[int] = []

    def send(sender: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            put_ids.extend(put(connection, f"{sender}-{n}", order(n)) for n in range(25))

    senders = [threading.Thread(target=send, args=[sender]) for sender in range(4)]
    with reading(database_url) as reader:
        for sender in senders:
            sender.start()
        came = taken(reader, 100)
        for sender in senders:
            sender.join(timeout=TIMEOUT_S)
        assert sorted(came) == sorted(put_ids)
        assert nothing_comes(reader, database_url)


def test_a_lost_connection_is_made_again(database_url: str) -> None:
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        reading(database_url) as reader,
    ):
        first = put(connection, "a", order(1))
        assert taken(reader, 1) == [first]
        for n in range(3):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'plumbline inbox' AND datname = current_database()"
            )
            last = put(connection, f"b{n}", order(2))
            assert taken(reader, 1) == [last]


def test_the_next_core_reads_what_the_last_one_did_not_answer(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        ids = [put(connection, f"a{n}", order(n)) for n in range(2)]
        with reading(database_url) as reader:
            assert taken(reader, 2) == ids
        connection.execute("UPDATE command_inbox SET state = 'done' WHERE id = %s", ids[:1])
        with reading(database_url) as reader:
            assert taken(reader, 1) == ids[1:]


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        ("OrderUpdated", b"{}", "OrderUpdated: no command or event of this name"),
        ("CommandAnswered", None, "CommandAnswered: is no command"),
        ("SetRiskLimit", b'{"origin":{}}', "SetRiskLimit: "),
    ],
)
def test_a_row_that_is_no_command_is_answered_so(
    database_url: str, name: str, body: bytes | None, text: str
) -> None:
    if body is None:
        body = encode(CommandAnswered(accepted=True, reason=Reason.NONE, text=""))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("LISTEN command_answers")
        connection.execute(
            "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash)"
            " VALUES ('', 'x', %s, %s, '')",
            [name, body],
        )
        with reading(database_url) as reader:
            assert nothing_comes(reader, database_url)
        row = connection.execute(
            "SELECT state, accepted, reason, answer_text FROM command_inbox WHERE key = 'x'"
        ).fetchone()
        assert row is not None
        assert row[:3] == ("done", False, "UNSUPPORTED_VALUE")
        assert row[3].startswith(text)


def test_a_reader_that_cannot_go_on_says_so(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE command_inbox")
    with reading(database_url) as reader:
        select.select([reader], [], [], TIMEOUT_S)
        with pytest.raises(psycopg.errors.UndefinedTable):
            reader.take()


def test_stop_ends_the_thread_and_its_descriptors(database_url: str) -> None:
    reader = InboxReader(role_url(database_url, APP_ROLE))
    reader.start()
    descriptor = reader.fileno()
    reader.stop()
    reader.stop()
    assert not reader._thread.is_alive()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.eventfd_read(descriptor)


def test_a_reader_that_never_started_can_be_stopped(database_url: str) -> None:
    InboxReader(database_url).stop()


Answer = tuple[str, bool, str, str, str]


@pytest.fixture
def answered(database_url: str) -> Iterator[Callable[[Command], Answer]]:
    """Put a command into the inbox, let a core take it, return the answer as the API finds it."""
    url = role_url(database_url, APP_ROLE)
    with (
        acquire_leadership(url, shard="main", wait=False, timeout_s=0) as leadership,
        psycopg.connect(url, autocommit=True) as connection,
        reading(database_url) as reader,
    ):
        journal = PostgresJournal(leadership)
        book = Book(leader_epoch=leadership.epoch)
        book.start()
        connection.execute("LISTEN command_answers")

        def answer(command: Command) -> Answer:
            inbox_id = put(connection, str(time.monotonic_ns()), command)
            select.select([reader], [], [], TIMEOUT_S)
            for taken_command in reader.take():
                first_seq = book.seq + 1
                book.take(taken_command)
            journal.append(book.seal())
            told = [note.payload for note in connection.notifies(timeout=TIMEOUT_S, stop_after=1)]
            assert told == [str(inbox_id)]
            row = connection.execute(
                "SELECT state, accepted, reason, order_id, answer_text, first_seq, answered_at"
                " FROM command_inbox WHERE id = %s",
                [inbox_id],
            ).fetchone()
            assert row is not None
            assert row[5] == first_seq
            assert row[6] is not None
            return row[:5]

        yield answer


def test_answers_of_orders(answered: Callable[[Command], Answer]) -> None:
    state, accepted, reason, order_id, text = answered(order(1))
    assert (state, accepted, reason, text) == ("done", True, "", "")
    assert order_id
    assert answered(order(1)) == ("done", True, "", order_id, "")
    other = NewOrderSingle(**_fields(order(1)) | {"order_qty": Decimal(7)})
    assert answered(other)[:4] == ("done", False, "DUPLICATE_CL_ORD_ID", order_id)
    refused = answered(NewOrderSingle(**_fields(order(2)) | {"symbol": "NONE"}))
    assert refused[:3] == ("done", False, "UNKNOWN_INSTRUMENT")
    assert refused[3] not in ("", order_id)
    assert "NONE" in refused[4]
    cancel = OrderCancelRequest(origin=ORIGIN, cl_ord_id="C-1", order_id=order_id)
    assert answered(cancel) == ("done", True, "", order_id, "")
    unknown = OrderCancelRequest(origin=ORIGIN, cl_ord_id="C-2", orig_cl_ord_id="nobody's")
    assert answered(unknown)[:3] == ("done", False, "UNKNOWN_ORDER")


def test_answers_of_controls(answered: Callable[[Command], Answer]) -> None:
    limit = SetRiskLimit(
        origin=ORIGIN, rule="MAX_ORDER_QTY", level="FIRM", subject="*", value=Decimal(5)
    )
    assert answered(limit) == ("done", True, "", "", "")
    nonsense = SetRiskLimit(origin=ORIGIN, rule="WHIM", level="FIRM", subject="*", value=None)
    assert answered(nonsense)[:3] == ("done", False, "UNSUPPORTED_VALUE")
    kill = EngageKillSwitch(origin=ORIGIN, level="FIRM", subject="*", reason="drill")
    assert answered(kill) == ("done", True, "", "", "")
    cancel = OrderMassCancelRequest(origin=ORIGIN, cl_ord_id="M-1")
    assert answered(cancel) == ("done", True, "", "", "0 orders are being cancelled")


def _fields(command: NewOrderSingle) -> dict[str, object]:
    return {name: getattr(command, name) for name in NewOrderSingle.__dataclass_fields__}
