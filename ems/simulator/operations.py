"""What a venue's operators can do to the day: bust, correct, cancel unasked, expire, misreport.

Each returns "" or the rule that made it impossible, and the id that it acted on.
"""

from collections.abc import Mapping

from ems.simulator.book import Book
from ems.simulator.commands import CancelUnsolicited, CorrectTrade, ReportUnknownFill
from ems.simulator.ledger import Extra, Ledger
from ems.simulator.matching import close, enter, leave, report_trade
from ems.simulator.model import ZERO, Trade, TradeStatus, VenueOrder
from oms.domain.fix import GT_RENEWAL, ExecType, OrdStatus, OrdType, TimeInForce
from oms.domain.values import utc_date

Done = tuple[str, str]  # the rule broken or "", the id acted on


def bust(ledger: Ledger, books: Mapping[str, Book], exec_id: str) -> Done:
    """Undo both sides of a match.

    An order gets the quantity back, and a filled one works again (J.1.a), at the end of its queue;
    where it may not rest or would trade at once, it is Canceled instead.
    """
    chosen = _standing(ledger, exec_id)
    if chosen is None or _of_old_shares(ledger, chosen):
        return f"ExecID (17) {exec_id or 'of the last trade'}: no trade that stands", ""
    for trade in reversed(ledger.matches[chosen.match_id]):
        order = ledger.orders[trade.order_id]
        _take_out(ledger, books, order)
        order.cum_qty -= trade.last_qty
        order.notional -= trade.last_qty * trade.last_px
        trade.status = TradeStatus.BUSTED
        _put_back(ledger, books, order)
        extra = Extra(exec_ref_id=trade.last_exec_id, last_qty=ZERO, last_px=ZERO, text="busted")
        trade.last_exec_id = ledger.report(order, ExecType.TRADE_CANCEL, extra)
    return "", chosen.exec_id


def correct(ledger: Ledger, books: Mapping[str, Book], command: CorrectTrade) -> Done:
    """Give both sides of a match another quantity or price; their orders as in bust()."""
    chosen = _standing(ledger, command.exec_id)
    if chosen is None or _of_old_shares(ledger, chosen):
        return f"ExecID (17) {command.exec_id or 'of the last trade'}: no trade that stands", ""
    qty = chosen.last_qty if command.last_qty is None else command.last_qty
    price = chosen.last_px if command.last_px is None else command.last_px
    if qty <= 0 or price <= 0:
        return f"correction to {qty} at {price}: both must be above 0", ""
    sides = ledger.matches[chosen.match_id]
    for trade in sides:
        order = ledger.orders[trade.order_id]
        if order.cum_qty - trade.last_qty + qty > order.order_qty:
            return f"LastQty (32) {qty:f}: CumQty would pass OrderQty of {order.order_id}", ""
    for trade in reversed(sides):
        order = ledger.orders[trade.order_id]
        _take_out(ledger, books, order)
        order.cum_qty += qty - trade.last_qty
        order.notional += qty * price - trade.last_qty * trade.last_px
        trade.last_qty, trade.last_px = qty, price
        trade.status = TradeStatus.CORRECTED
        _put_back(ledger, books, order)
        extra = Extra(exec_ref_id=trade.last_exec_id, last_qty=qty, last_px=price, text="corrected")
        trade.last_exec_id = ledger.report(order, ExecType.TRADE_CORRECT, extra)
    return "", chosen.exec_id


def cancel_unsolicited(
    ledger: Ledger, books: Mapping[str, Book], command: CancelUnsolicited
) -> Done:
    """Cancel a working order of a client under its own ClOrdID, with no OrigClOrdID (E.1)."""
    order = ledger.orders.get(command.order_id)
    if not command.order_id:
        working = (item for item in reversed(ledger.orders.values()) if item.leaves_qty)
        order = next(working, None)
    if order is None or not order.leaves_qty:
        return f"OrderID (37) {command.order_id or 'of the last order'}: no working order", ""
    leave(ledger, books[order.symbol], order)
    close(ledger, order, OrdStatus.CANCELED, "cancelled by the venue, unsolicited")
    return "", order.order_id


def expire_day(ledger: Ledger, books: Mapping[str, Book]) -> Done:
    """Orders for the close trade with the book; then every order of a client that is not good
    longer expires, and the others are restated for the day to come. Background liquidity stays.
    """
    today = f"{utc_date(ledger.at):%Y%m%d}"
    for order in list(ledger.orders.values()):
        if order.leaves_qty and order.time_in_force == TimeInForce.CLS:
            leave(ledger, books[order.symbol], order)
            enter(ledger, books[order.symbol], order)
    for order in list(ledger.orders.values()):
        if not order.leaves_qty:
            continue
        if _goes_on(order, today):
            extra = Extra(restatement=GT_RENEWAL, text="good on the next trading day")
            ledger.report(order, ExecType.RESTATED, extra)
        else:
            leave(ledger, books[order.symbol], order)
            close(ledger, order, OrdStatus.EXPIRED, "end of the trading day")
    return "", ""


def _goes_on(order: VenueOrder, today: str) -> bool:
    if order.time_in_force == TimeInForce.GTC:
        return True
    until = order.time_in_force == TimeInForce.GTD
    return until and (order.expire_date > today or bool(order.expire_time))


def expire_due(ledger: Ledger, books: Mapping[str, Book]) -> None:
    """Orders whose ExpireTime (126) has come expire."""
    for order_id, at in list(ledger.until.items()):
        if at <= ledger.at:
            order = ledger.orders[order_id]
            del ledger.until[order_id]
            if order.leaves_qty:
                leave(ledger, books[order.symbol], order)
                close(ledger, order, OrdStatus.EXPIRED, "the time of the order is over")


def report_unknown_fill(
    ledger: Ledger, books: Mapping[str, Book], command: ReportUnknownFill
) -> Done:
    """A fully filled order that the owner never sent; the venue's books show it like any other."""
    if command.symbol not in books:
        return f"Symbol (55) {command.symbol}: not listed here", ""
    if command.last_qty <= 0 or command.last_px <= 0:
        return f"fill of {command.last_qty} at {command.last_px}: both must be above 0", ""
    order_id = ledger.next_order_id()
    order = VenueOrder(
        owner=command.owner,
        order_id=order_id,
        cl_ord_id=f"NOT-YOURS-{order_id}",
        symbol=command.symbol,
        side=command.side,
        ord_type=OrdType.LIMIT,
        time_in_force="0",
        order_qty=command.last_qty,
        price=command.last_px,
        cum_qty=command.last_qty,
        notional=command.last_qty * command.last_px,
        created_at=ledger.at,
    )
    ledger.orders[order_id] = order
    ledger.requests[order.owner, order.cl_ord_id] = order
    report_trade(ledger, order, ledger.next_match_id(), command.last_qty, command.last_px)
    return "", next(reversed(ledger.trades))


def _standing(ledger: Ledger, exec_id: str) -> Trade | None:
    """The trade with this first or latest ExecID, or the last one; None when none stands."""
    if exec_id in ledger.trades:
        trade = ledger.trades[exec_id]
        return None if trade.status is TradeStatus.BUSTED else trade
    for trade in reversed(ledger.trades.values()):
        if trade.status is TradeStatus.BUSTED:
            continue
        if exec_id in ("", trade.last_exec_id):
            return trade
    return None


def _of_old_shares(ledger: Ledger, trade: Trade) -> bool:
    """A trade of before a split stands as it is."""
    return trade.match_id <= ledger.splits.get(trade.symbol, 0)


def _take_out(ledger: Ledger, books: Mapping[str, Book], order: VenueOrder) -> None:
    ledger.touched.add(order.symbol)
    if order.leaves_qty:
        leave(ledger, books[order.symbol], order)


def _put_back(ledger: Ledger, books: Mapping[str, Book], order: VenueOrder) -> None:
    if not order.leaves_qty:
        return
    book = books[order.symbol]
    opposite = book.against(order)
    best = opposite.best()
    if not order.can_rest or (best is not None and opposite.reaches(order.price, best.price)):
        order.closed = OrdStatus.CANCELED
        return
    order.priority = ledger.next_priority()
    book.side_of(order).add(order)
