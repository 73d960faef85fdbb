"""Reports that a client may have missed: GET /v1/reports."""

import asyncio
import time
from typing import Annotated, Final

from fastapi import Query
from starlette.concurrency import run_in_threadpool

from oms.api.auth import Caller, Principal
from oms.api.context import Context, Ctx
from oms.api.report_shown import Report, ReportPage, shown
from oms.api.routers.common import router
from oms.queries.client_reports import Reports, reports_after
from oms.settings import reference_of

api = router("reports")
_LOOK_S: Final = 0.2

After = Annotated[
    int, Query(ge=0, lt=1 << 63, description="`next` of the page before; 0: from the first report")
]
WaitMs = Annotated[
    int, Query(ge=0, le=30_000, description="how long to wait for a report where there is none")
]
PageLimit = Annotated[int, Query(ge=1, le=1_000, description="events in a page")]


@api.get("/reports", summary="Every report on your orders, from a resume token on")
async def get_reports(
    *,
    caller: Caller,
    context: Ctx,
    after: After = 0,
    limit: PageLimit = 200,
    wait_ms: WaitMs = 0,
) -> ReportPage:
    """The ExecutionReports and OrderCancelRejects of your orders, by FIX or REST, in the order in
    which they became facts, each once: keep `next`, and pass it as `after`. A report that you have
    by FIX has the same `exec_id`. `more` says that the next page is to be read at once; a page may
    be empty and say so. Answers to status requests, and refusals of requests that name no order of
    yours, are not among them.
    """
    deadline = time.monotonic() + wait_ms / 1_000
    while True:
        page = await run_in_threadpool(_read, context, caller, after, limit)
        if page.reports or page.more or time.monotonic() >= deadline:
            items: list[Report] = [shown(one) for one in page.reports]
            return ReportPage(items=items, next=page.after, more=page.more)
        after = page.after
        await asyncio.sleep(_LOOK_S)


def _read(context: Context, caller: Principal, after: int, limit: int) -> Reports:
    with context.engine.connect() as plain:
        connection = plain.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        reference = reference_of(context.settings)
        return reports_after(connection, reference, after, scope=caller.scope, limit=limit)
