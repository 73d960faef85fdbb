"""Orders: submit, look, replace, cancel, and resolve what is in doubt."""

from typing import Annotated

from fastapi import Query, Response

from oms.api import commands
from oms.api.auth import Caller, Handler, Operator
from oms.api.context import Ctx, Reader
from oms.api.problems import invalid, not_found, responses
from oms.api.requests import Cancellation, MassCancellation, NewOrder, Replacement, Resolution
from oms.api.routers.common import Core, InWindow, Narrow, OrderIdInPath, listing, router
from oms.api.shown import ChildOrder, CommandState, Execution, Listing, Order, OrderDetail
from oms.api.submit import ACCEPTED, control, order_command, visible_order
from oms.api.values import ClOrdId, Day, Flag, Moment, SideName, StatusName
from oms.queries.orders import (
    OrderFilter,
    children_of,
    executions_of,
    get_order,
    list_orders,
    names_of,
)

api = router("orders")


@api.post(
    "/orders",
    status_code=201,
    summary="Submit an order",
    responses=ACCEPTED | responses(404, 409, 413),
)
async def post_order(caller: Handler, context: Ctx, body: NewOrder, response: Response) -> Order:
    """Checked by risk, routed, and answered with the order, under /v1/orders/{order_id}.

    Sent again with the same cl_ord_id and content it is answered as the first time and is no second
    order; with other content it is refused with 409. FIX and REST share one space of ClOrdIDs. 202
    says that the core has not answered yet: the order is kept and will be taken; ask at Location.
    """
    command = commands.new_order(caller, body)
    return await order_command(context, caller, command, response)


@api.get("/orders", summary="Orders, newest first")
def get_orders(
    *,
    caller: Caller,
    connection: Reader,
    window: InWindow,
    client: Narrow = None,
    account: Narrow = None,
    symbol: Narrow = None,
    side: SideName | None = None,
    status: StatusName | None = None,
    cl_ord_id: Annotated[ClOrdId | None, Query()] = None,
    is_open: Flag | None = None,
    in_doubt: Flag | None = None,
    trade_date: Day | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Listing[Order]:
    """since and until are of creation. cl_ord_id finds an order by any of its chain."""
    narrowed = OrderFilter(
        client=client,
        account=account,
        symbol=symbol,
        side=None if side is None else side.value,
        status=status,
        cl_ord_id=cl_ord_id,
        is_open=is_open,
        in_doubt=in_doubt,
        trade_date=trade_date,
        since=since,
        until=until,
    )
    page = list_orders(connection, scope=caller.scope, narrowed=narrowed, window=window)
    return listing(Order, page)


@api.get("/orders/{order_id}", summary="One order with all below it", responses=responses(404))
def get_one_order(caller: Caller, connection: Reader, order_id: OrderIdInPath) -> OrderDetail:
    """The order, its orders at venues, and its trades, all of one moment."""
    row = get_order(connection, order_id, scope=caller.scope)
    if row is None:
        raise not_found("order", order_id)
    return OrderDetail.model_validate(
        {
            **row,
            "cl_ord_ids": names_of(connection, order_id),
            "children": [
                ChildOrder.model_validate(one) for one in children_of(connection, order_id)
            ],
            "executions": [
                Execution.model_validate(one) for one in executions_of(connection, order_id)
            ],
        }
    )


@api.put(
    "/orders/{order_id}",
    summary="Replace quantity and price",
    responses=ACCEPTED | responses(404, 409),
)
async def put_order(
    caller: Handler, context: Ctx, order_id: OrderIdInPath, body: Replacement, response: Response
) -> Order:
    """Answered once the replace is pending or refused; cl_ord_id names the replace itself."""
    client = await visible_order(context, caller, order_id)
    command = commands.replace(caller, client, order_id, body)
    return await order_command(context, caller, command, response)


@api.post(
    "/orders/{order_id}/cancel",
    summary="Cancel an order",
    responses=ACCEPTED | responses(404, 409),
)
async def post_cancel(
    caller: Handler, context: Ctx, order_id: OrderIdInPath, body: Cancellation, response: Response
) -> Order:
    """Answered once the cancel is pending or refused; cl_ord_id names the cancel itself."""
    client = await visible_order(context, caller, order_id)
    command = commands.cancel(caller, client, order_id, body)
    return await order_command(context, caller, command, response)


@api.delete(
    "/orders/{order_id}",
    summary="Cancel an order",
    responses=ACCEPTED | responses(404, 409),
)
async def delete_order(
    caller: Handler,
    context: Ctx,
    order_id: OrderIdInPath,
    cl_ord_id: Annotated[ClOrdId, Query()],
    response: Response,
) -> Order:
    """As POST to its /cancel."""
    body = Cancellation(cl_ord_id=cl_ord_id)
    return await post_cancel(caller, context, order_id, body, response)


@api.post(
    "/orders/mass-cancel",
    summary="Cancel every open order that matches",
    responses=ACCEPTED | responses(409),
)
async def post_mass_cancel(
    caller: Handler, context: Ctx, body: MassCancellation, response: Response
) -> CommandState:
    """Of the key's client, or of the client that is named by a key without one."""
    known = [one.name for one in context.settings.clients]
    if not caller.client and body.client and body.client not in known:
        raise invalid("client", body.client, f"must be one of {', '.join(known) or 'none'}")
    command = commands.mass_cancel(caller, body)
    return await control(context, command, body.cl_ord_id, response)


@api.post(
    "/orders/{order_id}/resolve",
    summary="Decide about a child order in doubt",
    responses=ACCEPTED | responses(404, 409),
)
async def post_resolve(
    *,
    caller: Operator,
    core: Core,
    order_id: OrderIdInPath,
    body: Resolution,
) -> CommandState:
    """Where the venue cannot say: a human does, by name and with a reason, for the record."""
    command = commands.resolve(caller, order_id, body)
    return await core.send(command)
