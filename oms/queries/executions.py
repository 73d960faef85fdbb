"""Executions: every trade of every order, newest first."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from oms.queries.paging import EVERYTHING, FIRST, Page, Scope, Window, page
from oms.store.tables import executions, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """What a list of executions is narrowed to; None is everything. order_id: parent or child."""

    order_id: str | None = None
    account: str | None = None
    symbol: str | None = None
    venue: str | None = None
    exec_id: str | None = None
    trade_date: date | None = None
    busted: bool | None = None


def list_executions(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    narrowed: ExecutionFilter | None = None,
    window: Window = FIRST,
) -> Page:
    """Trades by the journal number of their booking, newest first."""
    asked = narrowed or ExecutionFilter()
    column = executions.c
    query = select(executions)
    if scope.limited:
        query = query.join(orders, orders.c.order_id == column.parent_id).where(scope.orders())
    for name in ("account", "symbol", "venue", "exec_id", "trade_date", "busted"):
        value = getattr(asked, name)
        if value is not None:
            query = query.where(column[name] == value)
    if asked.order_id is not None:
        named = (column.parent_id == asked.order_id) | (column.order_id == asked.order_id)
        query = query.where(named)
    # Two reports may share a command but never an event.
    return page(connection, query, key=(column.seq,), window=window)
