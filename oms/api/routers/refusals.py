"""What was refused or cannot be placed: GET /v1/refusals, /v1/orphans, /v1/discrepancies."""

from oms.api.auth import Caller, Staff
from oms.api.context import Reader
from oms.api.routers.common import Cursor, Limit, Narrow, listing, router
from oms.api.shown import Discrepancy, Listing, Orphan, Refusal
from oms.api.values import Day
from oms.queries.refusals import list_discrepancies, list_orphans, list_refusals

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
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Listing[Orphan]:
    """Kept for reconciliation, newest first."""
    page = list_orphans(connection, venue=venue, trade_date=trade_date, cursor=cursor, limit=limit)
    return listing(Orphan, page)


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
