"""Placing: how the part of a client order that no child covers goes to venues, waits, or ends."""

from collections.abc import Iterator
from decimal import Decimal

from ems import router
from oms.domain.events import (
    Event,
    OrderCanceled,
    OrderExpired,
    OrderHeld,
    OrderRejected,
    OrderRouted,
    OrderTerms,
    VenueQuote,
)
from oms.domain.instrument import Instrument, Venue
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.values import decimal_text
from oms.orders.settle import uncovered
from oms.risk.limits import killed


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
