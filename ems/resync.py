"""Finding out what a venue knows: after a logon, after silence, after a restart.

A venue session that comes up is asked for all its orders (OrderMassStatusRequest, AF) before any
new order goes there; open children that it does not mention are asked for one by one
(OrderStatusRequest, H). An order that was never acknowledged and that the venue does not know after
a reconnect did not reach it: everything that the session layer sends again arrives before our
question does. Such an order is sent again with PossResend. In every other case "not found" resolves
nothing.
"""

from collections.abc import Iterator
from decimal import Decimal

from ems.child_orders import replaced_as_told, replaced_unasked, revived
from ems.differences import differs, more_to_tell, sized_otherwise, taken_otherwise
from ems.orphans import orphan_of
from ems.standings import resized_to
from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    CancelRejected,
    DiscrepancyFound,
    Event,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderInDoubt,
    OrderRejected,
    OrderResent,
    OrderStatusQueried,
    ReplaceRejected,
    ResyncCompleted,
    ResyncStarted,
)
from oms.domain.fix import ExecType, OrdRejReason, OrdStatus
from oms.domain.instrument import Venue
from oms.domain.order import Order, RequestKind
from oms.domain.reasons import SPECS, Reason
from oms.domain.state import Session, State
from oms.domain.values import ZERO, decimal_text

RESYNC_TIMEOUT_US = 10_000_000
FIRST_QUERY_US = 2_000_000
LONGEST_QUERY_US = 60_000_000


def open_children_of(state: State, venue: str) -> list[Order]:
    """Open child orders at a venue, in the order in which they were made."""
    found = [state.orders[one] for one in state.open_orders]
    mine = [one for one in found if one.is_child and one.counterparty == venue]
    return sorted(mine, key=lambda order: (order.created_at, order.order_id))


def out_of_sight(state: State, child: Order) -> Iterator[Event]:
    """A drop copy's word has opened the child again, or ended another doubt about it, and its venue
    cannot say how it stands.
    """
    if child.is_open and not child.in_doubt and not child.external:
        session = state.session(child.session)
        if not session.logged_on:
            text = f"session {session.name} is down: {session.closed_text}"
            yield OrderInDoubt(order_id=child.order_id, reason=Reason.SESSION_LOST, text=text)


def start(session: Session, seq: int) -> ResyncStarted:
    """Ask the venue for everything."""
    return ResyncStarted(session=session.name, mass_status_req_id=f"MS{seq}")


def lose_sight(state: State, venue: str, text: str) -> Iterator[Event]:
    """The venue is out of reach: what is open there is in doubt."""
    for child in open_children_of(state, venue):
        if not child.in_doubt or child.doubt_reason is Reason.NOT_ACKNOWLEDGED:
            yield OrderInDoubt(order_id=child.order_id, reason=Reason.SESSION_LOST, text=text)


def venues_gone(state: State) -> list[str]:
    """Venues with open orders that the configuration has no more: nobody can ask them."""
    found = [state.orders[one] for one in state.open_orders]
    return sorted({one.counterparty for one in found if one.is_child} - set(state.reference.venues))


def decide_status(
    state: State, venue: Venue, report: ExecutionReport, child: Order | None
) -> Iterator[Event]:
    """The answer to a status request, single or mass."""
    session = state.session(venue.session)
    mass = bool(report.mass_status_req_id)
    if child is not None:
        yield from _compare(state, child, report)
    elif not (mass and report.tot_num_reports == 0) and not _not_found(report):
        yield orphan_of(venue, report)
    if mass and report.mass_status_req_id == session.resync_id and _is_last(session, report):
        yield from complete(state, venue, session)


def _is_last(session: Session, report: ExecutionReport) -> bool:
    total = report.tot_num_reports
    return report.last_rpt_requested or (
        total is not None and len(session.resync_reported) >= total
    )


def complete(state: State, venue: Venue, session: Session) -> Iterator[Event]:
    """The venue has told all: ask for the children that it left out, then take new orders."""
    for child in open_children_of(state, venue.name):
        if child.in_doubt and child.order_id not in session.resync_reported:
            yield OrderStatusQueried(order_id=child.order_id, attempt=child.queries + 1)
    yield ResyncCompleted(
        session=session.name,
        mass_status_req_id=session.resync_id,
        reported=len(session.resync_reported),
    )


def _not_found(report: ExecutionReport) -> bool:
    return (
        report.ord_status is OrdStatus.REJECTED
        and report.ord_rej_reason == OrdRejReason.UNKNOWN_ORDER
    )


def _compare(state: State, child: Order, report: ExecutionReport) -> Iterator[Event]:
    if _not_found(report):
        yield from _unknown_there(state, child)
        return
    difference = _difference(child, report)
    if difference is not None:
        yield difference
        if child.is_live and child.doubt_reason is not Reason.VENUE_DISAGREES:
            # Fills that come yet do not settle it: it is asked again.
            text = f"{child.counterparty} counts otherwise: {difference.field}"
            yield OrderInDoubt(order_id=child.order_id, reason=Reason.VENUE_DISAGREES, text=text)
        return
    if child.closed is not None:
        if report.ord_status in _WORKING and report.leaves_qty > 0 and not child.external:
            yield from revived(child, report)
        return
    first = not child.accepted and report.ord_status not in _NO_ORDER_YET
    if first:
        yield OrderAcknowledged(order_id=child.order_id, venue_order_id=report.order_id)
        yield from taken_otherwise(child, report)
    if report.ord_status is OrdStatus.CANCELED:
        asked = [one for one in child.requests if one.kind is RequestKind.CANCEL]
        yield OrderCanceled(
            order_id=child.order_id,
            cl_ord_id=asked[-1].cl_ord_id if asked else "",
            reason=Reason.NONE if asked else Reason.VENUE_CLOSED_ORDER,
            text=report.text,
        )
    elif report.ord_status in _DONE or (
        report.ord_status is OrdStatus.CALCULATED and child.is_open
    ):
        done = report.ord_status is not OrdStatus.EXPIRED
        yield OrderExpired(order_id=child.order_id, text=report.text, done_for_day=done)
    elif report.ord_status is OrdStatus.REJECTED:
        yield OrderRejected(order_id=child.order_id, reason=Reason.VENUE_REFUSED, text=report.text)
    elif child.in_doubt:
        yield OrderConfirmed(
            order_id=child.order_id, user="", text=f"venue says {report.ord_status.name}"
        )
        yield from _replaced_after_all(state, child, report)
        yield from _restated_meanwhile(child, report)
        yield from _settled_requests(child, report)
    elif report.ord_status is OrdStatus.FILLED:
        yield from _replaced_after_all(state, child, report)
        yield from _restated_meanwhile(child, report)
    elif first and sized_otherwise(child, report):
        yield more_to_tell(child)


_NO_ORDER_YET = frozenset({OrdStatus.REJECTED, OrdStatus.PENDING_NEW})
_DONE = frozenset({OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY})
_WORKING = frozenset(
    {
        OrdStatus.NEW,
        OrdStatus.PARTIALLY_FILLED,
        OrdStatus.PENDING_CANCEL,
        OrdStatus.PENDING_REPLACE,
    }
)


def _replaced_after_all(state: State, child: Order, report: ExecutionReport) -> Iterator[Event]:
    """A replace that we had given up shows in what the venue has now."""
    if _given_up(child, report):
        venue = state.reference.venues[child.counterparty]
        yield from replaced_unasked(state, venue, child, report)


def _restated_meanwhile(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """Another quantity than that of our last word to the venue is one that it has given it itself,
    and its report of that was lost.
    """
    told = _quantity_of_its_own(child, report)
    if told is not None:
        yield resized_to(child, report, told)


def _quantity_of_its_own(child: Order, report: ExecutionReport) -> Decimal | None:
    """OrderQty as the venue has it, where it is another than ours and no request explains it."""
    told = report.order_qty
    if child.requests or child.rebasings or report.cl_ord_id != child.cl_ord_id:
        return None
    if told is None or told <= 0 or told == child.order_qty or not child.is_open:
        return None
    return told


def _difference(child: Order, report: ExecutionReport) -> DiscrepancyFound | None:
    """What the venue tells of the child that cannot be while our book is true."""
    if report.cum_qty != child.cum_qty:
        field = "CumQty (14)"
        ours, theirs = decimal_text(child.cum_qty), decimal_text(report.cum_qty)
    elif report.ord_status is OrdStatus.FILLED and child.is_open and not _reduced(child, report):
        field, ours, theirs = "OrdStatus (39)", child.ord_status.name, report.ord_status.name
    elif _in_old_shares(child, report):
        field, ours = "OrderQty (38)", decimal_text(child.order_qty)
        theirs = decimal_text(report.order_qty or ZERO)
    else:
        return None
    return differs(child, field, ours, theirs)


def _reduced(child: Order, report: ExecutionReport) -> bool:
    """Whether a replace of ours that the venue never answered, or a cut of its own that was lost on
    its way, has made the order a filled one.
    """
    request = child.request(report.cl_ord_id)
    if request is None:
        other = _given_up(child, report) or _quantity_of_its_own(child, report) is not None
        return other and report.cum_qty >= (report.order_qty or child.order_qty)
    if request.kind is not RequestKind.REPLACE:
        return False
    return report.cum_qty >= (report.order_qty or request.order_qty)


def _given_up(child: Order, report: ExecutionReport) -> bool:
    """Whether a request of ours that waits for no answer any more has named what the venue has."""
    named = report.cl_ord_id != child.cl_ord_id and child.request(report.cl_ord_id) is None
    return named and report.order_qty not in (None, child.order_qty)


def _in_old_shares(child: Order, report: ExecutionReport) -> bool:
    """Whether an order that a split has re-based here has another quantity at its venue."""
    told = report.order_qty
    return bool(child.rebasings) and not child.requests and told not in (None, child.order_qty)


def _unknown_there(state: State, child: Order) -> Iterator[Event]:
    """The answer to a question of before the reconnect comes before the session is ready."""
    if not child.is_live or not state.session(child.session).ready:
        return
    if not child.accepted and child.doubt_reason is Reason.SESSION_LOST:
        parent = state.orders[child.parent_id]
        # To send it again would be the first that the venue hears of it.
        killed = state.kill_switch(parent.counterparty, parent.account) is not None
        # A late fill may have left less to do than it would do.
        working = (state.orders[one].leaves_qty for one in parent.open_children)
        too_much = sum(working, ZERO) > parent.leaves_qty
        if killed or too_much or parent.requests or parent.expiring or not parent.is_open:
            text = "it had not reached its venue and is not wanted there any more"
            yield OrderCanceled(
                order_id=child.order_id, cl_ord_id="", reason=Reason.STALE, text=text
            )
        else:
            yield OrderResent(order_id=child.order_id)
    elif child.doubt_reason is not Reason.VENUE_DISAGREES:
        yield OrderInDoubt(
            order_id=child.order_id,
            reason=Reason.VENUE_DISAGREES,
            text="the venue does not know the order",
        )


def _settled_requests(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """Requests that the venue does not show as pending: done, where the order has their ClOrdID, or
    lost. They went to the venue before our question did.
    """
    if report.ord_status in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE):
        return
    for request in child.requests:
        kind = CancelRejected if request.kind is RequestKind.CANCEL else ReplaceRejected
        if request.cl_ord_id == report.cl_ord_id and request.kind is RequestKind.REPLACE:
            yield from replaced_as_told(child, request, report)
            continue
        yield kind(
            order_id=child.order_id,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            reason=Reason.STALE,
            cxl_rej_reason=SPECS[Reason.STALE].cxl_rej_reason,
            text="the request did not reach the venue",
        )


def due(state: State, at: int, seq: int) -> Iterator[Event]:
    """What time has made necessary: overdue answers, repeated questions, a resync without end."""
    for order_id, since in list(state.awaiting.items()):
        child = state.orders[order_id]
        venue = state.reference.venues.get(child.counterparty)
        timeout_us = venue.ack_timeout_ms * 1000 if venue is not None else 0
        if at - since < timeout_us:
            continue
        yield OrderInDoubt(
            order_id=order_id,
            reason=Reason.NOT_ACKNOWLEDGED,
            text=f"no answer from {child.counterparty} in {timeout_us // 1000} ms",
        )
        if state.session(child.session).ready:
            yield OrderStatusQueried(order_id=order_id, attempt=child.queries + 1)
    for order_id in list(state.in_doubt):
        child = state.orders[order_id]
        wait_us = min(FIRST_QUERY_US << min(child.queries, 6), LONGEST_QUERY_US)
        if state.session(child.session).ready and at - child.queried_at >= wait_us:
            yield OrderStatusQueried(order_id=order_id, attempt=child.queries + 1)
    for venue in state.reference.venues.values():
        session = state.session(venue.session)
        if session.logged_on and not session.ready and at - session.resync_at > RESYNC_TIMEOUT_US:
            yield start(session, seq)


def is_status(report: ExecutionReport) -> bool:
    """Whether a report answers a status request."""
    return report.exec_type is ExecType.ORDER_STATUS or bool(report.mass_status_req_id)
