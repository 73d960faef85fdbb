"""One run: a venue's statement of a day against our record, kept with all its breaks.

A run without a statement is a failed run with its reason, never one without breaks. Run again, it
finds the same under a new number. A run is told of once it is committed, and never before: one that
a crash has undone left no word behind.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, insert, select, update

from oms.jobs.our_side import journal_tip, load_our_side
from oms.jobs.venue_files import NoStatement, Source, read_statement
from oms.reconciliation.breaks import Break
from oms.reconciliation.compare import compare
from oms.store.tables import job_runs, recon_breaks, recon_runs

log = structlog.get_logger(__name__)

RECON: Final = "recon:"
"""What the name of a venue's job begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it was kept. error: why it failed, empty when it did not."""

    run_id: int
    venue: str
    day: date
    started_at: datetime
    orders: int
    trades: int
    breaks: int
    error: str


def reconcile(connection: Connection, venue: str, day: date, source: Source | None) -> Run:
    """Compare, and write the run with its breaks in the transaction of the connection.

    The transaction must see one moment (REPEATABLE READ). source None: the venue sends no files,
    which fails the run. `tell` it after the commit.
    """
    started_at = datetime.now(UTC)
    tip = journal_tip(connection)
    found, digests, error = None, "", ""
    try:
        if source is None:
            raise NoStatement(f"venues.{venue}.trade_file_dir: is not set: there is no statement")
        statement = read_statement(source, day)
        digests = statement.digests
        found = compare(load_our_side(connection, venue, day, statement.side), statement.side)
    except NoStatement as reason:
        error = str(reason)
    orders, trades = (found.orders_checked, found.trades_checked) if found else (0, 0)
    breaks = len(found.breaks) if found else 0
    run_id = connection.execute(
        insert(recon_runs)
        .values(
            trade_date=day,
            venue=venue,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            state="failed" if found is None else "done",
            source="" if source is None else str(source),
            source_sha256=digests,
            orders_checked=orders,
            trades_checked=trades,
            breaks=breaks,
            error=error,
            journal_seq=tip,
        )
        .returning(recon_runs.c.run_id)
    ).scalar_one()
    if found is not None and found.breaks:
        rows = [_row(run_id, venue, n, one) for n, one in enumerate(found.breaks, start=1)]
        connection.execute(insert(recon_breaks), rows)
    return Run(
        run_id=run_id,
        venue=venue,
        day=day,
        started_at=started_at,
        orders=orders,
        trades=trades,
        breaks=breaks,
        error=error,
    )


def reconcile_now(engine: Engine, venue: str, day: date, source: Source | None) -> Run:
    """A run that was asked for; where the scheduled one had failed, it settles that."""
    with engine.begin() as connection:
        run = reconcile(connection, venue, day, source)
        if not run.error:
            column = job_runs.c
            mine = (column.job == f"{RECON}{venue}", column.business_date == day)
            settled = {"state": "done", "error": f"settled by run {run.run_id}, asked for by hand"}
            query = update(job_runs).where(*mine, column.state == "failed").values(**settled)
            connection.execute(query)
    tell(run)
    return run


def is_kept(connection: Connection, run: Run) -> bool:
    """Whether the run was committed. Its number alone does not say: what a crash of the database
    has undone gives its number to another.
    """
    column = recon_runs.c
    same = (column.run_id == run.run_id, column.started_at == run.started_at)
    return connection.execute(select(column.run_id).where(*same)).first() is not None


def tell(run: Run) -> None:
    """Log what became of a run that is committed."""
    about = {"run_id": run.run_id, "venue": run.venue, "date": run.day.isoformat()}
    if run.error:
        log.error("recon.failed", error=run.error, **about)
        return
    counts = {"orders": run.orders, "trades": run.trades}
    if run.breaks:
        log.error("recon.breaks", breaks=run.breaks, **counts, **about)
    else:
        log.info("recon.agrees", **counts, **about)


def _row(run_id: int, venue: str, n: int, one: Break) -> dict[str, object]:
    return {
        "run_id": run_id,
        "n": n,
        "venue": venue,
        "kind": one.kind.value,
        "order_id": one.order_id,
        "cl_ord_id": one.cl_ord_id,
        "exec_id": one.exec_id,
        "field": one.field,
        "ours": one.ours,
        "theirs": one.theirs,
        "evidence": dict(one.evidence),
    }
