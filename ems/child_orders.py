"""Child orders: what a venue's report means for the order that we sent there.

Nothing that a venue says is dropped: a fill is booked whether early, late or in excess; what fits
no order of ours is an orphan; what contradicts us is a discrepancy; silence and "not found" leave
the order in doubt. FIX 4.4 Volume 4, order state changes, seen as the initiator.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

from ems.amended_trades import decide_bust, decide_correction
from ems.differences import (
    differs,
    more_to_tell,
    of_another_order,
    sized_otherwise,
    taken_otherwise,
)
from ems.drop_copy import told_before, told_by_venue
from ems.exec_ids import booked_as, told_again
from ems.orphans import decide_orphan, of_an_earlier_date
from ems.renewals import renewed
from ems.standings import decide_standing, unmarked
from ems.stops import venue_triggered
from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    Event,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderInDoubt,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from oms.domain.fix import (
    GT_CORPORATE_ACTION,
    GT_RENEWAL,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
)
from oms.domain.instrument import Venue
from oms.domain.order import Order, Request, RequestKind
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import ZERO, decimal_text


def child_meant(state: State, venue: Venue, report: ExecutionReport) -> Order | None:
    """The child that a report is about: by ClOrdID, OrigClOrdID; an external one by OrderID."""
    found = state.child_of(venue.name, report.cl_ord_id)
    if found is None and report.orig_cl_ord_id:
        found = state.child_of(venue.name, report.orig_cl_ord_id)
    if found is None:
        named = state.venue_order_ids.get((venue.name, report.order_id))
        if named and state.orders[named].external:
            return state.orders[named]
    return found


def decide_report(state: State, venue: Venue, report: ExecutionReport) -> Iterator[Event]:
    """The facts in an ExecutionReport (other than the answer to a status request)."""
    child = child_meant(state, venue, report)
    if child is None:
        yield from decide_orphan(state, venue, report)
        return
    yield from _acknowledged(state, child, report)
    if _revives(child, report, venue):
        yield from revived(child, report)
    if child.mark is not None:
        yield from unmarked(child, report)
    match report.exec_type:
        case ExecType.NEW | ExecType.PENDING_NEW | ExecType.ORDER_STATUS:
            pass  # a status is held against the order by ems.resync, and does not get here
        case ExecType.PENDING_CANCEL | ExecType.PENDING_REPLACE:
            pass
        case ExecType.TRADE:
            if child.ord_type.is_stop:
                yield from _triggered(child)
            known = told_before(state, venue, child, report)
            again = bool(booked_as(state, child, venue.name, report.exec_id))
            yield from known or _trade(state, venue, child, report)
            yield from _closed_with_trade(child, report, known=bool(known) or again)
        case ExecType.TRADE_CANCEL:
            yield from decide_bust(state, venue, child, report)
        case ExecType.TRADE_CORRECT:
            yield from decide_correction(state, venue, child, report)
        case ExecType.REJECTED:
            yield from _rejected(child, report)
        case ExecType.CANCELED:
            yield from _canceled(child, report)
        case ExecType.DONE_FOR_DAY if report.leaves_qty > 0:
            yield from decide_standing(child, report)
        case ExecType.EXPIRED | ExecType.DONE_FOR_DAY:
            yield from _expired(child, report)
        case ExecType.CALCULATED if child.is_open and report.cum_qty > child.cum_qty:
            yield from _expired(child, report)
        case ExecType.REPLACED:
            yield from _replaced(state, venue, child, report)
        case ExecType.TRIGGERED:
            yield from _triggered(child)
        case ExecType.RESTATED if report.restatement in (GT_RENEWAL, GT_CORPORATE_ACTION):
            yield from renewed(child, report)
        case ExecType.STOPPED | ExecType.SUSPENDED | ExecType.CALCULATED | ExecType.RESTATED:
            yield from decide_standing(child, report)
        case _:
            assert_never(report.exec_type)


# A first report of any of these kinds tells that the venue has the order (matrix XA.1.c, XI.1.a).
_ACKNOWLEDGES = frozenset(
    {
        ExecType.NEW,
        ExecType.STOPPED,
        ExecType.SUSPENDED,
        ExecType.RESTATED,
        ExecType.CALCULATED,
        ExecType.TRADE,
        ExecType.DONE_FOR_DAY,
        ExecType.REPLACED,
        ExecType.TRIGGERED,
    }
)


# Without a New before it, each ends an order that its venue had; a refusal is of none.
_ENDS = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.DONE_FOR_DAY})


# They mark a child, and its client order where that has no other at work.
_MARKS = frozenset({ExecType.STOPPED, ExecType.SUSPENDED, ExecType.DONE_FOR_DAY})


def _acknowledged(state: State, child: Order, report: ExecutionReport) -> Iterator[Event]:
    """That the venue has the order, where a report is the first to tell; and what it has otherwise
    than we sent it.
    """
    if child.accepted:
        return
    kind = report.exec_type
    at_work = kind in _ACKNOWLEDGES and not _is_its_end(report)
    if at_work:
        yield OrderAcknowledged(
            order_id=child.order_id,
            venue_order_id=report.order_id,
            # Who waits for New hears of all else only where it changes the client order.
            implied=kind is ExecType.TRADE
            or (kind in _MARKS and state.orders[child.parent_id].open_children == {child.order_id}),
        )
    elif kind not in _ENDS or child.closed is not None:
        return
    if not child.external:
        yield from taken_otherwise(child, report)
    if not at_work or kind is ExecType.TRADE:  # a trade is booked first
        return
    otherwise = sized_otherwise(child, report) and kind is not ExecType.CALCULATED
    disagrees = child.doubt_reason is Reason.VENUE_DISAGREES
    if disagrees or (otherwise and child.closed is None and not child.external):
        yield more_to_tell(child)


def _is_its_end(report: ExecutionReport) -> bool:
    """Whether it tells that the venue has done with the order for the day, and no more than that:
    its client hears of the order by what becomes of it elsewhere.
    """
    return report.exec_type is ExecType.DONE_FOR_DAY and report.leaves_qty <= 0


# Why we closed a child without its venue's word for it.
_ON_OUR_WORD = (Reason.STALE, Reason.OPERATOR)


def _revives(child: Order, report: ExecutionReport, venue: Venue) -> bool:
    """Whether the report shows at work what we took for closed, and may be believed."""
    if child.closed is None or child.external or report.leaves_qty <= 0:
        return False
    if report.exec_type not in _AT_WORK:
        return False
    on_our_word = child.closed_reason in _ON_OUR_WORD
    again = child.closed is OrdStatus.CANCELED and not venue.profile.canceled_is_final
    return again or (on_our_word and report.exec_type is not ExecType.RESTATED)


# Reports that show an order at work, where they leave something open.
_AT_WORK = frozenset(
    {
        ExecType.NEW,
        ExecType.PENDING_NEW,
        ExecType.TRADE,
        ExecType.RESTATED,
        ExecType.STOPPED,
        ExecType.SUSPENDED,
        ExecType.TRIGGERED,
    }
)


def revived(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """What we took for closed works at its venue: open again, and withdrawn where not wanted."""
    theirs = report.ord_status.name
    yield differs(child, "OrdStatus (39)", child.ord_status.name, theirs)
    yield OrderConfirmed(order_id=child.order_id, user="", text=f"venue says {theirs}")


def _triggered(child: Order) -> Iterator[Event]:
    event = venue_triggered(child)
    if event is not None:
        yield event


def _trade(state: State, venue: Venue, child: Order, report: ExecutionReport) -> Iterator[Event]:
    booked = booked_as(state, child, venue.name, report.exec_id)
    if booked:  # empty: reported as an orphan before, booked nowhere
        yield from told_again(child, booked, report)
        return
    if child.external and of_an_earlier_date(state, report.transact_time):
        yield from decide_orphan(state, venue, report)
        return
    if child.accepted or child.external:  # else it was compared as the first word
        yield from of_another_order(child, report)
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
        excess=not child.external and child.cum_qty + report.last_qty > child.order_qty,
        late=not child.external and child.closed is not None,
        early=not child.accepted,
        ids=report.ids,
    )
    total = child.cum_qty + report.last_qty
    if report.cum_qty and total != report.cum_qty and not _counts_copies(child, report, total):
        ours, theirs = decimal_text(total), decimal_text(report.cum_qty)
        yield differs(child, "CumQty (14)", ours, theirs)
    disagrees = child.doubt_reason is Reason.VENUE_DISAGREES
    # Filled there and not here: a fill or a cut of the quantity was lost on its way.
    done = report.ord_status is OrdStatus.FILLED and not (child.requests or child.ahead)
    resized = not (child.accepted or child.external) and sized_otherwise(child, report)
    if (disagrees or done or resized) and child.closed is None and total < child.order_qty:
        yield more_to_tell(child)


def _counts_copies(child: Order, report: ExecutionReport, total: Decimal) -> bool:
    """Whether CumQty is right: what only a drop copy has told may be in it or not."""
    least, most = sorted((told_by_venue(child) + (report.last_qty or ZERO), total))
    return child.ahead > 0 and least <= report.cum_qty <= most


_DONE = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY})


def _closed_with_trade(child: Order, report: ExecutionReport, *, known: bool) -> Iterator[Event]:
    """A venue may bundle the last fill with the end of the rest (matrix XI.1.b). known: the fill is
    booked already.
    """
    booked = child.cum_qty if known else child.cum_qty + (report.last_qty or ZERO)
    if report.ord_status in _DONE and child.closed is None and booked < child.order_qty:
        canceled = OrderCanceled(
            order_id=child.order_id,
            cl_ord_id="",
            reason=Reason.VENUE_CLOSED_ORDER,
            text=report.text,
            restatement=report.restatement,
        )
        flagged = not (known or child.external or _counts_copies(child, report, booked))
        yield from _ended(child, report, booked, canceled, flagged=flagged)


def _expired(child: Order, report: ExecutionReport) -> Iterator[Event]:
    if child.closed is None:
        done = report.exec_type is ExecType.DONE_FOR_DAY
        expired = OrderExpired(
            order_id=child.order_id,
            text=report.text,
            done_for_day=done,
            venue_order_id=_first_named(child, report),
        )
        yield from _ended(child, report, child.cum_qty, expired)


def _first_named(child: Order, report: ExecutionReport) -> str:
    """The venue's name for a child whose acknowledgement never came."""
    return "" if child.venue_order_id or report.order_id == "NONE" else report.order_id


def _ended(
    child: Order,
    report: ExecutionReport,
    booked: Decimal,
    event: OrderCanceled | OrderExpired,
    *,
    flagged: bool = False,
) -> Iterator[Event]:
    """The end of a child; but where the venue counts fills that are still to come, doubt.

    Its rest would go elsewhere, and be too much by just these fills. flagged: with its trade.
    """
    if report.cum_qty <= booked:
        yield event
        return
    if not flagged:
        yield differs(child, "CumQty (14)", decimal_text(booked), decimal_text(report.cum_qty))
    yield OrderInDoubt(
        order_id=child.order_id,
        reason=Reason.VENUE_DISAGREES,
        text=f"{child.counterparty} ended it with fills that it has not told",
    )


def _rejected(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """A refused duplicate describes the first order and never harms it (matrix F.1.a)."""
    if report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER:
        disagrees = child.doubt_reason is Reason.VENUE_DISAGREES
        if child.in_doubt and not disagrees and report.ord_status not in _DONE:
            yield OrderConfirmed(
                order_id=child.order_id, user="", text="the venue has this ClOrdID already"
            )
        return
    if report.ord_status is not OrdStatus.REJECTED:
        yield differs(child, "OrdStatus (39)", child.ord_status.name, report.ord_status.name)
    elif child.closed is None:
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
    canceled = OrderCanceled(
        order_id=child.order_id,
        cl_ord_id=report.cl_ord_id if asked else "",
        reason=Reason.NONE if asked else Reason.VENUE_CLOSED_ORDER,
        text=report.text,
        restatement="" if asked else report.restatement,
        venue_order_id=_first_named(child, report),
    )
    yield from _ended(child, report, child.cum_qty, canceled)


def _replaced(state: State, venue: Venue, child: Order, report: ExecutionReport) -> Iterator[Event]:
    request = child.request(report.cl_ord_id)
    if request is None or request.kind is not RequestKind.REPLACE:
        yield from replaced_unasked(state, venue, child, report)
        return
    yield from replaced_as_told(child, request, report)


def replaced_as_told(child: Order, request: Request, report: ExecutionReport) -> Iterator[Event]:
    """The replace took effect, with the quantity and price that the venue says."""
    order_qty = request.order_qty
    told = report.order_qty
    if told is not None and told != order_qty:
        yield differs(child, "OrderQty (38)", decimal_text(order_qty), decimal_text(told))
        order_qty = told if told > 0 else order_qty
    price = report.price or request.price
    pegged = child.ord_type is OrdType.PEGGED  # told is the price of the moment
    if price and request.price and price != request.price and not pegged:
        ours, theirs = decimal_text(request.price), decimal_text(price)
        yield differs(child, "Price (44)", ours, theirs)
    yield OrderReplaced(
        order_id=child.order_id,
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=child.cl_ord_id,
        order_qty=order_qty,
        price=price,
        stop_px=request.stop_px,
    )


def replaced_unasked(
    state: State, venue: Venue, child: Order, report: ExecutionReport
) -> Iterator[Event]:
    """A replace that we had given up took effect after all: a fact, adopted and flagged."""
    if report.cl_ord_id == child.cl_ord_id:
        return
    yield differs(child, "ClOrdID (11)", child.cl_ord_id, report.cl_ord_id)
    ours = state.child_of(venue.name, report.cl_ord_id) is child
    if ours and child.closed is None and report.order_qty is not None and report.order_qty > 0:
        yield OrderReplaced(
            order_id=child.order_id,
            cl_ord_id=report.cl_ord_id,
            orig_cl_ord_id=child.cl_ord_id,
            order_qty=report.order_qty,
            price=report.price or child.price,
        )
