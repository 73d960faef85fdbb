"""What a venue changes of orders that rest: the shares that they are in, and their price."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from ems.simulator.book import Book
from ems.simulator.commands import RepriceOrder, SplitShares
from ems.simulator.ledger import Extra, Ledger
from ems.simulator.liquidity import Liquidity
from ems.simulator.matching import enter, leave
from ems.simulator.model import VenueOrder
from oms.domain.fix import GT_CORPORATE_ACTION, REPRICING, ExecType
from oms.domain.splits import on_grid

Done = tuple[str, str]  # the rule broken or "", the id acted on


def split(
    ledger: Ledger,
    books: Mapping[str, Book],
    liquidity: Mapping[str, Liquidity],
    command: SplitShares,
) -> Done:
    """Re-base every working order of the symbol and restate it; background liquidity is put anew.

    Orders keep their place: prices are rounded to the tick away from the other side.
    """
    book, background = books.get(command.symbol), liquidity.get(command.symbol)
    if book is None or background is None:
        return f"Symbol (55) {command.symbol}: not listed here", ""
    if command.new_shares < 1 or command.old_shares < 1:
        return f"{command.new_shares} for {command.old_shares}: both must be above 0", ""
    ratio = Fraction(command.new_shares, command.old_shares)
    working = [
        one
        for one in ledger.orders.values()
        if one.symbol == command.symbol and one.leaves_qty and one.owner
    ]
    working.sort(key=lambda one: one.priority)
    for order in working:
        if any(
            (Fraction(qty) * ratio).denominator != 1 for qty in (order.order_qty, order.cum_qty)
        ):
            return f"OrderID (37) {order.order_id}: would be no whole number of shares", ""
    background.withdraw(ledger, book)
    for order in working:
        leave(ledger, book, order)
    for order in working:
        _rebase(order, ratio, background.tick)
        if order.waits:
            ledger.waiting.setdefault(order.symbol, {})[order.order_id] = order
        else:
            book.side_of(order).add(order)
        ledger.report(
            order, ExecType.RESTATED, Extra(restatement=GT_CORPORATE_ACTION, text="split")
        )
    background.rebase(ratio)
    background.top_up(ledger, book)
    ledger.splits[command.symbol] = max(ledger.matches, default=0)
    return "", command.symbol


def _rebase(order: VenueOrder, ratio: Fraction, tick: Decimal) -> None:
    def quantity(value: Decimal) -> Decimal:
        return on_grid(Fraction(value) * ratio, Decimal(1), up=False)

    def price(value: Decimal | None, *, up: bool) -> Decimal | None:
        return None if value is None else on_grid(Fraction(value) / ratio, tick, up=up)

    order.order_qty, order.cum_qty = quantity(order.order_qty), quantity(order.cum_qty)
    order.price = price(order.price, up=not order.is_buy)
    order.stop_px = price(order.stop_px, up=order.is_buy)
    order.min_qty = None if order.min_qty is None else quantity(order.min_qty)
    order.max_floor = None if order.max_floor is None else quantity(order.max_floor)


def reprice(ledger: Ledger, books: Mapping[str, Book], command: RepriceOrder) -> Done:
    """Give a working order another price and restate it; it loses its place, and may trade."""
    order = ledger.orders.get(command.order_id)
    if not command.order_id:
        working = (one for one in reversed(ledger.orders.values()) if one.leaves_qty)
        order = next(working, None)
    if order is None or not order.leaves_qty or order.price is None:
        named = command.order_id or "of the last order"
        return f"OrderID (37) {named}: no working order with a price", ""
    if command.price <= 0:
        return f"Price (44) {command.price:f}: must be above 0", ""
    rests = not order.waits
    if rests:
        leave(ledger, books[order.symbol], order)
    order.price = command.price
    ledger.report(order, ExecType.RESTATED, Extra(restatement=REPRICING, text="repriced"))
    if rests:
        enter(ledger, books[order.symbol], order)
    return "", order.order_id
