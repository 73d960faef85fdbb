"""Read tables: what they show is what the core knows."""

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine, text

from oms.audit.verify import verify
from oms.core import replay
from oms.domain.commands import (
    SYSTEM,
    Channel,
    MessagesSent,
    Origin,
    SentMessage,
    SequenceReset,
    SessionLoggedOn,
)
from oms.domain.events import OrderRefused, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.fix import Side
from oms.domain.state import State
from oms.domain.values import utc
from oms.jobs.our_side import load_our_side
from oms.reconciliation.sides import TheirSide
from oms.store.journal import PostgresJournal, read
from oms.store.leader import acquire_leadership
from oms.store.postgres_urls import APP_ROLE, role_url, sqlalchemy_url
from oms.store.sent_messages import SentReader, sent_since
from tests.support.book import Book, flow, reference
from tests.support.postgres import Databases
from tests.support.written import Written, write_day


@pytest.fixture(scope="module")
def written(migrated_databases: Databases) -> Iterator[Written]:
    url = migrated_databases.take()
    yield write_day(url, orders=250, seed=11)
    migrated_databases.drop(url)


@pytest.fixture
def connection(written: Written) -> Iterator[psycopg.Connection]:
    with psycopg.connect(written.url, row_factory=dict_row) as opened:
        yield opened


def rows(connection: psycopg.Connection, table: str) -> list[dict]:
    return connection.execute(f"SELECT * FROM {table}").fetchall()


def test_a_dispute_stands_beside_its_trade_and_reconciliation_has_it(
    written: Written, connection: psycopg.Connection
) -> None:
    [row] = rows(connection, "disputes")
    assert not written.book.state.disputes
    assert row["report_id"].startswith("E")
    assert (row["resolution"], row["resolved_at"] >= row["at"]) == ("found", True)
    query = (
        "SELECT coalesce(transact_time, at) AS at FROM executions WHERE venue = %s AND exec_id = %s"
    )
    [trade] = connection.execute(query, (row["venue"], row["exec_id"])).fetchall()
    engine = create_engine(sqlalchemy_url(written.url))
    with engine.connect() as plain:
        theirs = TheirSide(trades=(), orders=None)
        day = trade["at"].astimezone(UTC).date()
        assert not load_our_side(plain, row["venue"], day, theirs).disputes
        plain.execute(text("UPDATE disputes SET resolved_at = NULL"))
        ours = load_our_side(plain, row["venue"], day, theirs)
        plain.rollback()
    engine.dispose()
    assert [one.seq for one in ours.disputes] == [row["seq"]]


@pytest.mark.parametrize("table", ["orders", "child_orders"])
def test_every_order_shows_as_the_core_knows_it(
    written: Written, connection: psycopg.Connection, table: str
) -> None:
    known = {
        one.order_id: one
        for one in written.book.state.orders.values()
        if one.is_child is (table == "child_orders")
    }
    shown = {row["order_id"]: row for row in rows(connection, table)}
    assert known.keys() <= shown.keys()
    for order_id, order in known.items():
        row = shown[order_id]
        assert (row["cum_qty"], row["leaves_qty"]) == (order.cum_qty, order.leaves_qty)
        assert (row["avg_px"], row["order_qty"]) == (order.avg_px, order.order_qty)
        assert (row["ord_status"], row["is_open"]) == (order.ord_status, order.is_open)
        assert row["status"] == ("UNKNOWN" if order.in_doubt else order.ord_status.name)
        assert row["doubt_since"] == (utc(order.doubt_since) if order.in_doubt else None)
        assert (row["cl_ord_id"], row["price"]) == (order.cl_ord_id, order.price)
        assert row["updated_at"] == utc(order.updated_at)
    statuses = Counter(row["status"] for row in shown.values())
    assert statuses["FILLED"], statuses
    assert statuses["CANCELED"], statuses


def test_orders_that_the_core_forgot_stay(written: Written, connection: psycopg.Connection) -> None:
    accepted = connection.execute("SELECT count(*) FROM journal WHERE type = 'OrderAccepted'")
    refused = connection.execute("SELECT count(*) FROM journal WHERE type = 'OrderRefused'")
    expected = accepted.fetchone()["count"] + refused.fetchone()["count"]
    shown = rows(connection, "orders")
    known = [one for one in written.book.state.orders.values() if not one.is_child]
    assert len(shown) == expected > len(known)


def test_refused_orders_show_why(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT o.ord_status, o.closed_reason, r.reason, o.text, r.text AS told FROM orders o"
        " JOIN refusals r USING (order_id) WHERE r.type = 'OrderRefused'"
    ).fetchall()
    assert {row["closed_reason"] for row in found} == {"UNKNOWN_INSTRUMENT", "MAX_ORDER_QTY"}
    for row in found:
        assert row["ord_status"] == "8"
        assert (row["closed_reason"], row["text"]) == (row["reason"], row["told"])


def test_executions_are_the_trades_and_what_became_of_them(
    written: Written, connection: psycopg.Connection
) -> None:
    told: dict[tuple[str, str], dict] = {}
    with psycopg.connect(written.url, autocommit=True) as reader:
        for entry in read(reader):
            match entry.obj:
                case TradeExecuted() as trade:
                    told[trade.venue, trade.exec_id] = {
                        "last_qty": trade.last_qty,
                        "last_px": trade.last_px,
                        "original_qty": None,
                        "busted": False,
                        "latest_exec_id": trade.exec_id,
                        "at": utc(entry.at),
                        "changed_at": None,
                        "seq": entry.seq,
                    }
                case TradeBusted() as bust:
                    row = told[bust.venue, bust.exec_id]
                    row["busted"] = True
                    row |= {"latest_exec_id": bust.bust_exec_id, "changed_at": utc(entry.at)}
                case TradeCorrected() as correction:
                    row = told[correction.venue, correction.exec_id]
                    row["original_qty"] = row["original_qty"] or row["last_qty"]
                    row |= {"last_qty": correction.last_qty, "last_px": correction.last_px}
                    row |= {
                        "latest_exec_id": correction.correction_exec_id,
                        "changed_at": utc(entry.at),
                    }
    shown = {(row["venue"], row["exec_id"]): row for row in rows(connection, "executions")}
    assert shown.keys() == told.keys()
    for key, expected in told.items():
        assert {name: shown[key][name] for name in expected} == expected, key
    assert any(row["busted"] for row in told.values())
    assert any(row["original_qty"] for row in told.values())


def test_positions_are_the_sum_of_the_executions(connection: psycopg.Connection) -> None:
    sums: dict[tuple[str, str], Decimal] = Counter()
    for row in rows(connection, "executions"):
        if not row["busted"]:
            sums[row["account"], row["symbol"]] += Side(row["side"]).sign * row["last_qty"]
    shown = {(row["account"], row["symbol"]): row for row in rows(connection, "positions")}
    assert {key: row["quantity"] for key, row in shown.items()} == {key: sums[key] for key in shown}
    assert sums.keys() <= shown.keys()
    for row in shown.values():
        assert row["bought"] - row["sold"] == row["quantity"]


def test_parents_have_the_sum_of_their_children(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT o.cum_qty, sum(c.cum_qty) AS children FROM orders o"
        " JOIN child_orders c ON c.parent_id = o.order_id GROUP BY o.order_id"
    ).fetchall()
    assert found
    assert all(row["cum_qty"] == row["children"] for row in found)


def test_every_message_is_there_with_its_order(
    written: Written, connection: psycopg.Connection
) -> None:
    shown = rows(connection, "fix_messages")
    inbound = [row for row in shown if row["direction"] == "in"]
    assert {
        name: sorted(row["msg_seq_num"] for row in group)
        for name, group in itertools.groupby(
            sorted(inbound, key=lambda row: row["session"]), key=lambda row: row["session"]
        )
    } == {
        name: list(range(1, last + 1 - (3 if name == "XTWO" else 0)))  # three were quotes
        for name, last in written.book.inbound.items()
    }
    sent = 0
    with psycopg.connect(written.url, autocommit=True) as reader:
        by_number = {(row["direction"], row["session"], row["msg_seq_num"]): row for row in shown}
        for entry in read(reader):
            if isinstance(entry.obj, MessagesSent):
                for message in entry.obj.messages:
                    row = by_number["out", message.session, message.msg_seq_num]
                    assert (row["text"], row["seq"]) == (message.text, message.event_seq)
                    assert row["order_id"] == (message.order_id or None)
                    sent += 1
            if isinstance(entry.obj, OrderRefused):
                number = _number_of(written, entry.seq - 1)
                if number is not None:  # over REST there is no message
                    assert by_number["in", "ALPHA", number]["order_id"] == entry.obj.order_id
    assert sent == written.book.outbound + 1 == len(shown) - len(inbound)


def _number_of(written: Written, seq: int) -> int | None:
    with psycopg.connect(written.url) as reader:
        row = reader.execute("SELECT msg_seq_num FROM journal WHERE seq = %s", [seq]).fetchone()
    assert row is not None
    return None if row[0] is None else int(row[0])


def test_text_that_postgresql_cannot_hold_is_replaced_in_tables_and_views(
    written: Written, connection: psycopg.Connection
) -> None:
    row = connection.execute("SELECT text FROM fix_messages WHERE msg_type = 'ZZ'").fetchone()
    assert row["text"] == "8=FIX.4.4\x0135=ZZ\x0158=\ufffd\x1d\x1e\x01"
    orphan = connection.execute("SELECT cl_ord_id, side FROM orphans").fetchone()
    assert orphan == {"cl_ord_id": "nobody's\x1e\x1d", "side": ""}
    with psycopg.connect(written.url, autocommit=True) as reader:
        raws = [getattr(entry.obj, "origin", None) for entry in read(reader)]
    assert any(origin and "\x00\x1d\x1e" in origin.raw for origin in raws)


def test_sessions_limits_and_switches(written: Written, connection: psycopg.Connection) -> None:
    sessions = {row["name"]: row for row in rows(connection, "sessions")}
    journaled = State(reference=reference())
    with psycopg.connect(written.url, autocommit=True) as reader:
        for entry in read(reader):
            replay(journaled, entry.seq, entry.at, entry.obj)
    assert sessions.keys() == journaled.sessions.keys()
    for name, session in journaled.sessions.items():
        row = sessions[name]
        assert (row["inbound"], row["outbound"]) == (session.inbound, session.outbound)
        assert (row["logged_on"], row["ready"]) == (session.logged_on, session.ready)
    limits = {
        (row["rule"], row["level"], row["subject"]): row["value"]
        for row in rows(connection, "risk_limits")
    }
    assert limits == written.book.state.limits
    switches = {(row["level"], row["subject"]) for row in rows(connection, "kill_switches")}
    assert switches == written.book.state.kill_switches == {("ACCOUNT", "ACC9")}


def test_every_name_of_an_order_leads_to_it(
    written: Written, connection: psycopg.Connection
) -> None:
    named = {
        (row["counterparty"], row["cl_ord_id"]): row for row in rows(connection, "order_names")
    }
    for key, order_id in written.book.state.cl_ord_ids.items():
        assert named[key]["order_id"] == order_id
    replaced = connection.execute(
        "SELECT payload ->> 'order_id' AS order_id, payload ->> 'orig_cl_ord_id' AS orig,"
        " payload ->> 'cl_ord_id' AS now FROM journal_json WHERE type = 'OrderReplaced'"
    ).fetchall()
    assert replaced
    names = {(row["order_id"], row["cl_ord_id"]) for row in named.values()}
    for row in replaced:
        assert {(row["order_id"], row["orig"]), (row["order_id"], row["now"])} <= names


@pytest.mark.parametrize("together", [True, False])
def test_a_sequence_reset_starts_the_count_again(database_url: str, together: bool) -> None:
    app_url = role_url(database_url, APP_ROLE)
    with acquire_leadership(app_url, shard="main", wait=True, timeout_s=10) as leadership:
        journal = PostgresJournal(leadership)
        book = Book(leader_epoch=leadership.epoch)
        book.start()
        for _ in flow(book, 3, seed=1):
            pass
        if not together:
            journal.append(book.seal())
        venue = Origin(channel=Channel.VENUE, counterparty="XONE", session="XONE")
        book.take(SequenceReset(origin=venue))
        book.inbound["XONE"] = 0
        if not together:
            journal.append(book.seal())
        book.take(SessionLoggedOn(origin=book.origin("XONE")))
        journal.append(book.seal())
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT epoch, inbound, outbound FROM sessions WHERE name = 'XONE'"
        ).fetchone()
    assert row == (1, 1, 0)
    assert verify(database_url).ok


@pytest.mark.parametrize("together", [True, False])
def test_of_messages_with_one_number_the_first_is_sent_again(
    database_url: str, together: bool
) -> None:
    app_url = role_url(database_url, APP_ROLE)
    with acquire_leadership(app_url, shard="main", wait=True, timeout_s=10) as leadership:
        journal = PostgresJournal(leadership)
        book = Book(leader_epoch=leadership.epoch)
        book.start()
        for number, text in ((7, "first"), (7, "again"), (6, "late"), (8, "next")):
            told = SentMessage(
                session="ALPHA",
                epoch=0,
                msg_seq_num=number,
                event_seq=1,
                msg_type="8",
                order_id="",
                text=text,
                at=1_000_000 * number,
            )
            book.take(MessagesSent(origin=SYSTEM, messages=(told,)))
            if not together:
                journal.append(book.seal())
        if together:
            journal.append(book.seal())
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT msg_seq_num, text, extract(epoch FROM at)::int FROM fix_messages"
            " WHERE direction = 'out' AND session = 'ALPHA' ORDER BY msg_seq_num"
        ).fetchall()
    # All that the journal has, with the moment when each was sent, not when that was noted.
    assert sorted(rows) == [(6, "late", 6), (7, "again", 7), (7, "first", 7), (8, "next", 8)]
    reader = SentReader(app_url)
    assert list(reader.read("ALPHA", 0, 6, 8)) == [(6, "late"), (7, "first"), (8, "next")]
    assert list(reader.read("ALPHA", 0, 7, 7)) == [(7, "first")]
    assert list(reader.read("ALPHA", 1, 1, 99)) == []
    reader.close()
    told = sent_since(app_url, "ALPHA", 0, 7_000_000)
    assert [one.text for one in told] == ["first", "next"]
    assert verify(database_url).ok
