"""Reactions: what an event makes necessary next, given the state after it.

Here client orders meet the router: uncovered quantity is placed, children are withdrawn for a
cancel, a replace or the end of the day, and their fate is carried to the client order.
"""

from collections.abc import Iterator
from dataclasses import replace

from ems import drop_copy, orphans, resync, stops
from ems.standings import for_parent
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
    OrderRejected,
    OrderReplaced,
    OrderRouted,
    OrderTriggered,
    OrphanReported,
    ReplacePending,
    ReplaceRejected,
    ResyncCompleted,
    ResyncStarted,
    SessionOpened,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
    TradingDateOpened,
)
from oms.domain.fix import OrdStatus
from oms.domain.order import Order, Request, RequestKind
from oms.domain.reasons import Reason
from oms.domain.session_events import SessionsReloaded
from oms.domain.standing_events import (
    OrderMarked,
    PriceRestated,
    QuantityRestated,
    StandingFact,
)
from oms.domain.state import State
from oms.judging import waited_verdict
from oms.orders import good_till
from oms.orders.disputes import settled_by
from oms.orders.settle import (
    children_open,
    given_up,
    overcovered,
    rejected,
    replaced,
    replaces_natively,
    settle,
    taken_up,
)
from oms.placing import place
from oms.sessions import hours


def react(state: State, event: Event, seq: int) -> Iterator[Event]:
    """The events that follow from this one; seq: the journal number of the command behind it."""
    match event:
        # The most frequent ones first: each case costs as much as a line.
        case OrderRouted():
            pass
        case OrderAcknowledged() | OrderConfirmed():
            yield from _after_news(state, event)
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
            yield from _after_execution(state, event)
        case TradeBusted() | TradeCorrected():
            yield from resync.out_of_sight(state, state.orders[event.order_id])
            yield from _after_amended_trade(state, event)
        case CancelPending() | ExpiryPending() | ReplacePending():
            yield from _after_request(state, event)
        case CancelRejected() | ReplaceRejected():
            yield from _after_refusal(state, event)
        case OrderReplaced():
            yield from _after_replaced(state, state.orders[event.order_id])
        case OrderRejected() | OrderCanceled() | OrderExpired():
            yield from _after_close(state, event)
        case OrderMarked() | QuantityRestated() | PriceRestated():
            yield from _after_standing(state, event)
        case OrderTriggered():
            yield from _after_trigger(state, event)
        case TradingDateOpened():
            yield from good_till.opened(state)
        case SessionsReloaded():
            yield from hours.unconfigured(state)
            yield from hours.due(state, state.at)
        case OrphanReported():
            yield from orphans.after_report(state)
        case _:
            pass


def _after_standing(state: State, event: StandingFact) -> Iterator[Event]:
    """Where its venue's new quantity has ended a child, what the client asked for is settled."""
    yield from for_parent(state, event)
    parent = _parent(state, event.order_id)
    asked = parent is not None and (parent.requests or parent.expiring)
    if parent is not None and asked and not state.orders[event.order_id].is_live:
        yield from _progress(state, parent)


def _after_trigger(state: State, event: OrderTriggered) -> Iterator[Event]:
    """We place what we held; what its venue triggered is triggered for its client too."""
    order = state.orders[event.order_id]
    if not order.is_child:
        yield from place(state, order)
        return
    parent = state.orders[order.parent_id]
    if not parent.triggered_at and parent.is_open:
        yield replace(event, order_id=parent.order_id)


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
        yield taken_up(state, parent, waited_verdict(state, parent))
    else:
        yield from place(state, parent)


def _after_execution(state: State, event: TradeExecuted) -> Iterator[Event]:
    if event.source:
        yield from resync.out_of_sight(state, state.orders[event.order_id])
    if state.orphans:
        yield from orphans.after_trade(state, event)
        yield from drop_copy.answered(state, event)
    yield from _after_trade(state, state.orders[event.parent_id])
    if state.stops:
        symbol = state.orders[event.order_id].symbol
        yield from stops.after_trade(state, symbol, event.last_px)


def _after_trade(state: State, parent: Order) -> Iterator[Event]:
    if parent.open_children and _leaving(state, parent):
        yield from _withdraw(state, parent)
    yield from _progress(state, parent)


def _after_amended_trade(state: State, event: TradeBusted | TradeCorrected) -> Iterator[Event]:
    """An order at work takes what a bust made free back to work; one that was done stays done, and
    ends as its child had ended.
    """
    yield from settled_by(state, event)
    parent, child = state.orders[event.parent_id], state.orders[event.order_id]
    at_work = parent.open_children or parent.order_id in state.held
    if at_work or parent.requests or parent.expiring or not parent.is_open:
        yield from _after_trade(state, parent)
    elif child.closed is OrdStatus.EXPIRED and not parent.time_in_force.immediate:
        yield OrderExpired(order_id=parent.order_id, text=child.text)
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
            stop_px=event.stop_px if child.ord_type.is_stop else None,
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
        if isinstance(event, ReplaceRejected) and _is_to_go(parent):
            yield from _withdraw(state, parent)


def _is_to_go(parent: Order) -> bool:
    """Whether its cancel, or its end, waited for what became of a replace."""
    canceled = any(one.kind is RequestKind.CANCEL for one in parent.requests)
    return canceled or parent.expiring or not parent.is_live


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
