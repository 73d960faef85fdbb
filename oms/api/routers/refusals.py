"""What was refused, cannot be placed or is disputed: GET /v1/refusals, /v1/orphans,
/v1/discrepancies, /v1/disputes.
"""

from typing import Annotated

from fastapi import Path, Query

from oms.api import commands
from oms.api.auth import Caller, Operator, Staff
from oms.api.context import Reader
from oms.api.orphan_shown import Orphan
from oms.api.problems import responses
from oms.api.requests import DisputeResolution, OrphanAdoption, OrphanRefusal
from oms.api.routers.common import Core, InWindow, Narrow, listing, router
from oms.api.shown import CommandState, Discrepancy, Dispute, Listing, Refusal
from oms.api.submit import ACCEPTED
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
    window: InWindow,
    reason: Narrow = None,
    session: Narrow = None,
    cl_ord_id: Narrow = None,
) -> Listing[Refusal]:
    """Each by its reason's name and text. A key with a client sees those about its orders."""
    page = list_refusals(
        connection,
        scope=caller.scope,
        reason=reason,
        session=session,
        cl_ord_id=cl_ord_id,
        window=window,
    )
    return listing(Refusal, page)


@api.get("/orphans", summary="Venue reports for orders or trades that we do not know")
def get_orphans(
    *,
    _: Staff,
    connection: Reader,
    window: InWindow,
    venue: Narrow = None,
    trade_date: Day | None = None,
    is_open: Annotated[
        Flag | None, Query(description="only those that wait, or only others")
    ] = None,
) -> Listing[Orphan]:
    """Kept for reconciliation, newest first; an open one waits for a decision."""
    page = list_orphans(
        connection, venue=venue, trade_date=trade_date, is_open=is_open, window=window
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
    core: Core,
    body: OrphanAdoption,
) -> CommandState:
    """To the order that it is of, else as an external order's of that account."""
    return await core.send(commands.adopt_orphan(caller, seq, body))


@api.post(
    "/orphans/{seq}/refuse",
    summary="Book nothing of a report that fits no order of ours",
    responses=ACCEPTED | responses(404, 409),
)
async def post_refusal(
    *,
    seq: Annotated[int, Path(ge=1, lt=1 << 63)],
    caller: Operator,
    core: Core,
    body: OrphanRefusal,
) -> CommandState:
    """By your word that it is no trade of ours, or one that is booked already."""
    return await core.send(commands.refuse_orphan(caller, seq, body))


@api.get("/disputes", summary="Executions that a client does not accept")
def get_disputes(
    *,
    _: Staff,
    connection: Reader,
    window: InWindow,
    venue: Narrow = None,
    order_id: Narrow = None,
    is_open: Annotated[Flag | None, Query(description="only open, or only settled, ones")] = None,
) -> Listing[Dispute]:
    """They stay booked until settled; newest first."""
    page = list_disputes(connection, venue=venue, order_id=order_id, is_open=is_open, window=window)
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
    core: Core,
    body: DisputeResolution,
) -> CommandState:
    """By your word that it stands; a bust or correction by its venue settles it too."""
    return await core.send(commands.resolve_dispute(caller, seq, body))


@api.get("/discrepancies", summary="Figures in venue reports that differ from ours")
def get_discrepancies(
    *,
    _: Staff,
    connection: Reader,
    window: InWindow,
    order_id: Narrow = None,
    trade_date: Day | None = None,
) -> Listing[Discrepancy]:
    """Newest first."""
    page = list_discrepancies(connection, order_id=order_id, trade_date=trade_date, window=window)
    return listing(Discrepancy, page)
