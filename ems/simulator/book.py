"""One symbol's order book: price levels in price order, orders in time order within a level."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ems.simulator.model import ZERO, VenueOrder


@dataclass(slots=True, eq=False)
class Level:
    """The orders at one price, oldest first, and their open quantity."""

    price: Decimal
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    qty: Decimal = ZERO

    @property
    def shown_qty(self) -> Decimal:
        """What market data tells: of icebergs only their floor."""
        return sum((order.shown_qty for order in self.orders.values()), ZERO)


class BookSide:
    """The resting orders of one side; the best price is the highest for bids, else the lowest."""

    __slots__ = ("_keys", "_levels", "_sign")

    def __init__(self, *, bids: bool) -> None:
        self._sign = -1 if bids else 1
        self._keys: list[Decimal] = []
        self._levels: dict[Decimal, Level] = {}

    def add(self, order: VenueOrder) -> None:
        """Put an order with a price behind all others at its price."""
        price = _price_of(order)
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = Level(price)
            insort(self._keys, self._sign * price)
        level.orders[order.order_id] = order
        level.qty += order.leaves_qty

    def remove(self, order: VenueOrder) -> None:
        """Take an order out; its leaves_qty must still be what the book holds."""
        price = _price_of(order)
        level = self._levels[price]
        del level.orders[order.order_id]
        level.qty -= order.leaves_qty
        if not level.orders:
            self._drop(price)

    def resize(self, order: VenueOrder, before: Decimal) -> None:
        """Account for an order whose leaves_qty was `before`; at zero it leaves the book."""
        price = _price_of(order)
        level = self._levels[price]
        leaves = order.leaves_qty
        level.qty += leaves - before
        if not leaves:
            del level.orders[order.order_id]
            if not level.orders:
                self._drop(price)

    def holds(self, order: VenueOrder) -> bool:
        level = self._levels.get(_price_of(order))
        return level is not None and order.order_id in level.orders

    def best(self) -> Level | None:
        return self._levels[self._sign * self._keys[0]] if self._keys else None

    def levels(self, depth: int = 0) -> Iterator[Level]:
        """The best `depth` levels, best first; 0 means all."""
        for key in self._keys[:depth] if depth else self._keys:
            yield self._levels[self._sign * key]

    def reaches(self, limit: Decimal | None, price: Decimal) -> bool:
        """Whether somebody who takes from this side with `limit` may trade at `price`."""
        return limit is None or self._sign * price <= self._sign * limit

    def available(self, limit: Decimal | None, wanted: Decimal) -> Decimal:
        """The open quantity within `limit`, counted no further than `wanted`."""
        total = ZERO
        for level in self.levels():
            if total >= wanted or not self.reaches(limit, level.price):
                break
            total += level.qty
        return total

    def _drop(self, price: Decimal) -> None:
        del self._levels[price]
        del self._keys[bisect_left(self._keys, self._sign * price)]


class Book:
    """Both sides of one symbol."""

    __slots__ = ("asks", "bids", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids = BookSide(bids=True)
        self.asks = BookSide(bids=False)

    def side_of(self, order: VenueOrder) -> BookSide:
        return self.bids if order.is_buy else self.asks

    def against(self, order: VenueOrder) -> BookSide:
        return self.asks if order.is_buy else self.bids


def _price_of(order: VenueOrder) -> Decimal:
    if order.price is None:
        message = f"order {order.order_id} has no price and cannot rest"
        raise ValueError(message)
    return order.price
