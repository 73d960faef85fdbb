"""Lists of orders (baskets), as REST shows them."""

from datetime import date, datetime
from enum import StrEnum

from oms.api.shown import Answer
from oms.api.values import Amount, OrdStatusShown, SideShown


class ListState(StrEnum):
    """How a list stands."""

    WAITING = "WAITING"
    EXECUTING = "EXECUTING"
    CANCELLING = "CANCELLING"
    ALL_DONE = "ALL_DONE"


class OrderList(Answer):
    """A list of orders that was taken. waits: it is executed by a ListExecute, and not before.

    status: as ListOrderStatus (431) tells it. open_orders: how many of its orders can trade.
    done_at: when none of them could any more.
    """

    seq: int
    at: datetime
    client: str
    list_id: str
    session: str
    trade_date: date | None
    tot_no_orders: int
    open_orders: int
    waits: bool
    begun_at: datetime | None
    canceled_at: datetime | None
    done_at: datetime | None
    status: ListState


class ListedOrder(Answer):
    """An order of a list. order_id is null before it is an order, and where it never became one:
    its ClOrdID was in use, or the list was cancelled first.
    """

    list_seq_no: int
    cl_ord_id: str
    account: str
    symbol: str
    side: SideShown
    order_qty: Amount
    order_id: str | None
    ord_status: OrdStatusShown | None
    status: str | None
    cum_qty: Amount | None
    leaves_qty: Amount | None
    avg_px: Amount | None
    closed_reason: str | None
    text: str | None


class OrderListDetail(OrderList):
    """A list and its orders, by ListSeqNo."""

    orders: list[ListedOrder]
