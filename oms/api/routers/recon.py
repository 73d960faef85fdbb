"""Reconciliation: runs and their breaks under /v1/recon."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Response
from sqlalchemy import Connection

from oms.api.auth import Operator, Staff
from oms.api.context import Ctx, Reader
from oms.api.problems import invalid, not_found, responses
from oms.api.requests import ReconRequest
from oms.api.routers.common import InWindow, Narrow, listing, router
from oms.api.shown import Listing, ReconBreak, ReconRun
from oms.api.values import Day, RunState
from oms.queries.recon import get_run, list_breaks, list_runs
from oms.reconciliation.statement import fault_of_day

api = router("reconciliation")
runs_api = router("reconciliation")
RunId = Annotated[int, Path(ge=1, lt=1 << 63)]


@api.get("/recon/runs", summary="Reconciliation runs, newest first")
def get_runs(
    *,
    _: Staff,
    connection: Reader,
    window: InWindow,
    trade_date: Day | None = None,
    venue: Narrow = None,
    state: RunState | None = None,
) -> Listing[ReconRun]:
    """state is running, done or failed; a failed run says why in `error` and proves nothing."""
    page = list_runs(connection, trade_date=trade_date, venue=venue, state=state, window=window)
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
    window: InWindow,
    run_id: RunId,
    kind: Narrow = None,
) -> Listing[ReconBreak]:
    """Each with its kind, what both sides say, and their evidence."""
    _run(connection, run_id)
    page = list_breaks(connection, run_id=run_id, kind=kind, window=window)
    return listing(ReconBreak, page)


@runs_api.post("/recon/runs", status_code=201, summary="Reconcile a venue's day now")
def post_run(_: Operator, context: Ctx, body: ReconRequest, response: Response) -> ReconRun:
    """The venue's file, where it is configured, against the record; run again, a new run.

    A file that is missing or unreadable is a run with state `failed`, and says why.
    """
    known = {venue.name for venue in context.settings.venues}
    if body.venue not in known:
        raise invalid("venue", body.venue, f"must be one of {', '.join(sorted(known))}")
    fault = fault_of_day(body.trade_date, datetime.now(UTC).date())
    if fault:
        raise invalid("trade_date", body.trade_date.isoformat(), fault)
    assert context.reconcile is not None, "the route exists only with it"
    run_id = context.reconcile(context.settings, body.venue, body.trade_date)
    response.headers["Location"] = f"/v1/recon/runs/{run_id}"
    with context.engine.connect() as connection:
        return _run(connection, run_id)


def _run(connection: Connection, run_id: int) -> ReconRun:
    row = get_run(connection, run_id)
    if row is None:
        raise not_found("run", str(run_id))
    return ReconRun.model_validate(row)
