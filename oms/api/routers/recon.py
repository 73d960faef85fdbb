"""Reconciliation: runs and their breaks under /v1/recon."""

from datetime import date
from typing import Annotated

from fastapi import Path

from oms.api.auth import Staff
from oms.api.context import Reader
from oms.api.problems import not_found, responses
from oms.api.routers.common import Cursor, Limit, Narrow, listing, router
from oms.api.shown import Listing, ReconBreak, ReconRun
from oms.queries.recon import get_run, list_breaks, list_runs

api = router("reconciliation")
RunId = Annotated[int, Path(ge=1, lt=1 << 63)]


@api.get("/recon/runs", summary="Reconciliation runs, newest first")
def get_runs(
    *,
    _: Staff,
    connection: Reader,
    trade_date: date | None = None,
    venue: Narrow = None,
    state: Narrow = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[ReconRun]:
    """state is running, done or failed; a failed run says why in `error` and proves nothing."""
    page = list_runs(
        connection, trade_date=trade_date, venue=venue, state=state, cursor=cursor, limit=limit
    )
    return listing(ReconRun, page)


@api.get("/recon/runs/{run_id}", summary="One run", responses=responses(404))
def get_one_run(_: Staff, connection: Reader, run_id: RunId) -> ReconRun:
    """What was compared, and how many breaks it found."""
    return _run(connection, run_id)


@api.get("/recon/runs/{run_id}/breaks", summary="The breaks of a run", responses=responses(404))
def get_breaks(
    *,
    _: Staff,
    connection: Reader,
    run_id: RunId,
    kind: Narrow = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[ReconBreak]:
    """Each with its kind, what both sides say, and their evidence."""
    _run(connection, run_id)
    page = list_breaks(connection, run_id=run_id, kind=kind, cursor=cursor, limit=limit)
    return listing(ReconBreak, page)


def _run(connection: Reader, run_id: int) -> ReconRun:
    row = get_run(connection, run_id)
    if row is None:
        raise not_found("run", str(run_id))
    return ReconRun.model_validate(row)
