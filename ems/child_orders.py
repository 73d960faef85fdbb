"""Child orders: what a venue's report means for the order that we sent there.

Nothing that a venue says is dropped: a fill is booked whether early, late or in excess; what fits
no order of ours is an orphan; what contradicts us is a discrepancy; silence and "not found" leave
the order in doubt. FIX 4.4 Volume 4, order state changes, seen as the initiator.
"""

from collections.abc import Iterator
from decimal import Decimal

from oms.domain.commands import ExecutionReport, OrderCancelReject
from oms.domain.events import (
    CancelRejected,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    Event,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderInDoubt,
    OrderRejected,
    OrderReplaced,
    OrphanReported,
    ReplaceRejected,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import CxlRejReason, ExecType, OrdRejReason
from oms.domain.instrument import Venue
from oms.domain.order import Execution, Order, RequestKind
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import decimal_text


def child_meant(state: State, venue: Venue, report: ExecutionReport) -> Order | None:
    """The child that a report is about, by ClOrdID, else OrigClOrdID."""
    found = state.child_of(venue.name, report.cl_ord_id)
    if found is None and report.orig_cl_ord_id:
        found = state.child_of(venue.name, report.orig_cl_ord_id)
    return found


def decide_report(state: State, venue: Venue, report: ExecutionReport) -> Iterator[Event]:
    """The facts in an ExecutionReport (other than the answer to a status request)."""
    child = child_meant(state, venue, report)
    if child is None:
        yield from _orphan(state, venue, report)
        return
    if not child.accepted and report.exec_type in _ACKNOWLEDGES:
        yield OrderAcknowledged(order_id=child.order_id, venue_order_id=report.order_id)
    match report.exec_type:
        case ExecType.NEW | ExecType.PENDING_NEW | ExecType.PENDING_CANCEL:
            pass
        case ExecType.PENDING_REPLACE | ExecType.CALCULATED | ExecType.STOPPED:
            pass
        case ExecType.TRADE:
            yield from _trade(state, venue, child, report)
        case ExecType.TRADE_CANCEL:
            yield from _bust(state, venue, child, report)
        case ExecType.TRADE_CORRECT:
            yield from _correct(state, venue, child, report)
        case ExecType.REJECTED:
            yield from _rejected(child, report)
        case ExecType.CANCELED:
            yield from _canceled(child, report)
        case ExecType.EXPIRED | ExecType.DONE_FOR_DAY:
            if child.closed is None:
                yield OrderExpired(order_id=child.order_id, text=report.text)
        case ExecType.REPLACED:
            yield from _replaced(child, report)
        case ExecType.ORDER_STATUS | ExecType.SUSPENDED | ExecType.RESTATED:
            yield _differs(child, "ExecType (150)", "", report.exec_type.name)


# A first report of any of these kinds tells that the venue has the order (matrix XA.1.c, XI.1.a).
_ACKNOWLEDGES = frozenset(
    {
        ExecType.NEW,
        ExecType.TRADE,
        ExecType.CANCELED,
        ExecType.EXPIRED,
        ExecType.DONE_FOR_DAY,
        ExecType.REPLACED,
    }
)


def _differs(child: Order, field: str, ours: str, theirs: str) -> DiscrepancyFound:
    return DiscrepancyFound(order_id=child.order_id, field=field, ours=ours, theirs=theirs)


def _orphan(state: State, venue: Venue, report: ExecutionReport) -> Iterator[Event]:
    if report.exec_type is ExecType.TRADE and (venue.name, report.exec_id) in state.exec_ids:
        yield DuplicateExecutionDropped(
            order_id=state.exec_ids[venue.name, report.exec_id],
            venue=venue.name,
            exec_id=report.exec_id,
        )
        return
    yield OrphanReported(
        venue=venue.name,
        session=report.origin.session,
        cl_ord_id=report.cl_ord_id,
        venue_order_id=report.order_id,
        exec_id=report.exec_id,
        exec_type=report.exec_type,
        ord_status=report.ord_status,
        symbol=report.symbol,
        side=report.side,
        last_qty=report.last_qty,
        last_px=report.last_px,
        text=report.text,
    )


def _trade(state: State, venue: Venue, child: Order, report: ExecutionReport) -> Iterator[Event]:
    booked = state.exec_ids.get((venue.name, report.exec_id))
    if booked is not None:
        yield DuplicateExecutionDropped(order_id=booked, venue=venue.name, exec_id=report.exec_id)
        return
    if report.symbol != child.symbol:
        yield _differs(child, "Symbol (55)", child.symbol, report.symbol)
    if report.side is None or report.side.sign != child.side.sign:
        theirs = report.side.name if report.side else "another"
        yield _differs(child, "Side (54)", child.side.name, theirs)
    assert report.last_qty is not None, "decode requires LastQty (32) on a trade"
    assert report.last_px is not None, "decode requires LastPx (31) on a trade"
    yield TradeExecuted(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=venue.name,
        exec_id=report.exec_id,
        last_qty=report.last_qty,
        last_px=report.last_px,
        transact_time=report.transact_time,
        excess=child.cum_qty + report.last_qty > child.order_qty,
        late=child.closed is not None,
        early=not child.accepted,
    )
    total = child.cum_qty + (Decimal(0) if child.accepted else report.last_qty)
    if report.cum_qty and child.accepted and total != report.cum_qty:
        ours, theirs = decimal_text(total), decimal_text(report.cum_qty)
        yield _differs(child, "CumQty (14)", ours, theirs)


def _execution(child: Order, venue: Venue, exec_id: str) -> Execution | None:
    """The trade that an ExecRefID (19) names: by its own ExecID or by that of a correction."""
    found = child.executions.get((venue.name, exec_id))
    if found is not None:
        return found
    for one in child.executions.values():
        if exec_id == one.latest_exec_id:
            return one
    return None


def _bust(state: State, venue: Venue, child: Order, report: ExecutionReport) -> Iterator[Event]:
    if (venue.name, report.exec_id) in state.exec_ids:
        yield DuplicateExecutionDropped(
            order_id=child.order_id, venue=venue.name, exec_id=report.exec_id
        )
        return
    trade = _execution(child, venue, report.exec_ref_id)
    if trade is None or trade.busted:
        yield from _orphan(state, venue, report)
        return
    yield TradeBusted(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=venue.name,
        exec_id=trade.exec_id,
        bust_exec_id=report.exec_id,
    )
    if not report.leaves_qty and child.closed is None:
        yield OrderCanceled(
            order_id=child.order_id,
            cl_ord_id="",
            reason=Reason.TRADE_BUSTED,
            text="the venue does not work the busted quantity again",
        )


def _correct(state: State, venue: Venue, child: Order, report: ExecutionReport) -> Iterator[Event]:
    if (venue.name, report.exec_id) in state.exec_ids:
        yield DuplicateExecutionDropped(
            order_id=child.order_id, venue=venue.name, exec_id=report.exec_id
        )
        return
    trade = _execution(child, venue, report.exec_ref_id)
    if trade is None or report.last_qty is None or report.last_px is None:
        yield from _orphan(state, venue, report)
        return
    yield TradeCorrected(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=venue.name,
        exec_id=trade.exec_id,
        correction_exec_id=report.exec_id,
        last_qty=report.last_qty,
        last_px=report.last_px,
        transact_time=report.transact_time,
    )


def _rejected(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """A refused duplicate describes the first order and never harms it (matrix F.1.a)."""
    if report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER:
        if child.in_doubt:
            yield OrderConfirmed(
                order_id=child.order_id, user="", text="the venue has this ClOrdID already"
            )
        return
    if child.closed is None:
        yield OrderRejected(
            order_id=child.order_id,
            reason=Reason.VENUE_REFUSED,
            text=f"{child.counterparty}: {report.text or report.ord_rej_reason}",
        )


def _canceled(child: Order, report: ExecutionReport) -> Iterator[Event]:
    if child.closed is not None:
        return
    request = child.request(report.cl_ord_id)
    asked = request is not None and request.kind is RequestKind.CANCEL
    yield OrderCanceled(
        order_id=child.order_id,
        cl_ord_id=report.cl_ord_id if asked else "",
        reason=Reason.NONE if asked else Reason.VENUE_CLOSED_ORDER,
        text=report.text,
    )


def _replaced(child: Order, report: ExecutionReport) -> Iterator[Event]:
    request = child.request(report.cl_ord_id)
    if request is None or request.kind is not RequestKind.REPLACE:
        if report.cl_ord_id != child.cl_ord_id:
            yield _differs(child, "ClOrdID (11)", child.cl_ord_id, report.cl_ord_id)
        return
    order_qty = report.order_qty if report.order_qty is not None else request.order_qty
    if order_qty != request.order_qty:
        ours, theirs = decimal_text(request.order_qty), decimal_text(order_qty)
        yield _differs(child, "OrderQty (38)", ours, theirs)
    yield OrderReplaced(
        order_id=child.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=child.cl_ord_id,
        order_qty=order_qty,
        price=report.price if report.price is not None else request.price,
    )


def decide_cancel_reject(state: State, venue: Venue, reject: OrderCancelReject) -> Iterator[Event]:
    """The venue refused a cancel or a replace of ours."""
    child = state.child_of(venue.name, reject.cl_ord_id)
    request = child.request(reject.cl_ord_id) if child else None
    if child is None or request is None:
        return
    kind = CancelRejected if request.kind is RequestKind.CANCEL else ReplaceRejected
    yield kind(
        order_id=child.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        reason=Reason.VENUE_REFUSED,
        cxl_rej_reason=reject.cxl_rej_reason,
        text=f"{venue.name}: {reject.text}",
    )
    if reject.cxl_rej_reason is CxlRejReason.UNKNOWN_ORDER and child.is_open:
        yield OrderInDoubt(
            order_id=child.order_id,
            reason=Reason.VENUE_DISAGREES,
            text=f"{venue.name} does not know the order",
        )
