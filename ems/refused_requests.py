"""A venue's refusal of a cancel or a replace of ours."""

from collections.abc import Iterator
from typing import Final

from oms.domain.commands import OrderCancelReject
from oms.domain.events import CancelRejected, Event, OrderInDoubt, ReplaceRejected
from oms.domain.fix import CxlRejReason, OrdStatus
from oms.domain.instrument import Venue
from oms.domain.order import Order, RequestKind
from oms.domain.reasons import Reason
from oms.domain.state import State

_ENDED: Final = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY})


def decide_cancel_reject(state: State, venue: Venue, reject: OrderCancelReject) -> Iterator[Event]:
    """The venue refused a cancel or a replace of ours."""
    child = state.child_of(venue.name, reject.cl_ord_id)
    request = child.request(reject.cl_ord_id) if child else None
    if child is None or request is None:
        return
    if reject.ord_status in _ENDED and child.is_open and request.kind is RequestKind.CANCEL:
        # Too late, for it ended by itself: its rest is not wanted elsewhere, so nothing is refused.
        yield _ended_untold(child, venue, reject)
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
    elif reject.ord_status is OrdStatus.FILLED and child.is_open:
        # By a fill, or by a replace, of which we were told nothing.
        yield OrderInDoubt(
            order_id=child.order_id,
            reason=Reason.VENUE_DISAGREES,
            text=f"{venue.name} says that it is FILLED, and has not told by what",
        )
    elif reject.ord_status in _ENDED and child.is_open:
        yield _ended_untold(child, venue, reject)


def _ended_untold(child: Order, venue: Venue, reject: OrderCancelReject) -> OrderInDoubt:
    return OrderInDoubt(
        order_id=child.order_id,
        reason=Reason.VENUE_DISAGREES,
        text=f"{venue.name} says that it is {reject.ord_status.name}, and has not told its end",
    )
