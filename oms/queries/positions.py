"""Positions: net quantity, average price and realised profit of each account and instrument."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from oms.queries.paging import FIRST, Page, Window, page
from oms.store.tables import positions


def list_positions(
    connection: Connection,
    *,
    accounts: Collection[str] | None = None,
    symbol: str | None = None,
    only_open: bool = False,
    window: Window = FIRST,
) -> Page:
    """Positions by account and symbol; accounts None is all, only_open leaves the flat ones out."""
    column = positions.c
    query = select(positions)
    if accounts is not None:
        query = query.where(column.account.in_(accounts))
    if symbol is not None:
        query = query.where(column.symbol == symbol)
    if only_open:
        query = query.where(column.quantity != 0)
    key = (column.account, column.symbol)
    return page(connection, query, key=key, window=window, descending=False)
