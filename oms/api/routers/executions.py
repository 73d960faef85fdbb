"""Executions: GET /v1/executions."""

from oms.api.auth import Caller
from oms.api.context import Reader
from oms.api.routers.common import InWindow, Narrow, listing, router
from oms.api.shown import Execution, Listing
from oms.api.values import Day, Flag
from oms.queries.executions import ExecutionFilter, list_executions

api = router("executions")


@api.get("/executions", summary="Trades, newest first")
def get_executions(
    *,
    caller: Caller,
    connection: Reader,
    window: InWindow,
    order_id: Narrow = None,
    account: Narrow = None,
    symbol: Narrow = None,
    venue: Narrow = None,
    exec_id: Narrow = None,
    trade_date: Day | None = None,
    busted: Flag | None = None,
) -> Listing[Execution]:
    """order_id may be a client order's or a child order's. A key with a client sees its own."""
    narrowed = ExecutionFilter(
        order_id=order_id,
        account=account,
        symbol=symbol,
        venue=venue,
        exec_id=exec_id,
        trade_date=trade_date,
        busted=busted,
    )
    page = list_executions(connection, scope=caller.scope, narrowed=narrowed, window=window)
    return listing(Execution, page)
