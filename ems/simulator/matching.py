"""Price-time matching: the taker trades at the resting price, best price first, oldest first."""

from decimal import Decimal

from ems.simulator.book import Book
from ems.simulator.ledger import Extra, Ledger
from ems.simulator.model import Trade, VenueOrder
from oms.domain.fix import ExecType, OrdStatus, TimeInForce


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
