"""Placing: how the part of a client order that no child covers goes to venues, waits, or ends."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from ems import router, stops
from ems.room import has_room, refuses
from oms.domain.conditions import NAMES, at_venue
from oms.domain.events import (
    Event,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderHeld,
    OrderRejected,
    OrderRouted,
    OrderTerms,
    VenueQuote,
)
from oms.domain.fix import OrdType
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
    if parent.conditions is not None:
        if _held_by_us(state, instrument, parent):
            yield from _await_stop(state, parent)
            return
        wish = _conditional(wish, parent)
    able = [] if _ended_as_asked(parent, after) else _able(state, parent, instrument, wish)
    scope = killed(state, parent.first_terms)
    ready = [one for one in able if scope is None and state.session(one.session).ready]
    ready = [one for one in ready if has_room(state, one)] or ready
    quotes = state.market.get(parent.symbol, {})
    if ready and instrument is not None:
        seen = tuple(VenueQuote(venue=one.name, quote=quotes.get(one.name)) for one in ready)
        legs = router.plan(wish, instrument, ready, quotes)
        for n, leg in enumerate(legs, start=len(parent.children) + 1):
            yield _routed(parent, f"{parent.order_id}-{n}", leg, seen, wish)
    elif able and not parent.time_in_force.immediate:
        if parent.order_id not in state.held:
            yield _held(parent, able, scope)
    elif not parent.open_children:
        waits = Reason.KILL_SWITCH if scope else Reason.NO_VENUE_CONNECTED
        yield _give_up(parent, waits if able else Reason.NO_VENUE, quantity, after)


def _ended_as_asked(
    parent: Order, after: OrderRejected | OrderCanceled | OrderExpired | None
) -> bool:
    """Whether the venue cancelled because the order told it to: then no other venue gets it."""
    by_venue = isinstance(after, OrderCanceled) and after.reason is Reason.VENUE_CLOSED_ORDER
    return by_venue and parent.conditions is not None and parent.conditions.ends_at_venue


def _conditional(wish: router.Wish, parent: Order) -> router.Wish:
    """The wish of an order with conditions, as it stands: a triggered stop is one no more."""
    asked = parent.conditions
    needs = asked.left(parent.cum_qty).needs if asked is not None else frozenset()
    ord_type = wish.ord_type
    if parent.triggered_at:
        ord_type = stops.AFTER_TRIGGER[ord_type]
    whole = bool(needs) or ord_type.is_stop or ord_type is OrdType.PEGGED
    return replace(wish, ord_type=ord_type, needs=needs, whole=whole)


def _held_by_us(state: State, instrument: Instrument | None, parent: Order) -> bool:
    """Whether the order is a stop that no venue of its instrument can wait with."""
    if not parent.ord_type.is_stop or parent.triggered_at or parent.children:
        return False
    return not any(parent.ord_type in one.ord_types for one in _venues(state, instrument))


def _await_stop(state: State, parent: Order) -> Iterator[Event]:
    """Held until its price is reached; or triggered at once, where it is."""
    triggered = stops.triggered_now(state, parent)
    if triggered is not None:
        yield triggered
    elif parent.order_id not in state.held:
        assert parent.conditions is not None, parent.order_id
        assert parent.conditions.stop_px is not None, parent.order_id
        yield OrderHeld(
            order_id=parent.order_id,
            reason=Reason.STOP_NOT_REACHED,
            text=f"held until the market reaches {decimal_text(parent.conditions.stop_px)}",
        )
        if not parent.accepted:
            # Nobody but us works it now: there is no venue's New to wait for.
            yield OrderAcknowledged(order_id=parent.order_id, venue_order_id="")


def _venues(state: State, instrument: Instrument | None) -> list[Venue]:
    """The instrument's venues, in configured order."""
    names = instrument.venues if instrument else ()
    return [state.reference.venues[one] for one in names if one in state.reference.venues]


def nowhere_to_go(state: State, terms: OrderTerms) -> tuple[Reason, str] | None:
    """Why a client's new order would end where it begins: no venue takes it and we do not do it in
    its place, or it may not wait and no venue that takes it is there, or these have no room for it
    and refuse what is too much. The text names the field.
    """
    venues = _venues(state, state.reference.instruments.get(terms.symbol))
    kind, time_in_force = terms.ord_type, terms.time_in_force
    if (
        terms.conditions is None
        and not time_in_force.immediate
        and not any(refuses(one) for one in venues)
        and any(kind in one.ord_types and time_in_force in one.times_in_force for one in venues)
    ):
        return None  # nearly every order
    wish = _wish_for(terms, venues)
    able = [one for one in venues if router.supports(one, wish)]
    if not able:
        return Reason.UNSUPPORTED_BY_VENUES, _lacking(terms, wish, venues)
    ready = [one for one in able if state.session(one.session).ready]
    if ready and not any(has_room(state, one) for one in ready):
        busy = ", ".join(f"{one.name} ({one.max_messages_per_second})" for one in ready)
        return Reason.MAX_MESSAGE_RATE, f"no more messages in this second to {busy}"
    waits = not time_in_force.immediate or wish.ord_type is not kind
    if waits or ready:
        return None
    return Reason.NO_VENUE_CONNECTED, _GIVEN_UP[Reason.NO_VENUE_CONNECTED]


def _wish_for(terms: OrderTerms, venues: list[Venue]) -> router.Wish:
    """What a venue must take: of a stop that none can wait with, what it becomes."""
    asked = terms.conditions
    wish = router.Wish(
        side=terms.side,
        ord_type=terms.ord_type,
        price=terms.price,
        time_in_force=terms.time_in_force,
        order_qty=terms.order_qty,
        needs=asked.needs if asked is not None else frozenset(),
    )
    if wish.ord_type.is_stop and not any(wish.ord_type in one.ord_types for one in venues):
        wish = replace(wish, ord_type=stops.AFTER_TRIGGER[wish.ord_type])
    return wish


def _lacking(terms: OrderTerms, wish: router.Wish, venues: list[Venue]) -> str:
    lacking = [
        f"OrdType (40) = {wish.ord_type} ({wish.ord_type.name})"
        if not any(wish.ord_type in one.ord_types for one in venues)
        else "",
        f"TimeInForce (59) = {wish.time_in_force} ({wish.time_in_force.name})"
        if not any(router.time_at(one, wish.time_in_force) for one in venues)
        else "",
        *(
            NAMES[need]
            for need in sorted(wish.needs)
            if not any(need in one.abilities for one in venues)
        ),
    ]
    named = ", ".join(one for one in lacking if one) or "the order's conditions together"
    places = ", ".join(one.name for one in venues) or "there is none"
    return f"{named}: not taken by any venue of {terms.symbol} ({places})"


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
    parent: Order,
    order_id: str,
    leg: router.Leg,
    seen: tuple[VenueQuote, ...],
    wish: router.Wish,
) -> OrderRouted:
    time_in_force = router.time_at(leg.venue, wish.time_in_force)
    assert time_in_force is not None, leg.venue.name
    conditions = parent.conditions
    if conditions is not None:
        conditions = at_venue(
            conditions.left(parent.cum_qty),
            leg.order_qty,
            abilities=leg.venue.abilities,
            ord_type=wish.ord_type,
            time_in_force=time_in_force,
        )
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
            ord_type=wish.ord_type,
            price=parent.price,
            time_in_force=time_in_force,
            conditions=conditions,
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
    """No venue takes the rest: an order that never traded is rejected, another ends as it ended at
    its last venue.
    """
    if isinstance(after, OrderExpired) and not parent.time_in_force.immediate:
        return replace(after, order_id=parent.order_id)
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
