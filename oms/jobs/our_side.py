"""Our record of one venue's UTC date, out of the read tables.

A venue dates a trade by its TransactTime (60), which its report told us: so a trade of ours belongs
to the date of that, whatever our trading date was. Of orders the venue's own stamps are unknown to
us: one that we sent in the last minute before midnight may be of the next date for the venue, and
is not missed in this one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, or_, select

from oms.domain.fix import OrdStatus, Side
from oms.domain.origin import EXTERNAL
from oms.domain.values import micros
from oms.reconciliation.sides import (
    OurDispute,
    OurOrder,
    OurOrphan,
    OurSide,
    OurTrade,
    TheirOrder,
    TheirSide,
    TheirTrade,
)
from oms.store.tables import (
    child_orders,
    corporate_actions,
    disputes,
    executions,
    journal,
    order_cl_ord_ids,
    orders,
    orphans,
)

_TURN: Final = timedelta(minutes=1)
_LATE: Final = timedelta(days=1)


def journal_tip(connection: Connection) -> int:
    """Number of the last journal entry."""
    query = select(func.coalesce(func.max(journal.c.seq), 0))
    return int(connection.execute(query).scalar_one())


def load_our_side(connection: Connection, venue: str, day: date, theirs: TheirSide) -> OurSide:
    """What we have of that date at the venue, and whatever its statement names besides."""
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)
    exec_ids = {row.exec_id for row in theirs.trades}
    trades = _trades(connection, venue, begin, end, exec_ids)
    rows: list[TheirTrade | TheirOrder] = [*theirs.trades, *(theirs.orders or ())]
    names = {row.cl_ord_id for row in rows if row.cl_ord_id}
    venue_ids = {row.order_id for row in rows if row.order_id and not row.cl_ord_id}
    wanted = {trade.order_id for trade in trades} | _named(connection, venue, names)
    return OurSide(
        trades=tuple(trades),
        orders=tuple(_orders(connection, venue, (begin, end), wanted=wanted, venue_ids=venue_ids)),
        orphans=tuple(_orphans(connection, venue, begin, end)),
        disputes=tuple(_disputes(connection, venue, trades)),
    )


def _trades(
    connection: Connection, venue: str, begin: datetime, end: datetime, exec_ids: set[str]
) -> list[OurTrade]:
    column = executions.c
    told_at = func.coalesce(column.transact_time, column.at)
    query = select(executions, told_at.label("told_at")).where(
        column.venue == venue,
        or_(
            told_at.between(begin, end),
            column.exec_id == func.any(sorted(exec_ids)),
            column.latest_exec_id == func.any(sorted(exec_ids)),
        ),
    )
    return [
        OurTrade(
            seq=row["seq"],
            exec_id=row["exec_id"],
            latest_exec_id=row["latest_exec_id"],
            order_id=row["order_id"],
            parent_id=row["parent_id"],
            account=row["account"],
            symbol=row["symbol"],
            side=Side(row["side"]),
            last_qty=row["last_qty"],
            last_px=row["last_px"],
            transact_time=micros(row["told_at"]),
            busted=row["busted"],
            due=begin <= row["told_at"] < end,
            copied=bool(row["told_by"]),
        )
        for row in connection.execute(query).mappings()
    ]


def _named(connection: Connection, venue: str, names: set[str]) -> set[str]:
    """Our children that ever had one of these ClOrdIDs at the venue."""
    column = order_cl_ord_ids.c
    query = select(column.order_id).where(
        column.counterparty == venue, column.cl_ord_id == func.any(sorted(names))
    )
    found = set(connection.execute(query).scalars())
    child = child_orders.c
    current = select(child.order_id).where(
        child.venue == venue, child.cl_ord_id == func.any(sorted(names))
    )
    return found | set(connection.execute(current).scalars())


def _orders(
    connection: Connection,
    venue: str,
    period: tuple[datetime, datetime],
    *,
    wanted: set[str],
    venue_ids: set[str],
) -> list[OurOrder]:
    begin, end = period
    column = child_orders.c
    query = select(child_orders).where(
        column.venue == venue,
        or_(
            column.created_at.between(begin, end),
            column.order_id == func.any(sorted(wanted)),
            column.venue_order_id == func.any(sorted(venue_ids)),
        ),
    )
    rows = connection.execute(query).mappings().all()
    names = _names(connection, venue, [row["order_id"] for row in rows])
    split = _split_since(connection, begin.date())
    external = _external(connection, [row["parent_id"] for row in rows])
    made = (
        _order(row, names.get(row["order_id"], ()), begin, end, split=row["symbol"] in split)
        for row in rows
    )
    # Of what we did not send we know the trades only.
    return [
        replace(one, due=False, comparable=False) if one.parent_id in external else one
        for one in made
    ]


def _external(connection: Connection, parents: Sequence[str]) -> set[str]:
    column = orders.c
    query = select(column.order_id).where(
        column.client == EXTERNAL, column.order_id == func.any(sorted(set(parents)))
    )
    return set(connection.execute(query).scalars())


def _split_since(connection: Connection, day: date) -> set[str]:
    """Symbols whose orders we have in the shares of a later date: their venue tells those of its
    own day.
    """
    column = corporate_actions.c
    query = select(column.symbol).where(column.applied.is_not(None), column.effective_date > day)
    return set(connection.execute(query).scalars())


def _order(
    row: RowMapping, names: Iterable[str], begin: datetime, end: datetime, *, split: bool
) -> OurOrder:
    reached = bool(row["venue_order_id"] or row["cum_qty"] or row["is_open"])
    return OurOrder(
        seq=row["last_seq"],
        order_id=row["order_id"],
        parent_id=row["parent_id"],
        venue_order_id=row["venue_order_id"],
        cl_ord_ids=tuple(dict.fromkeys([*names, row["cl_ord_id"]])),
        symbol=row["symbol"],
        side=Side(row["side"]),
        order_qty=row["order_qty"],
        price=row["price"],
        cum_qty=row["cum_qty"],
        ord_status=OrdStatus(row["ord_status"]),
        is_open=row["is_open"],
        in_doubt=row["in_doubt"],
        due=reached and begin <= row["created_at"] < end - _TURN,
        comparable=row["updated_at"] < end and not split,
    )


def _names(connection: Connection, venue: str, order_ids: Sequence[str]) -> dict[str, list[str]]:
    column = order_cl_ord_ids.c
    query = (
        select(column.order_id, column.cl_ord_id)
        .where(column.counterparty == venue, column.order_id == func.any(list(order_ids)))
        .order_by(column.seq)
    )
    found: dict[str, list[str]] = {}
    for order_id, name in connection.execute(query):
        found.setdefault(order_id, []).append(name)
    return found


def _disputes(connection: Connection, venue: str, trades: Iterable[OurTrade]) -> list[OurDispute]:
    """The open ones about these trades."""
    column = disputes.c
    exec_ids = sorted({one.exec_id for one in trades})
    query = select(disputes).where(
        column.venue == venue,
        column.exec_id == func.any(exec_ids),
        column.resolved_at.is_(None),
    )
    return [
        OurDispute(
            seq=row["seq"],
            order_id=row["child_id"],
            exec_id=row["exec_id"],
            client=row["client"],
            report_id=row["report_id"],
            dk_reason=row["dk_reason"],
            text=row["text"],
        )
        for row in connection.execute(query.order_by(column.seq)).mappings()
    ]


def _orphans(connection: Connection, venue: str, begin: datetime, end: datetime) -> list[OurOrphan]:
    column = orphans.c
    query = select(orphans).where(column.venue == venue, column.at.between(begin, end + _LATE))
    found: list[dict[str, Any]] = [dict(row) for row in connection.execute(query).mappings()]
    return [
        OurOrphan(
            seq=row["seq"],
            exec_id=row["exec_id"],
            cl_ord_id=row["cl_ord_id"],
            venue_order_id=row["venue_order_id"],
            text=row["text"],
        )
        for row in found
    ]
