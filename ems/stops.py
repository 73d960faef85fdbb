"""Stop orders that we hold because no venue of theirs takes them: when they are triggered.

A purchase is triggered when the best offer of all venues, or a trade of ours, is at StopPx (99) or
above; a sale when the best bid, or a trade, is at it or below. Quotes are observations: the event
keeps those that were compared.
"""

from collections.abc import Iterator
from decimal import Decimal

from ems.market_data import best_ask, best_bid
from oms.domain.commands import Quote
from oms.domain.events import OrderTriggered, VenueQuote
from oms.domain.fix import OrdType, Side
from oms.domain.order import Order
from oms.domain.state import State

ASK, BID, LAST, VENUE = "ASK", "BID", "LAST", "VENUE"

AFTER_TRIGGER = {OrdType.STOP: OrdType.MARKET, OrdType.STOP_LIMIT: OrdType.LIMIT}
"""What a stop order is once its price was reached."""


def triggered_now(state: State, order: Order) -> OrderTriggered | None:
    """The order's trigger by what venues quote now, if they reach its price."""
    quotes = _shown_now(state, order.symbol)
    buying = order.side is Side.BUY
    price = best_ask(quotes) if buying else best_bid(quotes)
    if price is None or not _reached(order, price):
        return None
    seen = tuple(VenueQuote(venue=name, quote=quote) for name, quote in quotes.items())
    return _trigger(order, ASK if buying else BID, price, seen)


def _shown_now(state: State, symbol: str) -> dict[str, Quote]:
    """What venues quote that are there: what one showed before it went away says nothing.

    Nor does a quote in the night of a split: nobody can tell the shares that it is for.
    """
    if symbol in state.ex_dates:
        return {}
    venues = state.reference.venues
    return {
        name: quote
        for name, quote in state.market.get(symbol, {}).items()
        if name in venues and state.session(venues[name].session).logged_on
    }


def after_quote(state: State, symbol: str) -> Iterator[OrderTriggered]:
    """What a quote has set off."""
    for order in _waiting(state, symbol):
        found = triggered_now(state, order)
        if found is not None:
            yield found


def after_trade(state: State, symbol: str, last_px: Decimal) -> Iterator[OrderTriggered]:
    """What a trade of ours has set off."""
    for order in _waiting(state, symbol):
        if _reached(order, last_px):
            yield _trigger(order, LAST, last_px, ())


def _waiting(state: State, symbol: str) -> list[Order]:
    held = [state.orders[one] for one in state.stops.get(symbol, ())]
    return [one for one in held if one.is_open and not one.requests and not one.expiring]


def _reached(order: Order, price: Decimal) -> bool:
    stop_px = order.conditions.stop_px if order.conditions else None
    if stop_px is None:
        return False
    return price >= stop_px if order.side is Side.BUY else price <= stop_px


def _trigger(
    order: Order, by: str, price: Decimal, quotes: tuple[VenueQuote, ...]
) -> OrderTriggered:
    assert order.conditions is not None, order.order_id
    assert order.conditions.stop_px is not None, order.order_id
    return OrderTriggered(
        order_id=order.order_id,
        stop_px=order.conditions.stop_px,
        by=by,
        trigger_px=price,
        quotes=quotes,
    )


def venue_triggered(order: Order) -> OrderTriggered | None:
    """What a venue's trigger, or a trade there, says; None where there is nothing to trigger."""
    stop_px = order.conditions.stop_px if order.conditions else None
    if stop_px is None or order.triggered_at or not order.is_open:
        return None
    return OrderTriggered(order_id=order.order_id, stop_px=stop_px, by=VENUE)
