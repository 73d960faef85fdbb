"""What was refused, what nobody asked for, and what venues tell otherwise: newest first."""

from datetime import date

from sqlalchemy import Connection, select

from oms.queries.paging import EVERYTHING, FIRST, Page, Scope, Window, page
from oms.store.tables import discrepancies, disputes, orders, orphans, refusals


def list_refusals(
    connection: Connection,
    *,
    scope: Scope = EVERYTHING,
    reason: str | None = None,
    session: str | None = None,
    cl_ord_id: str | None = None,
    window: Window = FIRST,
) -> Page:
    """Refused requests and messages; a limited scope shows its client's, by the order's account."""
    column = refusals.c
    query = select(refusals)
    if scope.limited:
        ours = orders.c.order_id.is_(None) | orders.c.account.in_(scope.accounts)
        query = query.outerjoin(orders, orders.c.order_id == column.order_id).where(
            column.counterparty == scope.client, ours
        )
    if reason is not None:
        query = query.where(column.reason == reason)
    if session is not None:
        query = query.where(column.session == session)
    if cl_ord_id is not None:
        query = query.where(column.cl_ord_id == cl_ord_id)
    return page(connection, query, key=(column.seq,), window=window)


def list_orphans(
    connection: Connection,
    *,
    venue: str | None = None,
    trade_date: date | None = None,
    is_open: bool | None = None,
    window: Window = FIRST,
) -> Page:
    """Venue reports for orders or trades that we do not know."""
    column = orphans.c
    query = select(orphans)
    if is_open is not None:
        query = query.where(column.is_open == is_open)
    if venue is not None:
        query = query.where(column.venue == venue)
    if trade_date is not None:
        query = query.where(column.trade_date == trade_date)
    return page(connection, query, key=(column.seq,), window=window)


def list_disputes(
    connection: Connection,
    *,
    venue: str | None = None,
    order_id: str | None = None,
    is_open: bool | None = None,
    window: Window = FIRST,
) -> Page:
    """Executions that a client does not accept."""
    column = disputes.c
    query = select(disputes)
    if venue is not None:
        query = query.where(column.venue == venue)
    if order_id is not None:
        query = query.where(column.order_id == order_id)
    if is_open is not None:
        query = query.where(column.resolved_at.is_(None) == is_open)
    return page(connection, query, key=(column.seq,), window=window)


def list_discrepancies(
    connection: Connection,
    *,
    order_id: str | None = None,
    trade_date: date | None = None,
    window: Window = FIRST,
) -> Page:
    """Figures in venue reports that differ from ours."""
    column = discrepancies.c
    query = select(discrepancies)
    if order_id is not None:
        query = query.where(column.order_id == order_id)
    if trade_date is not None:
        query = query.where(column.trade_date == trade_date)
    return page(connection, query, key=(column.seq,), window=window)
