"""Lists of orders (baskets): which there are, newest first, and how the orders of one stand."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, true

from oms.queries.paging import EVERYTHING, FIRST, Page, Row, Scope, Window, page, row_of, rows_of
from oms.store.tables import list_orders, order_lists, orders

_AN_ORDER = (
    orders.c.ord_status,
    orders.c.status,
    orders.c.cum_qty,
    orders.c.leaves_qty,
    orders.c.avg_px,
    orders.c.closed_reason,
    orders.c.text,
)


def list_lists(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    client: str | None = None,
    list_id: str | None = None,
    trade_date: date | None = None,
    window: Window = FIRST,
) -> Page:
    """Lists that were taken; a limited scope sees those with an order for an account of its."""
    column = order_lists.c
    query = _lists(scope)
    if client is not None:
        query = query.where(column.client == client)
    if list_id is not None:
        query = query.where(column.list_id == list_id)
    if trade_date is not None:
        query = query.where(column.trade_date == trade_date)
    return page(connection, query, key=(column.seq,), window=window)


def get_list(
    connection: Connection, list_id: str, *, client: str | None = None, scope: Scope = EVERYTHING
) -> Row | None:
    """The newest list of that ListID; None where there is none or it may not be seen."""
    column = order_lists.c
    query = _lists(scope).where(column.list_id == list_id)
    if client is not None:
        query = query.where(column.client == client)
    return row_of(connection, query.order_by(column.seq.desc()).limit(1))


def orders_of(connection: Connection, list_seq: int, *, scope: Scope = EVERYTHING) -> list[Row]:
    """The orders of that list, as far as they may be seen, by ListSeqNo; NULL where it is none."""
    column = list_orders.c
    query = (
        select(list_orders, *_AN_ORDER)
        .select_from(list_orders.outerjoin(orders, orders.c.order_id == column.order_id))
        .where(column.list_seq == list_seq, _for_accounts(scope))
        .order_by(column.list_seq_no)
    )
    return rows_of(connection, query)


def _lists(scope: Scope) -> Select[Any]:
    """With open_orders, how many of a list can trade, and status, which that gives."""
    open_orders = (
        select(func.count())
        .select_from(list_orders.join(orders, orders.c.order_id == list_orders.c.order_id))
        .where(list_orders.c.list_seq == order_lists.c.seq, orders.c.is_open)
        .scalar_subquery()
    )
    begun, canceled = order_lists.c.begun_at, order_lists.c.canceled_at
    status = case(
        (and_(begun.is_(None), canceled.is_(None)), "WAITING"),
        (or_(begun.is_(None), open_orders == 0), "ALL_DONE"),
        (canceled.is_(None), "EXECUTING"),
        else_="CANCELLING",
    )
    query = select(order_lists, open_orders.label("open_orders"), status.label("status"))
    if not scope.limited:
        return query
    theirs = select(list_orders.c.list_seq).where(
        list_orders.c.list_seq == order_lists.c.seq, _for_accounts(scope)
    )
    return query.where(and_(order_lists.c.client == scope.client, theirs.exists()))


def _for_accounts(scope: Scope) -> ColumnElement[bool]:
    return list_orders.c.account.in_(scope.accounts) if scope.limited else true()
