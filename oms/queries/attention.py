"""What somebody may have to see to: jobs not done, the latest reconciliation of each venue, how
much waits for a decision.
"""

from datetime import date
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from oms.queries.paging import Row, row_of, rows_of
from oms.store.tables import disputes, job_runs, journal, orphans, recon_runs

_MOST: Final = 50


def unfinished_jobs(connection: Connection) -> list[Row]:
    """Jobs that were begun or planned and are not done, oldest date first."""
    column = job_runs.c
    query = select(job_runs).where(column.state != "done")
    return rows_of(connection, query.order_by(column.business_date, column.job).limit(_MOST))


def job_run(connection: Connection, job: str, day: date | None = None) -> Row | None:
    """What a job came to for that date; without one, for the latest date on which it is done."""
    column = job_runs.c
    query = select(job_runs).where(column.job == job)
    if day is not None:
        return row_of(connection, query.where(column.business_date == day))
    done = query.where(column.state == "done").order_by(column.business_date.desc())
    return row_of(connection, done.limit(1))


def latest_runs(connection: Connection) -> list[Row]:
    """Of each venue the last reconciliation of the newest date, by venue."""
    column = recon_runs.c
    query = (
        select(recon_runs)
        .ext(distinct_on(column.venue))
        .order_by(column.venue, column.trade_date.desc(), column.run_id.desc())
    )
    return rows_of(connection, query)


def journal_began(connection: Connection) -> Row | None:
    """When the journal's first entry was made: {"at": ...}."""
    return row_of(connection, select(journal.c.at).order_by(journal.c.seq).limit(1))


def open_orphans(connection: Connection) -> int:
    """How many venue reports that fit no order of ours wait for somebody's decision."""
    query = select(func.count()).select_from(orphans).where(orphans.c.is_open)
    return connection.execute(query).scalar_one()


def open_disputes(connection: Connection) -> int:
    """How many trades their clients do not accept, and nobody has settled it."""
    query = select(func.count()).select_from(disputes).where(disputes.c.resolved_at.is_(None))
    return connection.execute(query).scalar_one()
