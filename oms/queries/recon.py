"""Reconciliation: its runs, newest first, and the breaks of each."""

from datetime import date

from sqlalchemy import Connection, select

from oms.queries.paging import FIRST, Page, Row, Window, page, row_of
from oms.store.tables import recon_breaks, recon_runs


def list_runs(
    connection: Connection,
    *,
    trade_date: date | None = None,
    venue: str | None = None,
    state: str | None = None,
    window: Window = FIRST,
) -> Page:
    """Runs, the newest first."""
    column = recon_runs.c
    query = select(recon_runs)
    if trade_date is not None:
        query = query.where(column.trade_date == trade_date)
    if venue is not None:
        query = query.where(column.venue == venue)
    if state is not None:
        query = query.where(column.state == state)
    return page(connection, query, key=(column.run_id,), window=window)


def get_run(connection: Connection, run_id: int) -> Row | None:
    """One run."""
    query = select(recon_runs).where(recon_runs.c.run_id == run_id)
    return row_of(connection, query)


def list_breaks(
    connection: Connection,
    *,
    run_id: int,
    kind: str | None = None,
    window: Window = FIRST,
) -> Page:
    """The breaks that one run found, in its order."""
    column = recon_breaks.c
    query = select(recon_breaks).where(column.run_id == run_id)
    if kind is not None:
        query = query.where(column.kind == kind)
    return page(connection, query, key=(column.n,), window=window, descending=False)
