"""Background liquidity: the venue's own resting orders around a reference price that may walk.

Deterministic for a seed and an order of commands: the generator comes from outside and is asked in
the order of the symbols, and only when a command makes it necessary.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from ems.simulator.book import Book
from ems.simulator.ledger import Ledger
from ems.simulator.matching import enter
from ems.simulator.model import LiquiditySettings, SymbolSettings, VenueOrder
from oms.domain.fix import OrdType, Side
from oms.domain.splits import on_grid


class Liquidity:
    """The background orders of one symbol."""

    def __init__(
        self, symbol: SymbolSettings, settings: LiquiditySettings, rng: random.Random
    ) -> None:
        self._symbol = symbol
        self._settings = settings
        self._rng = rng
        self._offset = 0  # ticks that the reference price has walked
        self._made = 0
        self._orders: dict[tuple[Side, Decimal], VenueOrder] = {}

    @property
    def reference(self) -> Decimal:
        return self._symbol.reference_price + self._offset * self._symbol.tick

    @property
    def tick(self) -> Decimal:
        return self._symbol.tick

    def withdraw(self, ledger: Ledger, book: Book) -> None:
        """Take every background order out."""
        for order in self._orders.values():
            if order.leaves_qty:
                book.side_of(order).remove(order)
                ledger.touched.add(book.symbol)
        self._orders.clear()

    def rebase(self, ratio: Fraction) -> None:
        """Have the reference price of the shares after a split; there are no orders now."""
        price = on_grid(Fraction(self.reference) / ratio, self._symbol.tick, up=True)
        self._symbol = replace(self._symbol, reference_price=price)
        self._offset = 0

    def top_up(self, ledger: Ledger, book: Book) -> None:
        """Put an order at every price of the plan that has none, except where it would trade."""
        for side, price in self._plan():
            known = self._orders.get((side, price))
            if known is not None and known.leaves_qty:
                continue
            opposite = book.asks if side is Side.BUY else book.bids
            best = opposite.best()
            if best is not None and opposite.reaches(price, best.price):
                continue
            order = self._orders[side, price] = self._make(side, price)
            enter(ledger, book, order)

    def walk(self, ledger: Ledger, book: Book) -> None:
        """Move the reference price by a random step and the orders with it; what crosses a client's
        order now trades with it. Beyond walk_max_ticks the step leads back.
        """
        step = self._rng.choice((-1, 0, 1)) * self._settings.walk_ticks
        if abs(self._offset + step) > self._settings.walk_max_ticks:
            step = -step
        self._offset += step
        wanted = set(self._plan())
        for key, order in list(self._orders.items()):
            if key in wanted and order.leaves_qty:
                continue
            if order.leaves_qty:
                book.side_of(order).remove(order)
                ledger.touched.add(book.symbol)
            del self._orders[key]
        for key in self._plan():
            if key not in self._orders:
                order = self._orders[key] = self._make(*key)
                enter(ledger, book, order)

    def _plan(self) -> Iterator[tuple[Side, Decimal]]:
        tick = self._symbol.tick
        below = self._settings.spread_ticks // 2
        above = self._settings.spread_ticks - below
        for level in range(self._settings.depth):
            bid = self.reference - (below + level) * tick
            if bid > 0:
                yield Side.BUY, bid
            yield Side.SELL, self.reference + (above + level) * tick

    def _make(self, side: Side, price: Decimal) -> VenueOrder:
        self._made += 1
        lots = self._rng.randint(self._settings.min_lots, self._settings.max_lots)
        return VenueOrder(
            owner="",
            order_id=f"{self._symbol.symbol}-L{self._made}",
            cl_ord_id="",
            symbol=self._symbol.symbol,
            side=side,
            ord_type=OrdType.LIMIT,
            time_in_force="0",
            order_qty=lots * self._symbol.lot,
            price=price,
        )
