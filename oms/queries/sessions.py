"""FIX sessions: how each stands, what a reset would put at risk, what a resend would send."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, literal, select

from oms.domain.commands import SentMessage
from oms.domain.values import utc
from oms.queries.paging import Row, row_of, rows_of
from oms.store.sent_messages import messages_of
from oms.store.tables import (
    child_orders,
    disconnect_cancels,
    journal,
    orders,
    sent_notes,
    sessions,
)

# How many epochs are looked back for numbers that go on: the other direction alone was reset.
_EPOCHS_BACK = 5


def list_sessions(connection: Connection) -> list[Row]:
    """Every session that the journal knows, by name."""
    return rows_of(connection, select(sessions).order_by(sessions.c.name))


def find_session(connection: Connection, name: str) -> Row | None:
    """What the journal knows of that session."""
    return row_of(connection, select(sessions).where(sessions.c.name == name))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAtRisk:
    """An open order whose messages go by the session. in_doubt: its state is unknown now."""

    order_id: str
    cl_ord_id: str
    account: str
    symbol: str
    side: str
    order_qty: Decimal
    leaves_qty: Decimal
    status: str
    in_doubt: bool


def orders_at_risk(connection: Connection, session: str) -> list[OrderAtRisk]:
    """Open orders of the session, of a client or at a venue, oldest first."""
    found: list[OrderAtRisk] = []
    names = list(OrderAtRisk.__dataclass_fields__)
    for table in (orders, child_orders):
        query = (
            select(*(table.c[name] for name in names))
            .where(table.c.session == session, table.c.is_open)
            .order_by(table.c.created_at, table.c.order_id)
        )
        found += [OrderAtRisk(**row) for row in rows_of(connection, query)]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What a ResendRequest for these numbers is answered with: one message of ours again, with
    PossDupFlag, or a gap fill (msg_type "4") for numbers that carried session messages.
    """

    begin_seq_no: int
    end_seq_no: int
    msg_type: str
    order_id: str = ""
    at: datetime | None = None
    text: str = ""


def resend_preview(
    connection: Connection, session: str, begin: int, end: int, *, limit: int
) -> list[Resent]:
    """What would be sent again for BeginSeqNo to EndSeqNo (0: all), at most `limit` messages.

    Numbers behind the last journaled message are left out.
    """
    known = find_session(connection, session)
    last = known["outbound"] if known else 0
    end = min(end, last) if end else last
    if known is None or begin > end:
        return []
    column = sent_notes.c
    epochs = _epochs(connection, session, known["epoch"])
    # Each note has a message of the session, so that many notes have enough.
    query = (
        select(journal.c.at, journal.c.payload)
        .join(sent_notes, column.seq == journal.c.seq)
        .where(column.session == session, column.epoch.in_(epochs))
        .where(column.last_msg_seq_num >= begin, column.first_msg_seq_num <= end)
        .order_by(column.last_msg_seq_num, column.seq)
        .limit(limit + 2)
    )
    sent: dict[int, Resent] = {}
    for row in rows_of(connection, query):
        for one in messages_of(row["payload"]):
            number = one.msg_seq_num
            if one.session == session and one.epoch in epochs and begin <= number <= end:
                sent.setdefault(number, _resent(one, row["at"]))
    numbers = sorted(sent)
    if len(numbers) > limit:
        end = numbers[limit] - 1
    return list(_with_gaps([sent[number] for number in numbers[:limit]], begin, end))


def _resent(message: SentMessage, noted_at: datetime) -> Resent:
    return Resent(
        begin_seq_no=message.msg_seq_num,
        end_seq_no=message.msg_seq_num,
        msg_type=message.msg_type,
        order_id=message.order_id,
        at=utc(message.at) if message.at else noted_at,
        text=message.text,
    )


def _epochs(connection: Connection, session: str, newest: int) -> list[int]:
    """The epochs through which the outbound numbers run on without a beginning."""
    column = sent_notes.c
    query = (
        select(
            column.epoch,
            func.min(column.first_msg_seq_num).label("first"),
            func.max(column.last_msg_seq_num).label("last"),
        )
        .where(column.session == session, column.epoch > newest - _EPOCHS_BACK)
        .group_by(column.epoch)
        .order_by(column.epoch.desc())
    )
    found: list[int] = []
    first = None
    for row in rows_of(connection, query):
        if first is not None and row["last"] >= first:
            break
        found.append(row["epoch"])
        first = row["first"]
    return found


def _with_gaps(messages: Sequence[Resent], begin: int, end: int) -> Iterator[Resent]:
    expected = begin
    for one in messages:
        if one.begin_seq_no > expected:
            yield Resent(begin_seq_no=expected, end_seq_no=one.begin_seq_no - 1, msg_type="4")
        yield one
        expected = one.end_seq_no + 1
    if expected <= end:
        yield Resent(begin_seq_no=expected, end_seq_no=end, msg_type="4")


def disconnect_report(connection: Connection, session: str, *, limit: int = 500) -> list[Row]:
    """What cancel-on-disconnect did for a client, newest first: each open order of the lost
    session, whether we asked for its cancel (else one was under way), and how it stands now.
    """
    told, order = disconnect_cancels.c, orders.c
    query = (
        select(
            told.seq,
            told.lost_at,
            told.at,
            told.order_id,
            told.asked,
            func.coalesce(order.cl_ord_id, literal("")).label("cl_ord_id"),
            order.symbol,
            order.order_qty,
            order.cum_qty,
            order.leaves_qty,
            func.coalesce(order.status, literal("")).label("status"),
            func.coalesce(order.is_open, literal(value=False)).label("is_open"),
            func.coalesce(order.text, literal("")).label("text"),
        )
        .select_from(disconnect_cancels.outerjoin(orders, order.order_id == told.order_id))
        .where(told.session == session)
        .order_by(told.seq.desc(), told.order_id)
        .limit(limit)
    )
    return [{**row, "outcome": _outcome(row)} for row in rows_of(connection, query)]


def _outcome(row: Row) -> str:
    """Whether it was cancelled, in one word or two."""
    if row["is_open"]:
        return "STILL OPEN"
    return "CANCELED" if row["status"] == "CANCELED" else f"NOT CANCELED: {row['status']}"
