"""What was refused, cannot be placed or is disputed: GET /v1/refusals, /v1/orphans,
/v1/discrepancies, /v1/disputes.
"""

from typing import Annotated

from fastapi import Path, Query, Response

from oms.api import commands
from oms.api.auth import Caller, Operator, Staff
from oms.api.context import Ctx, Reader
from oms.api.orphan_shown import Orphan
from oms.api.problems import responses
from oms.api.requests import DisputeResolution, OrphanAdoption, OrphanRefusal
from oms.api.routers.common import Cursor, IdempotencyKey, Limit, Narrow, listing, router
from oms.api.shown import CommandState, Discrepancy, Dispute, Listing, Refusal
from oms.api.submit import ACCEPTED, control
from oms.api.values import Day, Flag
from oms.queries.refusals import (
    list_discrepancies,
    list_disputes,
    list_orphans,
    list_refusals,
)

api = router("exceptions")


@api.get("/refusals", summary="Refused requests and messages, newest first")
def get_refusals(
    *,
    caller: Caller,
    connection: Reader,
    reason: Narrow = None,
    session: Narrow = None,
    cl_ord_id: Narrow = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[Refusal]:
    """Each by its reason's name and text. A key with a client sees those about its orders."""
    page = list_refusals(
        connection,
        scope=caller.scope,
        reason=reason,
        session=session,
        cl_ord_id=cl_ord_id,
        cursor=cursor,
        limit=limit,
    )
    return listing(Refusal, page)


@api.get("/orphans", summary="Venue reports for orders or trades that we do not know")
def get_orphans(
    *,
    _: Staff,
    connection: Reader,
    venue: Narrow = None,
    trade_date: Day | None = None,
    is_open: Annotated[
        Flag | None, Query(description="only those that wait, or only others")
    ] = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[Orphan]:
    """Kept for reconciliation, newest first; an open one waits for a decision."""
    page = list_orphans(
        connection, venue=venue, trade_date=trade_date, is_open=is_open, cursor=cursor, limit=limit
    )
    return listing(Orphan, page)


@api.post(
    "/orphans/{seq}/adopt",
    summary="Book a trade that fits no order of ours",
    responses=ACCEPTED | responses(404, 409),
)
async def post_adoption(
    *,
    seq: Annotated[int, Path(ge=1, lt=1 << 63)],
    caller: Operator,
    context: Ctx,
    body: OrphanAdoption,
    response: Response,
    key: IdempotencyKey = "",
) -> CommandState:
    """To the order that it is of, else as an external order's of that account."""
    return await control(context, commands.adopt_orphan(caller, seq, body), key, response)


@api.post(
    "/orphans/{seq}/refuse",
    summary="Book nothing of a report that fits no order of ours",
    responses=ACCEPTED | responses(404, 409),
)
async def post_refusal(
    *,
    seq: Annotated[int, Path(ge=1, lt=1 << 63)],
    caller: Operator,
    context: Ctx,
    body: OrphanRefusal,
    response: Response,
    key: IdempotencyKey = "",
) -> CommandState:
    """By your word that it is no trade of ours, or one that is booked already."""
    return await control(context, commands.refuse_orphan(caller, seq, body), key, response)


@api.get("/disputes", summary="Executions that a client does not accept")
def get_disputes(
    *,
    _: Staff,
    connection: Reader,
    venue: Narrow = None,
    order_id: Narrow = None,
    is_open: Annotated[Flag | None, Query(description="only open, or only settled, ones")] = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[Dispute]:
    """They stay booked until settled; newest first."""
    page = list_disputes(
        connection, venue=venue, order_id=order_id, is_open=is_open, cursor=cursor, limit=limit
    )
    return listing(Dispute, page)


@api.post(
    "/disputes/{seq}/resolve",
    summary="Settle a disputed execution",
    responses=ACCEPTED | responses(404, 409),
)
async def post_resolution(
    *,
    seq: Annotated[int, Path(ge=1, lt=1 << 63)],
    caller: Operator,
    context: Ctx,
    body: DisputeResolution,
    response: Response,
    key: IdempotencyKey = "",
) -> CommandState:
    """By your word that it stands; a bust or correction by its venue settles it too."""
    return await control(context, commands.resolve_dispute(caller, seq, body), key, response)


@api.get("/discrepancies", summary="Figures in venue reports that differ from ours")
def get_discrepancies(
    *,
    _: Staff,
    connection: Reader,
    order_id: Narrow = None,
    trade_date: Day | None = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[Discrepancy]:
    """Newest first."""
    page = list_discrepancies(
        connection, order_id=order_id, trade_date=trade_date, cursor=cursor, limit=limit
    )
    return listing(Discrepancy, page)
