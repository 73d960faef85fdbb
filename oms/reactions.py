"""Reactions: what an event makes necessary next, given the state after it.

Here client orders meet the router: uncovered quantity is placed, children are withdrawn for a
cancel, a replace or the end of the day, and their fate is carried to the client order.
"""

from collections.abc import Iterator
from decimal import Decimal

from ems import resync, router
from oms.domain.events import (
    CancelPending,
    CancelRejected,
    Event,
    ExpiryPending,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderHeld,
    OrderRejected,
    OrderReplaced,
    OrderRouted,
    OrderTerms,
    ReplacePending,
    ReplaceRejected,
    ResyncCompleted,
    SessionOpened,
    TradeExecuted,
    VenueQuote,
)
from oms.domain.instrument import Venue
from oms.domain.order import Order, RequestKind
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.orders.settle import children_open, rejected, replaced, settle, uncovered
from oms.risk.limits import killed


def react(state: State, event: Event, seq: int) -> Iterator[Event]:
    """The events that follow from this one; seq: the journal number of the command behind it."""
    match event:
        case OrderAccepted():
            yield from place(state, state.orders[event.order_id])
        case SessionOpened():
            if state.reference.venue_of_session(event.session) is not None:
                yield resync.start(state.session(event.session), seq)
        case ResyncCompleted():
            for order_id in list(state.held):
                yield from place(state, state.orders[order_id])
        case TradeExecuted():
            yield from _after_trade(state, event)
        case CancelPending() | ExpiryPending() | ReplacePending():
            yield from _after_request(state, event)
        case CancelRejected() | ReplaceRejected():
            yield from _after_refusal(state, event)
        case OrderReplaced():
            yield from _after_replaced(state, state.orders[event.order_id])
        case OrderRejected() | OrderCanceled() | OrderExpired():
            yield from _after_close(state, event)
        case OrderAcknowledged() | OrderConfirmed():
            parent = _parent(state, event.order_id)
            if parent is not None and _leaving(parent):
                yield from _withdraw(state, parent)
        case _:
            pass


def _parent(state: State, order_id: str) -> Order | None:
    order = state.orders[order_id]
    return state.orders[order.parent_id] if order.is_child else None


def _leaving(parent: Order) -> bool:
    """Whether the children are to be withdrawn: a cancel, the day's end, or a rerouting."""
    return parent.expiring or any(
        request.kind is RequestKind.CANCEL or _reroutes(parent) for request in parent.requests
    )


def _reroutes(parent: Order) -> bool:
    """Whether the pending replace is carried out by cancelling children and routing anew."""
    return len(parent.open_children) != 1


def _progress(state: State, parent: Order) -> Iterator[Event]:
    event = settle(parent)
    if event is not None:
        yield event
    else:
        yield from place(state, parent)


def _after_trade(state: State, event: TradeExecuted) -> Iterator[Event]:
    parent = state.orders[event.parent_id]
    if parent.closed is not None:
        return
    if parent.is_filled or event.excess:
        yield from _withdraw(state, parent)
    yield from _progress(state, parent)


def _after_request(
    state: State, event: CancelPending | ExpiryPending | ReplacePending
) -> Iterator[Event]:
    order = state.orders[event.order_id]
    if order.is_child:
        return
    if not order.open_children:
        yield from _progress(state, order)
    elif isinstance(event, ReplacePending):
        yield from _carry_out_replace(state, order, event)
    else:
        yield from _withdraw(state, order)


def _carry_out_replace(state: State, parent: Order, event: ReplacePending) -> Iterator[Event]:
    """One working child is replaced at its venue and keeps what priority it can; several, or one
    that would have nothing left, are cancelled, and the rest is routed anew.
    """
    children = children_open(state, parent)
    child = children[0]
    child_qty = event.order_qty - (parent.cum_qty - child.cum_qty)
    native = len(children) == 1 and child.accepted and not child.requests
    if native and child_qty > child.cum_qty:
        yield ReplacePending(
            order_id=child.order_id,
            cl_ord_id=_request_id(child),
            orig_cl_ord_id=child.cl_ord_id,
            order_qty=child_qty,
            price=event.price,
        )
    else:
        yield from _withdraw(state, parent)


def _request_id(child: Order) -> str:
    return f"{child.order_id}.{child.requests_made + 1}"


def _withdraw(state: State, parent: Order) -> Iterator[Event]:
    """Ask for the cancel of every open child whose state we know and that is not asked for yet."""
    for child in children_open(state, parent):
        asked = any(request.kind is RequestKind.CANCEL for request in child.requests)
        if asked or child.in_doubt:
            continue
        last = child.requests[-1].cl_ord_id if child.requests else child.cl_ord_id
        yield CancelPending(
            order_id=child.order_id, cl_ord_id=_request_id(child), orig_cl_ord_id=last
        )


def _after_refusal(state: State, event: CancelRejected | ReplaceRejected) -> Iterator[Event]:
    child = state.orders[event.order_id]
    parent = _parent(state, event.order_id)
    if parent is None:
        yield from _progress(state, child)
        return
    if not child.is_open:
        yield from _progress(state, parent)
    elif event.reason is Reason.STALE and _leaving(parent):
        yield from _withdraw(state, parent)
    elif parent.requests:
        request = parent.requests[0]
        yield rejected(parent, request, event.reason, event.text, event.cxl_rej_reason)


def _after_replaced(state: State, order: Order) -> Iterator[Event]:
    parent = _parent(state, order.order_id)
    if parent is None:
        yield from _progress(state, order)
        return
    for request in parent.requests:
        if request.kind is RequestKind.REPLACE:
            yield replaced(parent, request)
            return
    if _leaving(parent):
        yield from _withdraw(state, parent)


def _after_close(
    state: State, event: OrderRejected | OrderCanceled | OrderExpired
) -> Iterator[Event]:
    parent = _parent(state, event.order_id)
    if parent is None or parent.closed is not None:
        return
    busted = isinstance(event, OrderCanceled) and event.reason is Reason.TRADE_BUSTED
    if busted and not (parent.requests or parent.expiring):
        return
    closing = settle(parent)
    if closing is not None:
        yield closing
    else:
        yield from place(state, parent, event)


def place(
    state: State,
    parent: Order,
    after: OrderRejected | OrderCanceled | OrderExpired | None = None,
) -> Iterator[Event]:
    """Route what no child covers; hold it while venues are away; end the order when none is left.

    after: the child's end that made the quantity free, if that is why.
    """
    quantity = uncovered(state, parent)
    if quantity <= 0 or killed(state, parent.first_terms) is not None:
        return
    instrument = state.reference.instruments.get(parent.symbol)
    if instrument is None:
        return
    wish = router.Wish(
        side=parent.side,
        ord_type=parent.ord_type,
        price=parent.price,
        time_in_force=parent.time_in_force,
        order_qty=quantity,
    )
    able = [
        venue
        for name in instrument.venues
        if (venue := state.reference.venues.get(name)) is not None
        and router.supports(venue, wish)
        and name not in parent.refused_by
    ]
    ready = [venue for venue in able if state.session(venue.session).ready]
    quotes = state.market.get(parent.symbol, {})
    legs = router.plan(wish, instrument, ready, quotes)
    if legs:
        seen = tuple(VenueQuote(venue=one.name, quote=quotes.get(one.name)) for one in ready)
        for n, leg in enumerate(legs, start=len(parent.children) + 1):
            yield _routed(parent, f"{parent.order_id}-{n}", leg, seen)
    elif able and not parent.time_in_force.immediate:
        if parent.order_id not in state.held:
            names = ", ".join(venue.name for venue in able)
            yield OrderHeld(
                order_id=parent.order_id,
                reason=Reason.NO_VENUE_CONNECTED,
                text=f"waits for {names}",
            )
    elif not parent.open_children:
        yield _give_up(parent, able, quantity, after)


def _routed(
    parent: Order, order_id: str, leg: router.Leg, seen: tuple[VenueQuote, ...]
) -> OrderRouted:
    return OrderRouted(
        order_id=order_id,
        parent_id=parent.order_id,
        terms=OrderTerms(
            counterparty=leg.venue.name,
            session=leg.venue.session,
            cl_ord_id=order_id,
            account=parent.account,
            symbol=parent.symbol,
            side=parent.side,
            order_qty=leg.order_qty,
            ord_type=parent.ord_type,
            price=parent.price,
            time_in_force=parent.time_in_force,
        ),
        why=leg.why,
        quotes=seen,
    )


def _give_up(
    parent: Order,
    able: list[Venue],
    quantity: Decimal,
    after: OrderRejected | OrderCanceled | OrderExpired | None,
) -> Event:
    """No venue takes the rest: an order that never traded is rejected, another is cancelled."""
    if isinstance(after, (OrderCanceled, OrderExpired)):
        return OrderCanceled(
            order_id=parent.order_id,
            cl_ord_id="",
            reason=Reason.VENUE_CLOSED_ORDER,
            text=after.text or f"{quantity} not filled at any venue",
        )
    reason = Reason.NO_VENUE_CONNECTED if able else Reason.NO_VENUE
    text = "no venue is connected" if able else "no venue takes this order"
    if isinstance(after, OrderRejected):
        reason, text = Reason.VENUE_REFUSED, after.text
    if parent.cum_qty:
        return OrderCanceled(order_id=parent.order_id, cl_ord_id="", reason=reason, text=text)
    return OrderRejected(order_id=parent.order_id, reason=reason, text=text)
