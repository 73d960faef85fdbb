"""Orders: the blotter, one order with its children and executions, and whose ClOrdID is whose."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from oms.queries.paging import EVERYTHING, FIRST, Page, Row, Scope, Window, page, row_of, rows_of
from oms.store.tables import (
    child_orders,
    executions,
    order_cl_ord_ids,
    order_conditions,
    orders,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What a list of orders is narrowed to; None is everything. since and until: of creation."""

    client: str | None = None
    account: str | None = None
    symbol: str | None = None
    side: str | None = None
    status: str | None = None
    cl_ord_id: str | None = None
    is_open: bool | None = None
    in_doubt: bool | None = None
    trade_date: date | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_orders(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    narrowed: OrderFilter | None = None,
    window: Window = FIRST,
) -> Page:
    """Client orders, newest first. cl_ord_id finds every order that ever had it in its chain."""
    query = _with_conditions(orders).where(scope.orders())
    for condition in _conditions(narrowed or OrderFilter()):
        query = query.where(condition)
    key = (orders.c.created_at, orders.c.order_id)
    return page(connection, query, key=key, window=window)


def get_order(connection: Connection, order_id: str, *, scope: Scope = EVERYTHING) -> Row | None:
    """One client order; None where there is none or it may not be seen."""
    query = _with_conditions(orders).where(orders.c.order_id == order_id, scope.orders())
    return row_of(connection, query)


def children_of(connection: Connection, order_id: str) -> list[Row]:
    """The orders that we sent to venues for a client order, first to last."""
    query = (
        _with_conditions(child_orders)
        .where(child_orders.c.parent_id == order_id)
        .order_by(child_orders.c.created_at, child_orders.c.order_id)
    )
    return rows_of(connection, query)


def _with_conditions(table: Table) -> Select[Any]:
    """Orders of that table with what they ask for besides, NULL where they do not."""
    shown = [one for one in order_conditions.c if one.name not in table.c]
    joined = table.outerjoin(order_conditions, order_conditions.c.order_id == table.c.order_id)
    return select(table, *shown).select_from(joined)


def executions_of(connection: Connection, order_id: str) -> list[Row]:
    """The trades of a client order, first to last, busted ones too."""
    query = select(executions).where(executions.c.parent_id == order_id).order_by(executions.c.seq)
    return rows_of(connection, query)


def names_of(connection: Connection, order_id: str) -> list[str]:
    """Every ClOrdID that cancels and replaces of the order were asked for under, in order."""
    query = (
        select(order_cl_ord_ids.c.cl_ord_id)
        .where(order_cl_ord_ids.c.order_id == order_id)
        .order_by(order_cl_ord_ids.c.seq)
    )
    return list(connection.execute(query).scalars())


def _conditions(narrowed: OrderFilter) -> list[ColumnElement[bool]]:
    column = orders.c
    found: list[ColumnElement[bool]] = [
        column[name] == value
        for name in (
            "client",
            "account",
            "symbol",
            "side",
            "status",
            "is_open",
            "in_doubt",
            "trade_date",
        )
        if (value := getattr(narrowed, name)) is not None
    ]
    if narrowed.cl_ord_id is not None:
        found.append(column.order_id.in_(_named(narrowed.cl_ord_id)))
    if narrowed.since is not None:
        found.append(column.created_at >= narrowed.since)
    if narrowed.until is not None:
        found.append(column.created_at < narrowed.until)
    return found


def _named(cl_ord_id: str) -> Select[tuple[str]]:
    both = union_all(
        select(orders.c.order_id).where(orders.c.cl_ord_id == cl_ord_id),
        select(order_cl_ord_ids.c.order_id).where(order_cl_ord_ids.c.cl_ord_id == cl_ord_id),
    ).subquery()
    return select(both.c.order_id)
