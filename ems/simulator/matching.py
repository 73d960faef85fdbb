"""Price-time matching: the taker trades at the resting price, best price first, oldest first."""

from collections.abc import Mapping
from decimal import Decimal

from ems.simulator.book import Book
from ems.simulator.ledger import Extra, Ledger
from ems.simulator.model import Trade, VenueOrder
from oms.domain.fix import ExecType, OrdStatus, TimeInForce


def admit(ledger: Ledger, book: Book, order: VenueOrder) -> None:
    """Take a new order in: into the book, or beside it until its time comes."""
    if order.expire_time:
        ledger.until[order.order_id] = order.expire_time
    if order.waits:
        ledger.waiting.setdefault(order.symbol, {})[order.order_id] = order
        ledger.touched.add(book.symbol)
    else:
        enter(ledger, book, order)


def leave(ledger: Ledger, book: Book, order: VenueOrder) -> None:
    """Take a working order out of the book, or from beside it."""
    ledger.touched.add(book.symbol)
    if ledger.waiting.get(order.symbol, {}).pop(order.order_id, None) is None:
        book.side_of(order).remove(order)


def trigger(ledger: Ledger, books: Mapping[str, Book]) -> None:
    """Stops whose price the other side of the book has reached become orders at work."""
    for symbol in sorted(ledger.touched & ledger.waiting.keys()):
        while True:
            order = next((one for one in _stops(ledger, symbol) if _reached(books, one)), None)
            if order is None:
                break
            del ledger.waiting[symbol][order.order_id]
            order.triggered = True
            ledger.report(order, ExecType.TRIGGERED)
            enter(ledger, books[symbol], order)


def _stops(ledger: Ledger, symbol: str) -> list[VenueOrder]:
    return [one for one in ledger.waiting[symbol].values() if one.stop_px is not None]


def _reached(books: Mapping[str, Book], order: VenueOrder) -> bool:
    best = books[order.symbol].against(order).best()
    if best is None or order.stop_px is None:
        return False
    return best.price >= order.stop_px if order.is_buy else best.price <= order.stop_px


def enter(ledger: Ledger, book: Book, order: VenueOrder) -> None:
    """Trade what can be traded; then the order rests, or what is left of it is cancelled.

    FOK trades wholly or not at all. Also for an order that comes back with new terms.
    """
    ledger.touched.add(book.symbol)
    if order.time_in_force == TimeInForce.FOK:
        wanted = order.leaves_qty
        if book.against(order).available(order.price, wanted) < wanted:
            close(ledger, order, OrdStatus.CANCELED, "FOK: not all of it could trade")
            return
    least = order.min_qty
    if least is not None and book.against(order).available(order.price, least) < least:
        close(ledger, order, OrdStatus.CANCELED, "MinQty (110): not so much could trade")
        return
    take(ledger, book, order)
    if not order.leaves_qty:
        return
    if order.can_rest:
        order.priority = ledger.next_priority()
        book.side_of(order).add(order)
    else:
        close(ledger, order, OrdStatus.CANCELED, "nothing more to trade with")


def take(ledger: Ledger, book: Book, taker: VenueOrder) -> None:
    """Trade against the other side while prices cross."""
    opposite = book.against(taker)
    while taker.leaves_qty:
        level = opposite.best()
        if level is None or not opposite.reaches(taker.price, level.price):
            return
        maker = next(iter(level.orders.values()))
        before = maker.leaves_qty
        trade(ledger, maker, taker, min(before, taker.leaves_qty), level.price)
        opposite.resize(maker, before)


def trade(
    ledger: Ledger, maker: VenueOrder, taker: VenueOrder, qty: Decimal, price: Decimal
) -> None:
    """Book one match on both orders; each side that is not background gets its report."""
    match_id = ledger.next_match_id()
    for order in (taker, maker):
        order.cum_qty += qty
        order.notional += qty * price
        report_trade(ledger, order, match_id, qty, price)


def report_trade(
    ledger: Ledger, order: VenueOrder, match_id: int, qty: Decimal, price: Decimal
) -> None:
    """Report and record one side of a match."""
    extra = Extra(last_qty=qty, last_px=price)
    exec_id = ledger.report(order, ExecType.TRADE, extra)
    if not exec_id:
        return
    record = Trade(
        exec_id=exec_id,
        last_exec_id=exec_id,
        match_id=match_id,
        owner=order.owner,
        order_id=order.order_id,
        cl_ord_id=order.cl_ord_id,
        symbol=order.symbol,
        side=order.side,
        last_qty=qty,
        last_px=price,
        transact_time=ledger.at,
    )
    ledger.trades[exec_id] = record
    ledger.matches.setdefault(match_id, []).append(record)
    ledger.last_trade[order.symbol] = record


def close(ledger: Ledger, order: VenueOrder, status: OrdStatus, text: str) -> None:
    """End an order that does not rest in a book (any more), and say so."""
    order.closed = status
    exec_type = ExecType.EXPIRED if status is OrdStatus.EXPIRED else ExecType.CANCELED
    ledger.report(order, exec_type, Extra(text=text))
