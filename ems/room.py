"""Whether a venue that refuses what is too much has room for a new order in this second.

Only venues whose profile says so are counted; to all others what comes too soon waits on its way
out (oms.runtime.throttle), as do cancels and replaces to these.
"""

from collections import deque

from oms.domain.events import CancelPending, OrderRouted, ReplacePending
from oms.domain.instrument import Venue
from oms.domain.profile import Throttle
from oms.domain.state import State

_SECOND = 1_000_000


def refuses(venue: Venue) -> bool:
    """Whether new orders are refused that the venue's rate has no room for."""
    return venue.profile.throttle is Throttle.REJECT and venue.max_messages_per_second > 0


def count(state: State, at: int, event: OrderRouted | CancelPending | ReplacePending) -> None:
    """Note a message to such a venue."""
    order = state.orders[event.order_id]
    venue = state.reference.venues.get(order.counterparty) if order.is_child else None
    if venue is None or not refuses(venue):
        return
    longest = venue.max_messages_per_second
    times = state.message_times.setdefault(_key(venue), deque(maxlen=longest))
    times.append(at)


def has_room(state: State, venue: Venue) -> bool:
    """Whether one more may go there now."""
    if not refuses(venue):
        return True
    times = state.message_times.get(_key(venue), ())
    return sum(1 for at in times if at > state.at - _SECOND) < venue.max_messages_per_second


def _key(venue: Venue) -> str:
    """No client's name, which has no spaces."""
    return f"to {venue.name}"
