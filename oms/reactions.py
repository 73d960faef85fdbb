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
    EpochOpened,
    Event,
    ExpiryPending,
    KillSwitchReleased,
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
    ResyncStarted,
    SessionOpened,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    VenueQuote,
)
from oms.domain.instrument import Instrument, Venue
from oms.domain.order import Order, Request, RequestKind
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import decimal_text
from oms.orders.settle import (
    children_open,
    given_up,
    overcovered,
    rejected,
    replaced,
    replaces_natively,
    settle,
    taken_up,
    uncovered,
)
from oms.risk.limits import killed


def react(state: State, event: Event, seq: int) -> Iterator[Event]:
    """The events that follow from this one; seq: the journal number of the command behind it."""
    match event:
        case OrderAccepted():
            yield from place(state, state.orders[event.order_id])
        case SessionOpened():
            if _is_venue(state, event.session):
                yield resync.start(state.session(event.session), seq)
        case EpochOpened():
            if state.session(event.session).logged_on and _is_venue(state, event.session):
                yield resync.start(state.session(event.session), seq)
        case ResyncStarted():
            yield from _without_mass_status(state, event)
        case ResyncCompleted() | KillSwitchReleased():
            for order_id in list(state.held):
                yield from place(state, state.orders[order_id])
        case TradeExecuted():
            yield from _after_trade(state, state.orders[event.parent_id])
        case TradeBusted() | TradeCorrected():
            yield from _after_amended_trade(state, state.orders[event.parent_id])
        case CancelPending() | ExpiryPending() | ReplacePending():
            yield from _after_request(state, event)
        case CancelRejected() | ReplaceRejected():
            yield from _after_refusal(state, event)
        case OrderReplaced():
            yield from _after_replaced(state, state.orders[event.order_id])
        case OrderRejected() | OrderCanceled() | OrderExpired():
            yield from _after_close(state, event)
        case OrderAcknowledged() | OrderConfirmed():
            yield from _after_news(state, event)
        case _:
            pass


def _after_news(state: State, event: OrderAcknowledged | OrderConfirmed) -> Iterator[Event]:
    """The venue has the child: its client may have waited for that, or not want it any more."""
    parent = _parent(state, event.order_id)
    if parent is None:
        return
    at_venue = state.orders[event.order_id].accepted
    if at_venue and not parent.accepted and parent.closed is None:
        implied = isinstance(event, OrderAcknowledged) and event.implied
        yield OrderAcknowledged(order_id=parent.order_id, venue_order_id="", implied=implied)
    if _leaving(state, parent):
        yield from _withdraw(state, parent)


def _without_mass_status(state: State, event: ResyncStarted) -> Iterator[Event]:
    """A venue that has no mass status is asked for each of its orders, and then ready."""
    venue = state.reference.venue_of_session(event.session)
    if venue is not None and not venue.profile.mass_status:
        yield from resync.complete(state, venue, state.session(event.session))


def _is_venue(state: State, session: str) -> bool:
    return state.reference.venue_of_session(session) is not None


def _parent(state: State, order_id: str) -> Order | None:
    order = state.orders[order_id]
    return state.orders[order.parent_id] if order.is_child else None


def _leaving(state: State, parent: Order) -> bool:
    """Whether the children are to be withdrawn: the order is done, is asked to be, is carried out
    anew by a replace that no venue was asked for, or has more in the market than it has open.
    """
    if not parent.is_live or parent.expiring:
        return True
    for request in parent.requests:
        if request.kind is RequestKind.CANCEL or not replaces_natively(state, parent):
            return True
    return overcovered(state, parent)


def _progress(state: State, parent: Order) -> Iterator[Event]:
    event = settle(state, parent)
    if event is not None:
        yield event
    elif parent.waiting and not parent.requests and parent.closed is None:
        yield taken_up(state, parent, killed=killed(state, parent.first_terms) is not None)
    else:
        yield from place(state, parent)


def _after_trade(state: State, parent: Order) -> Iterator[Event]:
    if parent.open_children and _leaving(state, parent):
        yield from _withdraw(state, parent)
    yield from _progress(state, parent)


def _after_amended_trade(state: State, parent: Order) -> Iterator[Event]:
    """An order at work takes what a bust made free back to work; one that was done stays done."""
    at_work = parent.open_children or parent.order_id in state.held
    if at_work or parent.requests or parent.expiring or not parent.is_open:
        yield from _after_trade(state, parent)
    else:
        yield OrderCanceled(
            order_id=parent.order_id,
            cl_ord_id="",
            reason=Reason.TRADE_BUSTED,
            text="the venue took the trade back and does not work the order again",
        )


def _after_request(
    state: State, event: CancelPending | ExpiryPending | ReplacePending
) -> Iterator[Event]:
    order = state.orders[event.order_id]
    waits = isinstance(event, ReplacePending) and event.waits
    if order.is_child or waits:
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
    native = len(children) == 1 and child.accepted and child.is_open and not child.requests
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
        if asked or child.in_doubt or not child.is_open:
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
    if not child.is_live:
        yield from _progress(state, parent)
    elif _lost_cancel(event) and _leaving(state, parent):
        yield from _withdraw(state, parent)
    else:
        for request in _refused_with(state, parent, event):
            yield rejected(parent, request, event.reason, event.text, event.cxl_rej_reason)


def _lost_cancel(event: CancelRejected | ReplaceRejected) -> bool:
    """A cancel that was lost on its way is asked for again; a replace is its client's to ask."""
    return isinstance(event, CancelRejected) and event.reason is Reason.STALE


def _refused_with(
    state: State, parent: Order, event: CancelRejected | ReplaceRejected
) -> list[Request]:
    """The client's requests that come to nothing with this request of ours."""
    if isinstance(event, ReplaceRejected):
        return [one for one in parent.requests if one.kind is RequestKind.REPLACE]
    if replaces_natively(state, parent):
        return [one for one in parent.requests if one.kind is RequestKind.CANCEL]
    return list(parent.requests)


def _after_replaced(state: State, order: Order) -> Iterator[Event]:
    parent = _parent(state, order.order_id)
    if parent is None:
        parent = order
    elif not replaces_natively(state, parent):
        for request in parent.requests:
            if request.kind is RequestKind.REPLACE:
                yield replaced(parent, request)
                return
    yield from _after_trade(state, parent)


def _after_close(
    state: State, event: OrderRejected | OrderCanceled | OrderExpired
) -> Iterator[Event]:
    parent = _parent(state, event.order_id)
    if parent is None:
        yield from given_up(state.orders[event.order_id])
        return
    if parent.closed is not None:
        return
    closing = settle(state, parent)
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
    if quantity <= 0:
        return
    wish = router.Wish(
        side=parent.side,
        ord_type=parent.ord_type,
        price=parent.price,
        time_in_force=parent.time_in_force,
        order_qty=quantity,
    )
    instrument = state.reference.instruments.get(parent.symbol)
    able = _able(state, parent, instrument, wish)
    scope = killed(state, parent.first_terms)
    ready = [one for one in able if scope is None and state.session(one.session).ready]
    quotes = state.market.get(parent.symbol, {})
    if ready and instrument is not None:
        seen = tuple(VenueQuote(venue=one.name, quote=quotes.get(one.name)) for one in ready)
        legs = router.plan(wish, instrument, ready, quotes)
        for n, leg in enumerate(legs, start=len(parent.children) + 1):
            yield _routed(parent, f"{parent.order_id}-{n}", leg, seen)
    elif able and not parent.time_in_force.immediate:
        if parent.order_id not in state.held:
            yield _held(parent, able, scope)
    elif not parent.open_children:
        waits = Reason.KILL_SWITCH if scope else Reason.NO_VENUE_CONNECTED
        yield _give_up(parent, waits if able else Reason.NO_VENUE, quantity, after)


def _able(
    state: State, parent: Order, instrument: Instrument | None, wish: router.Wish
) -> list[Venue]:
    """The venues that may be asked, in configured order, whether they are connected or not."""
    return [
        venue
        for name in (instrument.venues if instrument else ())
        if (venue := state.reference.venues.get(name)) is not None
        and router.supports(venue, wish)
        and name not in parent.refused_by
    ]


def _held(parent: Order, able: list[Venue], scope: tuple[str, str] | None) -> OrderHeld:
    if scope is not None:
        reason, awaited = Reason.KILL_SWITCH, f"the kill switch at {scope[0]} {scope[1]}"
    else:
        reason, awaited = Reason.NO_VENUE_CONNECTED, ", ".join(one.name for one in able)
    return OrderHeld(order_id=parent.order_id, reason=reason, text=f"waits for {awaited}")


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


_GIVEN_UP = {
    Reason.NO_VENUE: "no venue takes this order",
    Reason.NO_VENUE_CONNECTED: "no venue is connected",
    Reason.KILL_SWITCH: "a kill switch is engaged",
}


def _give_up(
    parent: Order,
    reason: Reason,
    quantity: Decimal,
    after: OrderRejected | OrderCanceled | OrderExpired | None,
) -> Event:
    """No venue takes the rest: an order that never traded is rejected, another is cancelled."""
    if isinstance(after, (OrderCanceled, OrderExpired)):
        return OrderCanceled(
            order_id=parent.order_id,
            cl_ord_id="",
            reason=Reason.VENUE_CLOSED_ORDER,
            text=after.text or f"{decimal_text(quantity)} not filled at any venue",
            restatement=after.restatement if isinstance(after, OrderCanceled) else "",
        )
    text = _GIVEN_UP[reason]
    if isinstance(after, OrderRejected):
        reason, text = Reason.VENUE_REFUSED, after.text
    if parent.cum_qty:
        return OrderCanceled(order_id=parent.order_id, cl_ord_id="", reason=reason, text=text)
    return OrderRejected(order_id=parent.order_id, reason=reason, text=text)
