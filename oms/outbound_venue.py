"""What venues are sent: orders, requests on them, and questions; pure."""

from collections.abc import Iterator
from dataclasses import replace

from oms.domain.conditions import Conditions
from oms.domain.effects import (
    Effect,
    SendMarketDataRequest,
    SendNewOrderSingle,
    SendOrderCancelReplaceRequest,
    SendOrderCancelRequest,
    SendOrderMassStatusRequest,
    SendOrderStatusRequest,
)
from oms.domain.events import (
    CancelPending,
    OrderResent,
    OrderRouted,
    OrderStatusQueried,
    ReplacePending,
    ResyncStarted,
)
from oms.domain.order import Order
from oms.domain.state import State

VenueEvent = OrderRouted | OrderResent | CancelPending | ReplacePending | OrderStatusQueried


def order_message(state: State, seq: int, event: VenueEvent) -> Effect:
    """The message about one child order."""
    child = state.orders[event.order_id]
    match event:
        case OrderRouted() | OrderResent():
            resent = isinstance(event, OrderResent)
            return _new_order(child, seq, state.at, poss_resend=resent)
        case CancelPending() | ReplacePending():
            return _request(child, seq, state.at, event)
        case OrderStatusQueried():
            return _status_request(child, seq, state.at)


def _new_order(child: Order, seq: int, at: int, *, poss_resend: bool) -> SendNewOrderSingle:
    return SendNewOrderSingle(
        session=child.session,
        event_seq=seq,
        at=at,
        order_id=child.order_id,
        cl_ord_id=child.cl_ord_id,
        account=child.account,
        symbol=child.symbol,
        side=child.side,
        order_qty=child.order_qty,
        ord_type=child.ord_type,
        price=child.price,
        time_in_force=child.time_in_force,
        poss_resend=poss_resend,
        conditions=child.conditions,
    )


def _request(order: Order, seq: int, at: int, event: CancelPending | ReplacePending) -> Effect:
    if isinstance(event, ReplacePending):
        return SendOrderCancelReplaceRequest(
            session=order.session,
            event_seq=seq,
            at=at,
            order_id=order.order_id,
            cl_ord_id=event.cl_ord_id,
            orig_cl_ord_id=event.orig_cl_ord_id,
            venue_order_id=order.venue_order_id,
            account=order.account,
            symbol=order.symbol,
            side=order.side,
            order_qty=event.order_qty,
            ord_type=order.ord_type,
            price=event.price,
            time_in_force=order.time_in_force,
            conditions=_conditions_after(order, event),
        )
    return SendOrderCancelRequest(
        session=order.session,
        event_seq=seq,
        at=at,
        order_id=order.order_id,
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=event.orig_cl_ord_id,
        venue_order_id=order.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        order_qty=order.order_qty,
    )


def _conditions_after(order: Order, event: ReplacePending) -> Conditions | None:
    if event.stop_px is None or order.conditions is None:
        return order.conditions
    return replace(order.conditions, stop_px=event.stop_px)


def _status_request(child: Order, seq: int, at: int) -> SendOrderStatusRequest:
    return SendOrderStatusRequest(
        session=child.session,
        event_seq=seq,
        at=at,
        order_id=child.order_id,
        cl_ord_id=child.cl_ord_id,
        venue_order_id=child.venue_order_id,
        symbol=child.symbol,
        side=child.side,
    )


def resync_messages(state: State, seq: int, event: ResyncStarted) -> Iterator[Effect]:
    """The mass status request where the venue has it, and the subscription to its quotes."""
    venue = state.reference.venue_of_session(event.session)
    if venue is None or venue.profile.mass_status:
        yield SendOrderMassStatusRequest(
            session=event.session,
            event_seq=seq,
            at=state.at,
            mass_status_req_id=event.mass_status_req_id,
        )
    symbols = tuple(
        one.symbol
        for one in state.reference.instruments.values()
        if venue is not None and venue.name in one.venues
    )
    if venue is not None and venue.market_data and symbols:
        yield SendMarketDataRequest(
            session=event.session,
            event_seq=seq,
            at=state.at,
            md_req_id=f"MD{seq}",
            symbols=symbols,
        )
