"""The fold of the events about orders: orders, executions, positions and their indexes."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from oms.domain.events import (
    CancelPending,
    CancelRejected,
    ExpiryPending,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderHeld,
    OrderInDoubt,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderResent,
    OrderRestated,
    OrderRouted,
    OrderStatusQueried,
    OrderTriggered,
    ReplacePending,
    ReplaceRejected,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import OrdStatus, TimeInForce
from oms.domain.order import Order, Request, RequestKind, add_execution, new_order, without
from oms.domain.reasons import Reason
from oms.domain.splits import OrderRebased
from oms.domain.standing_events import (
    OrderMarked,
    PriceRestated,
    QuantityRestated,
    StandingFact,
)
from oms.domain.state import State
from oms.fold_baskets import follow_order, join_list
from oms.fold_trades import amend, before_trade, execution_of, name_child, tells_standing
from oms.positions.book import book_trade, rebuild, track_working
from oms.risk.checks import content_key

RECENT_ORDERS = 100_000

# A child that ended so was withdrawn by us: its venue refused nothing.
_OUR_CANCEL = (Reason.NONE, Reason.STALE)

RequestEvent = (
    CancelPending
    | CancelRejected
    | ReplacePending
    | ReplaceRejected
    | OrderReplaced
    | ExpiryPending
    | OrderHeld
    | OrderTriggered
)
StandingEvent = (
    OrderAcknowledged
    | OrderRejected
    | OrderCanceled
    | OrderExpired
    | OrderResent
    | OrderInDoubt
    | OrderStatusQueried
    | StandingFact
    | OrderConfirmed
    | OrderRestated
    | OrderRebased
)
OrderEvent = (
    OrderAccepted
    | OrderRefused
    | OrderRouted
    | TradeExecuted
    | TradeBusted
    | TradeCorrected
    | RequestEvent
    | StandingEvent
)


def fold_order_event(state: State, seq: int, at: int, event: OrderEvent) -> None:
    """Change one order (and its parent, its position, the indexes) by one event."""
    match event:
        case TradeExecuted():
            _trade(state, seq, at, event)
        case OrderAccepted() | OrderRefused():
            _begin(state, at, event)
        case OrderRouted():
            _begin_child(state, at, event)
        case TradeBusted() | TradeCorrected():
            _amend_trade(state, seq, at, event)
        case _:
            order = state.orders[event.order_id]
            exposure = order.exposure
            if isinstance(event, RequestEvent):
                _change_request(state, order, at, event)
            else:
                _change_standing(state, order, at, event)
            _after(state, order, at, exposure)
            if isinstance(event, OrderConfirmed) and order.parent_id in state.held:
                state.hold_no_more(order.parent_id)


def _change_request(state: State, order: Order, at: int, event: RequestEvent) -> None:
    match event:
        case CancelPending() | ReplacePending():
            _request(state, order, at, event)
        case CancelRejected() | ReplaceRejected():
            _answer_request(state, order, event.cl_ord_id)
        case OrderReplaced():
            order.accepted = True
            order.order_qty = event.order_qty
            order.price = event.price
            if event.stop_px is not None and order.conditions is not None:
                order.conditions = replace(order.conditions, stop_px=event.stop_px)
            order.refused_by = frozenset()
            state.held.pop(order.order_id, None)
            order.cl_ord_id = event.cl_ord_id
            _answer_request(state, order, event.cl_ord_id)
        case ExpiryPending():
            order.expiring = True
        case OrderHeld():
            state.held[order.order_id] = None
            order.text = event.text
            if event.reason is Reason.STOP_NOT_REACHED:
                state.stops.setdefault(order.symbol, {})[order.order_id] = None
        case OrderTriggered():
            order.triggered_at = at
            order.text = ""
            state.held.pop(order.order_id, None)
            _held_no_more(state, order)
        case _:
            assert_never(event)


def _held_no_more(state: State, order: Order) -> None:
    waiting = state.stops.get(order.symbol, {})
    if waiting.pop(order.order_id, order) is None and not waiting:
        del state.stops[order.symbol]


def _end(state: State, order: Order, event: OrderCanceled | OrderExpired) -> None:
    if event.venue_order_id:
        name_child(state, order, event.venue_order_id)
    if isinstance(event, OrderCanceled):
        _close(state, order, OrdStatus.CANCELED, event.reason, event.text)
    else:
        status = OrdStatus.DONE_FOR_DAY if event.done_for_day else OrdStatus.EXPIRED
        ours = order.is_child or order.expiring
        reason = Reason.END_OF_DAY if ours else Reason.VENUE_CLOSED_ORDER
        _close(state, order, status, reason, event.text)


def _change_standing(state: State, order: Order, at: int, event: StandingEvent) -> None:
    match event:
        case OrderAcknowledged():
            order.accepted = True
            if order.is_child:
                name_child(state, order, event.venue_order_id)
                if tells_standing(order, event.source):
                    _settle_doubt(state, order)
        case OrderRejected():
            _close(state, order, OrdStatus.REJECTED, event.reason, event.text)
        case OrderCanceled() | OrderExpired():
            _end(state, order, event)
        case OrderResent():
            _settle_doubt(state, order)
        case OrderInDoubt():
            order.doubt_since = order.doubt_since or at
            order.doubt_reason = event.reason
            order.queried_at = at
            state.in_doubt[order.order_id] = None
            _reflect_doubt(state, order)
        case OrderStatusQueried():
            order.queries = event.attempt
            order.queried_at = at
        case OrderMarked():
            order.accepted = True
            order.mark = event.mark
        case QuantityRestated():
            order.order_qty = event.order_qty
        case PriceRestated():
            order.price = event.price
        case OrderRebased():
            order.rebase(event.terms, Fraction(event.new_shares, event.old_shares))
        case OrderConfirmed():
            order.accepted = order.accepted or bool(event.user) or order.closed is not None
            order.closed, order.closed_reason = None, Reason.NONE
            _settle_doubt(state, order)
        case OrderRestated():
            order.day_since = at
            # Done for the day was yesterday.
            for one in (order, *(state.orders[child] for child in order.children)):
                one.rebased = False
                if one.mark is OrdStatus.DONE_FOR_DAY:
                    one.mark = None
        case _:
            assert_never(event)


def _begin(state: State, at: int, event: OrderAccepted | OrderRefused) -> None:
    terms = event.terms
    order = new_order(event.order_id, "", terms, event.trade_date, at)
    state.orders[order.order_id] = order
    state.cl_ord_ids[terms.counterparty, terms.cl_ord_id] = order.order_id
    if isinstance(event, OrderRefused):
        order.closed = OrdStatus.REJECTED
        order.closed_reason = event.reason
        order.text = event.text
    if terms.list_id:
        join_list(state, order, at)
    if isinstance(event, OrderRefused):
        state.orders.finished.append((at, order.order_id))
        return
    order.accepted = not event.awaits_venue
    state.open_orders.add(order.order_id)
    key = content_key(terms)
    state.recent_orders.pop(key, None)
    state.recent_orders[key] = at
    if len(state.recent_orders) > RECENT_ORDERS:
        del state.recent_orders[next(iter(state.recent_orders))]
    track_working(state, order, Decimal(0))
    if terms.time_in_force is TimeInForce.GTD:
        _until(state, order)


def _begin_child(state: State, at: int, event: OrderRouted) -> None:
    parent = state.orders[event.parent_id]
    child = new_order(event.order_id, event.parent_id, event.terms, state.trade_date, at)
    state.orders[child.order_id] = child
    state.child_cl_ord_ids[child.counterparty, child.cl_ord_id] = child.order_id
    state.open_orders.add(child.order_id)
    state.awaiting[child.order_id] = at
    parent.children.append(child.order_id)
    parent.open_children |= {child.order_id}
    parent.updated_at = at
    state.held.pop(parent.order_id, None)


def _trade(state: State, seq: int, at: int, event: TradeExecuted) -> None:
    """One Execution object in the child's set, the parent's set and the position's list."""
    child = state.orders[event.order_id]
    parent = state.orders[event.parent_id]
    child.accepted = parent.accepted = True
    if tells_standing(child, event.source):
        _settle_doubt(state, child)
    execution = execution_of(event, seq, at)
    for order in (child, parent):
        exposure = order.exposure
        if event.source or order.external:
            before_trade(order, event)
        add_execution(order, execution)
        _after(state, order, at, exposure)
    if parent.order_id in state.held:
        state.hold_no_more(parent.order_id)
    state.exec_ids[event.venue, event.exec_id] = child.order_id
    position = state.position(child.account, child.symbol)
    execution.place = position.trades.add(child.side, event.last_qty, event.last_px)
    state.last_trades.add(child.symbol, (child.account, execution.place), event.last_px)
    position.traded_at = position.updated_at = at
    book_trade(position, child.side, event.last_qty, event.last_px)


def _amend_trade(state: State, seq: int, at: int, event: TradeBusted | TradeCorrected) -> None:
    child = state.orders[event.order_id]
    parent = state.orders[event.parent_id]
    execution = child.executions[event.order_id, event.exec_id]
    execution.previous_report_id, execution.report_id = execution.report_id, f"E{seq}"
    amend(child, execution, event)
    state.exec_ids[event.venue, execution.latest_exec_id] = child.order_id
    for order in (child, parent):
        exposure = order.exposure
        order.recount()
        _after(state, order, at, exposure)
    position = state.position(child.account, child.symbol)
    position.updated_at = at
    position.trades.amend(execution.place, child.side, execution)
    state.last_trades.amend(child.symbol, (child.account, execution.place), execution)
    rebuild(position)


def _request(state: State, order: Order, at: int, event: CancelPending | ReplacePending) -> None:
    order.requests_made += 1
    order.request_ids += (event.cl_ord_id,)
    order.session = order.session or event.session
    cancel = isinstance(event, CancelPending)
    request = Request(
        kind=RequestKind.CANCEL if cancel else RequestKind.REPLACE,
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=event.orig_cl_ord_id,
        at=at,
        order_qty=order.order_qty if isinstance(event, CancelPending) else event.order_qty,
        price=order.price if isinstance(event, CancelPending) else event.price,
        stop_px=None if isinstance(event, CancelPending) else event.stop_px,
        reason=event.reason if isinstance(event, CancelPending) else Reason.NONE,
        accounts=() if isinstance(event, CancelPending) else event.accounts,
    )
    if isinstance(event, ReplacePending) and event.waits:
        order.waiting += (request,)
    else:
        order.waiting = without(order.waiting, event.cl_ord_id)
        order.requests += (request,)
    index = state.child_cl_ord_ids if order.is_child else state.cl_ord_ids
    index[order.counterparty, event.cl_ord_id] = order.order_id


def _answer_request(state: State, order: Order, cl_ord_id: str) -> None:
    order.requests = without(order.requests, cl_ord_id)
    order.waiting = without(order.waiting, cl_ord_id)
    if order.is_child:
        _settle_doubt(state, order)


def _close(state: State, order: Order, status: OrdStatus, reason: Reason, text: str) -> None:
    order.closed = status
    order.mark = None
    order.closed_reason = reason
    order.text = text
    order.requests = ()
    if not order.is_child:
        return
    _settle_doubt(state, order)
    if not order.is_filled and reason not in _OUR_CANCEL:
        state.orders[order.parent_id].refused_by |= {order.counterparty}


def _settle_doubt(state: State, order: Order) -> None:
    """The venue (or a human) spoke of this child."""
    if not order.in_doubt:
        return
    order.doubt_since = 0
    order.doubt_reason = Reason.NONE
    order.queries = 0
    state.in_doubt.pop(order.order_id, None)
    _reflect_doubt(state, order)


def _reflect_doubt(state: State, child: Order) -> None:
    """A client order is in doubt for as long as one of its children is."""
    parent = state.orders[child.parent_id]
    siblings = [state.orders[one] for one in parent.children if one in parent.open_children]
    doubts = [(one.doubt_since, one.doubt_reason) for one in siblings if one.in_doubt]
    parent.doubt_since, parent.doubt_reason = min(doubts, default=(0, Reason.NONE))


def _after(state: State, order: Order, at: int, exposure_before: Decimal) -> None:
    """Keep the indexes of live orders, live children, owed answers and working quantity true."""
    order.updated_at = at
    order_id = order.order_id
    live = order.is_live
    if live:
        state.open_orders.add(order_id)
    else:
        state.open_orders.discard(order_id)
    if not order.is_child:
        if order.first_terms.list_id:
            follow_order(state, order, live=live)
        if not order.is_open:
            state.held.pop(order_id, None)
            if order.conditions is not None:
                _held_no_more(state, order)
        if order.time_in_force is TimeInForce.GTD:
            _until(state, order)
        track_working(state, order, exposure_before)
        if not live:
            state.orders.finished.append((at, order_id))
        return
    parent = state.orders[order.parent_id]
    if live:
        if order_id not in parent.open_children:
            parent.open_children |= {order_id}
    else:
        _settle_doubt(state, order)
        parent.open_children -= {order_id}
        if parent.order_id not in state.open_orders:
            state.orders.finished.append((at, parent.order_id))
    if live and not order.in_doubt and (order.requests or not order.accepted):
        state.awaiting.setdefault(order_id, at)
    else:
        state.awaiting.pop(order_id, None)


def _until(state: State, order: Order) -> None:
    """A time at which the order ends is waited for as long as the order lives."""
    expire_time = order.conditions.expire_time if order.conditions else 0
    if expire_time and order.is_live and not order.expiring:
        state.until[order.order_id] = expire_time
    else:
        state.until.pop(order.order_id, None)
