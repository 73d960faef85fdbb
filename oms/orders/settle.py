"""What the state of its children means for a client order: wait, finish a request, close, or go on.

`settle` is asked after every change and says the one next event, or nothing. What it cannot say,
how the uncovered quantity goes to venues, is the router's: `uncovered` tells how much that is.
"""

from decimal import Decimal

from oms.domain.events import (
    CancelRejected,
    Event,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    ReplacePending,
    ReplaceRejected,
)
from oms.domain.fix import CxlRejReason, TimeInForce
from oms.domain.order import Order, Request, RequestKind, open_children_leaves
from oms.domain.profile import BelowCumQty
from oms.domain.reasons import SPECS, Reason
from oms.domain.state import State
from oms.domain.terms import RiskFigure
from oms.domain.values import ZERO, decimal_text
from oms.domain.verdict import Verdict
from oms.orders.stop_prices import stop_px_fault


def children_open(state: State, parent: Order) -> list[Order]:
    """The children that can still trade, oldest first."""
    working = parent.open_children
    return [state.orders[one] for one in parent.children if one in working] if working else []


def uncovered(state: State, parent: Order) -> Decimal:
    """Open quantity of the parent that no open child covers."""
    if parent.requests or parent.expiring:
        return ZERO
    if not parent.open_children:
        return parent.leaves_qty
    return parent.leaves_qty - open_children_leaves(children_open(state, parent))


def overcovered(state: State, parent: Order) -> bool:
    """Whether the children could trade more than the parent has open: after a late fill, say."""
    return open_children_leaves(children_open(state, parent)) > parent.leaves_qty


def replaces_natively(state: State, parent: Order) -> bool:
    """Whether a venue still owes the answer to the replace of a child."""
    return any(
        request.kind is RequestKind.REPLACE
        for child in children_open(state, parent)
        for request in child.requests
    )


def settle(state: State, parent: Order) -> Event | None:
    """The next event of a client order whose children changed; None when there is none to say.

    A complete fill that met a replace on its way to the venue waits for the venue's answer: to act
    before it would place twice what the replace adds.
    """
    if parent.closed is not None:
        return None
    if parent.is_filled and parent.requests:
        if replaces_natively(state, parent):
            return None
        return _after_fill(parent, parent.requests[0])
    if parent.is_filled or parent.open_children:
        return None
    return _without_children(parent)


def _without_children(parent: Order) -> Event | None:
    """What becomes of an open order when nothing of it is in the market any more."""
    cancel = next((one for one in parent.requests if one.kind is RequestKind.CANCEL), None)
    if cancel is not None or parent.expiring:
        for request in parent.requests:
            if request.kind is RequestKind.REPLACE:
                return rejected(parent, request, Reason.TOO_LATE, "the order is withdrawn")
    if cancel is not None:
        asked = cancel.reason is Reason.NONE
        return OrderCanceled(
            order_id=parent.order_id,
            cl_ord_id=cancel.cl_ord_id if asked else "",
            reason=cancel.reason,
            text="" if asked else f"cancelled by the server: {cancel.reason}",
        )
    if parent.expiring:
        return OrderExpired(order_id=parent.order_id, text=_ended_by(parent))
    if parent.requests:
        return replaced(parent, parent.requests[0])
    return None


def _ended_by(order: Order) -> str:
    if order.time_in_force is TimeInForce.GTD:
        return "the time of the order is over"
    return "end of the trading day"


def _after_fill(parent: Order, request: Request) -> Event:
    """A request that met a complete fill: a larger quantity re-opens it, all else is late."""
    if request.kind is RequestKind.REPLACE and request.order_qty > parent.cum_qty:
        return replaced(parent, request)
    return rejected(parent, request, Reason.TOO_LATE, "filled before the request took effect")


def replaced(order: Order, request: Request) -> OrderReplaced:
    """The order takes on what its replace asked for, or what has traded if more (matrix C.3.c)."""
    return OrderReplaced(
        order_id=order.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        order_qty=max(request.order_qty, order.cum_qty),
        price=request.price,
        stop_px=request.stop_px,
    )


def taken_up(state: State, order: Order, verdict: Verdict) -> ReplacePending | ReplaceRejected:
    """What becomes of the replace that has waited longest, now that no other is pending.

    verdict: what risk says of it now; what it said when it came may be true no more.
    """
    request = order.waiting[0]
    profile = state.reference.client_profile(order.counterparty)
    below = request.order_qty < order.cum_qty
    if order.closed is not None or order.expiring:
        return _refused(order, request, Reason.TOO_LATE, "the order is withdrawn")
    if order.is_filled and (request.order_qty <= order.cum_qty or profile.filled_is_final):
        return _refused(order, request, Reason.TOO_LATE, "filled before the replace's turn came")
    if order.in_doubt:
        text = f"the state of {order.order_id} is unknown"
        return _refused(order, request, Reason.ORDER_STATE_UNKNOWN, text)
    triggered = stop_px_fault(order, request.stop_px)
    if triggered:
        return _refused(order, request, Reason.FIELD_NOT_REPLACEABLE, triggered)
    if below and profile.replace_below_cum_qty is BelowCumQty.REJECT:
        asked = f"OrderQty (38) = {decimal_text(request.order_qty)}"
        text = f"{asked}: must not be below CumQty {decimal_text(order.cum_qty)}"
        return _refused(order, request, Reason.BELOW_CUM_QTY, text)
    if verdict.reason is not Reason.NONE:
        return _refused(order, request, verdict.reason, verdict.text, verdict.figures)
    return ReplacePending(
        order_id=order.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        order_qty=request.order_qty,
        price=request.price,
        figures=verdict.figures,
        stop_px=request.stop_px,
    )


def given_up(order: Order) -> list[ReplaceRejected]:
    """The end of the order is the end of all that wait."""
    return [_refused(order, one, Reason.TOO_LATE, "the order ended first") for one in order.waiting]


def _refused(
    order: Order,
    request: Request,
    reason: Reason,
    text: str,
    figures: tuple[RiskFigure, ...] = (),
) -> ReplaceRejected:
    """OrigClOrdID is the last accepted id, whichever the request named (matrix D.2.c)."""
    return ReplaceRejected(
        order_id=order.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        reason=reason,
        cxl_rej_reason=SPECS[reason].cxl_rej_reason,
        text=text,
        figures=figures,
        waited=True,
    )


def rejected(
    order: Order,
    request: Request,
    reason: Reason,
    text: str,
    cxl_rej_reason: CxlRejReason | None = None,
) -> CancelRejected | ReplaceRejected:
    """A pending request of the order came to nothing."""
    kind = CancelRejected if request.kind is RequestKind.CANCEL else ReplaceRejected
    return kind(
        order_id=order.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        reason=reason,
        cxl_rej_reason=cxl_rej_reason or SPECS[reason].cxl_rej_reason,
        text=text,
    )
