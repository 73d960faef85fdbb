"""Lists of orders (baskets): GET /v1/lists, GET /v1/lists/{list_id}."""

from typing import Annotated

from fastapi import Path

from oms.api.auth import Caller
from oms.api.context import Reader
from oms.api.list_shown import ListedOrder, OrderList, OrderListDetail
from oms.api.problems import not_found, responses
from oms.api.routers.common import InWindow, Narrow, listing, router
from oms.api.shown import Listing
from oms.api.values import PRINTABLE, Day
from oms.queries.lists import get_list, list_lists, orders_of

api = router("lists")

ListIdInPath = Annotated[str, Path(max_length=64, pattern=PRINTABLE)]


@api.get("/lists", summary="Lists of orders, newest first")
def get_lists(
    *,
    caller: Caller,
    connection: Reader,
    window: InWindow,
    client: Narrow = None,
    list_id: Narrow = None,
    trade_date: Day | None = None,
) -> Listing[OrderList]:
    """Those that were taken (NewOrderList); those that were refused are among the refusals."""
    page = list_lists(
        connection,
        scope=caller.scope,
        client=client,
        list_id=list_id,
        trade_date=trade_date,
        window=window,
    )
    return listing(OrderList, page)


@api.get("/lists/{list_id:path}", summary="One list with its orders", responses=responses(404))
def get_one_list(
    *, caller: Caller, connection: Reader, list_id: ListIdInPath, client: Narrow = None
) -> OrderListDetail:
    """The newest of that ListID, of your client or of the one that is named."""
    row = get_list(connection, list_id, client=client, scope=caller.scope)
    if row is None:
        raise not_found("list", list_id)
    found = orders_of(connection, row["seq"], scope=caller.scope)
    shown = [ListedOrder.model_validate(one) for one in found]
    return OrderListDetail.model_validate({**row, "orders": shown})
