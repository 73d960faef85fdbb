"""The smart order router: which venues get how much of an order, and why.

Marketable quantity goes to the best prices after fees, level by level; what is left rests (or tries
its luck) at the best of the same venues; without quotes the configured order decides. A FOK order
goes whole to one venue. Prices are compared after fees: a buyer pays more, a seller gets less.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from oms.domain.commands import Quote
from oms.domain.conditions import Ability
from oms.domain.fact import fact
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.instrument import Instrument, Venue
from oms.domain.values import ZERO, decimal_text

BASIS = Decimal(10_000)


@fact
class Wish:
    """What is to be placed: order_qty is the part that no child covers yet.

    needs: conditions that a venue must be able to take. whole: to be placed at one venue, for what
    it asks for holds for the order and not for a part of it.
    """

    side: Side
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    order_qty: Decimal
    needs: frozenset[Ability] = frozenset()
    whole: bool = False


@fact
class Leg:
    """One child order to be made."""

    venue: Venue
    order_qty: Decimal
    why: str


@fact
class _Offer:
    """What a venue shows on the side that the order would take; price after fees."""

    rank: int
    venue: Venue
    size: Decimal
    price: Decimal
    net: Decimal
    marketable: bool


def supports(venue: Venue, wish: Wish) -> bool:
    """Whether the venue takes this kind of order at all."""
    return (
        wish.ord_type in venue.ord_types
        and time_at(venue, wish.time_in_force) is not None
        and wish.needs <= venue.abilities
    )


def time_at(venue: Venue, time_in_force: TimeInForce) -> TimeInForce | None:
    """The time in force that the venue is told; None: it cannot take the order.

    Good till date goes as good till cancel where the venue has only that: we end it ourselves.
    """
    if time_in_force in venue.times_in_force:
        return time_in_force
    until = time_in_force is TimeInForce.GTD and TimeInForce.GTC in venue.times_in_force
    return TimeInForce.GTC if until else None


def plan(
    wish: Wish, instrument: Instrument, venues: Sequence[Venue], quotes: Mapping[str, Quote]
) -> tuple[Leg, ...]:
    """Legs that together have exactly wish.order_qty; none when no venue is given.

    venues: those that may be used, in configured order.
    """
    if not venues or wish.order_qty <= 0:
        return ()
    offers = sorted(
        _offers(wish, venues, quotes), key=lambda offer: (offer.net * wish.side.sign, offer.rank)
    )
    if not offers:
        return (Leg(venue=venues[0], order_qty=wish.order_qty, why="no quote: configured order"),)
    if wish.time_in_force is TimeInForce.FOK:
        return (_whole(wish, offers, "fill or kill"),)
    if wish.whole:
        return (_whole(wish, offers, "not to be divided"),)
    return _spread(wish, instrument, offers)


def _offers(wish: Wish, venues: Sequence[Venue], quotes: Mapping[str, Quote]) -> list[_Offer]:
    found = []
    for rank, venue in enumerate(venues):
        quote = quotes.get(venue.name)
        if quote is None:
            continue
        buying = wish.side is Side.BUY
        price, size = (quote.ask, quote.ask_size) if buying else (quote.bid, quote.bid_size)
        if price is None or price <= 0:
            continue
        reachable = wish.price is None or (price <= wish.price if buying else price >= wish.price)
        net = price * (1 + wish.side.sign * venue.fee_bps / BASIS)
        found.append(
            _Offer(rank=rank, venue=venue, size=size, price=price, net=net, marketable=reachable)
        )
    return found


def _whole(wish: Wish, offers: list[_Offer], why: str) -> Leg:
    for offer in offers:
        if offer.marketable and offer.size >= wish.order_qty:
            return Leg(
                venue=offer.venue,
                order_qty=wish.order_qty,
                why=f"{why}: best price with size, {decimal_text(offer.price)}",
            )
    return Leg(
        venue=offers[0].venue, order_qty=wish.order_qty, why=f"{why}: best price, size short"
    )


def _spread(wish: Wish, instrument: Instrument, offers: list[_Offer]) -> tuple[Leg, ...]:
    left = wish.order_qty
    shares: dict[str, Decimal] = {}
    for offer in offers:
        if offer.marketable:
            take = min(offer.size - offer.size % instrument.lot, left)
            if take > 0:
                shares[offer.venue.name] = take
                left -= take
    home = offers[0]
    if left > 0:
        shares[home.venue.name] = shares.get(home.venue.name, ZERO) + left
    return tuple(
        Leg(
            venue=offer.venue,
            order_qty=shares[offer.venue.name],
            why=f"best price after fees: {decimal_text(offer.price)} for {decimal_text(offer.size)}"
            if offer.marketable
            else f"rests at the best quote: {decimal_text(offer.price)}",
        )
        for offer in offers
        if offer.venue.name in shares
    )
