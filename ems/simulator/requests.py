"""What the venue decides about a client's request: new order, cancel, cancel/replace.

Refusals stand in a column, one rule a line; their order is the precedence of the answers.
"""

from collections.abc import Mapping
from decimal import Decimal

from ems.simulator.book import Book
from ems.simulator.commands import CancelOrder, NewOrder, ReplaceOrder
from ems.simulator.ledger import Echo, Extra, Ledger
from ems.simulator.matching import admit, enter, leave
from ems.simulator.model import SymbolSettings, VenueOrder, VenueSettings
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecInst,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)

_SIDES = frozenset(Side)
_ORD_TYPES = frozenset(OrdType) - {OrdType.PEGGED}
_STOPS = frozenset({OrdType.STOP, OrdType.STOP_LIMIT})
_WITH_PRICE = frozenset({OrdType.LIMIT, OrdType.STOP_LIMIT})
_TIMES_IN_FORCE = frozenset(TimeInForce) - {TimeInForce.OPG}
_EXEC_INSTS = frozenset({ExecInst.NOT_HELD})
_F = CxlRejResponseTo.ORDER_CANCEL_REQUEST
_G = CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST

Refusal = tuple[OrdRejReason, str]


def decide_new(
    ledger: Ledger, books: Mapping[str, Book], settings: VenueSettings, command: NewOrder
) -> None:
    """Accept or refuse a new order; never executes a ClOrdID a second time."""
    key = (command.owner, command.cl_ord_id)
    if key in ledger.requests:
        _answer_repeated_order(ledger, command, ledger.requests[key])
        return
    order = _order_of(ledger, command)
    ledger.orders[order.order_id] = order
    ledger.requests[key] = order
    symbol = next((item for item in settings.symbols if item.symbol == command.symbol), None)
    refusal = _refusal_of_new(ledger, settings, symbol, command)
    if refusal is not None:
        reason, text = refusal
        order.closed = OrdStatus.REJECTED
        ledger.report(order, ExecType.REJECTED, Extra(ord_rej_reason=reason, text=text))
        return
    ledger.report(order, ExecType.NEW)
    admit(ledger, books[order.symbol], order)


def decide_cancel(ledger: Ledger, books: Mapping[str, Book], command: CancelOrder) -> None:
    """Take an order out of its book, or refuse."""
    if ledger.faults.ignore_cancels:
        return
    order = ledger.requests.get((command.owner, command.orig_cl_ord_id))
    if _answer_repeated_request(ledger, command):
        return
    ledger.requests[command.owner, command.cl_ord_id] = order
    refusal = _refusal_of_change(ledger, command, order)
    if refusal is not None or order is None:
        reason, text = refusal or (CxlRejReason.UNKNOWN_ORDER, "")
        _refuse(ledger, command, order, reason, text)
        return
    leave(ledger, books[order.symbol], order)
    order.closed = OrdStatus.CANCELED
    order.cl_ord_id = command.cl_ord_id
    ledger.report(order, ExecType.CANCELED, Extra(orig_cl_ord_id=command.orig_cl_ord_id))


def decide_replace(
    ledger: Ledger, books: Mapping[str, Book], settings: VenueSettings, command: ReplaceOrder
) -> None:
    """Give a resting order new terms. Time priority stays only where nothing but the quantity
    changes, and that downwards; a quantity at or below CumQty means CumQty, and Filled (C.3.c).
    """
    if ledger.faults.ignore_replaces:
        return
    order = ledger.requests.get((command.owner, command.orig_cl_ord_id))
    if _answer_repeated_request(ledger, command):
        return
    ledger.requests[command.owner, command.cl_ord_id] = order
    refusal = _refusal_of_change(ledger, command, order)
    if refusal is None and order is not None:
        refusal = _refusal_of_terms(settings, order, command)
    if refusal is not None or order is None:
        reason, text = refusal or (CxlRejReason.UNKNOWN_ORDER, "")
        _refuse(ledger, command, order, reason, text)
        return
    _replace(ledger, books[order.symbol], order, command)


def _replace(ledger: Ledger, book: Book, order: VenueOrder, command: ReplaceOrder) -> None:
    order_qty = max(command.order_qty, order.cum_qty)
    keeps_priority = command.price == order.price and order_qty <= order.order_qty
    before = order.leaves_qty
    waits = order.order_id in ledger.waiting.get(order.symbol, {})
    side = book.side_of(order)
    if not keeps_priority and not waits:
        side.remove(order)
    order.stop_px = command.stop_px if waits and command.stop_px is not None else order.stop_px
    order.order_qty = order_qty
    order.price = command.price
    order.cl_ord_id = command.cl_ord_id
    ledger.touched.add(book.symbol)
    ledger.report(order, ExecType.REPLACED, Extra(orig_cl_ord_id=command.orig_cl_ord_id))
    if waits:
        if not order.leaves_qty:
            del ledger.waiting[order.symbol][order.order_id]
    elif keeps_priority:
        side.resize(order, before)
    elif order.leaves_qty:
        enter(ledger, book, order)


def _order_of(ledger: Ledger, command: NewOrder) -> VenueOrder:
    return VenueOrder(
        owner=command.owner,
        order_id=ledger.next_order_id(),
        cl_ord_id=command.cl_ord_id,
        symbol=command.symbol,
        side=command.side,
        ord_type=command.ord_type,
        time_in_force=command.time_in_force,
        order_qty=command.order_qty,
        price=command.price,
        account=command.account,
        stop_px=command.stop_px,
        min_qty=command.min_qty,
        max_floor=command.max_floor,
        exec_inst=command.exec_inst,
        expire_time=command.expire_time,
        expire_date=command.expire_date,
        created_at=ledger.at,
        changed_at=ledger.at,
    )


def _refuse(
    ledger: Ledger,
    command: CancelOrder | ReplaceOrder,
    order: VenueOrder | None,
    reason: CxlRejReason,
    text: str,
) -> None:
    echo = Echo(
        owner=command.owner,
        cl_ord_id=command.cl_ord_id,
        symbol=command.symbol,
        side=command.side,
    )
    ledger.refuse_cancel(
        echo,
        order,
        orig_cl_ord_id=command.orig_cl_ord_id,
        response_to=_F if isinstance(command, CancelOrder) else _G,
        reason=reason,
        text=text,
    )


def _answer_repeated_order(ledger: Ledger, command: NewOrder, order: VenueOrder | None) -> None:
    """F.1.b: with PossResend the order's status; else refused, showing the first order's status."""
    duplicate = Extra(
        ord_rej_reason=OrdRejReason.DUPLICATE_ORDER,
        text=f"ClOrdID (11) {command.cl_ord_id}: used before",
        cl_ord_id=command.cl_ord_id,
    )
    if order is None:
        echo = Echo(
            owner=command.owner,
            cl_ord_id=command.cl_ord_id,
            symbol=command.symbol,
            side=command.side,
            ord_type=command.ord_type,
            time_in_force=command.time_in_force,
        )
        exec_id = ledger.next_exec_id()
        ledger.emit(ledger.unknown(echo, ExecType.REJECTED, exec_id, duplicate))
    elif command.poss_resend:
        ledger.emit(ledger.status(order, Extra()))
    else:
        exec_id = ledger.next_exec_id()
        ledger.emit(ledger.describe(order, ExecType.REJECTED, exec_id, duplicate))


def _answer_repeated_request(ledger: Ledger, command: CancelOrder | ReplaceOrder) -> bool:
    """The same for a cancel or replace whose ClOrdID was used before; whether it was one."""
    key = (command.owner, command.cl_ord_id)
    if key not in ledger.requests:
        return False
    known = ledger.requests[key]
    if command.poss_resend and known is not None:
        ledger.emit(ledger.status(known, Extra()))
        return True
    reason = CxlRejReason.DUPLICATE_CL_ORD_ID
    text = f"ClOrdID (11) {command.cl_ord_id}: used before"
    about = ledger.requests.get((command.owner, command.orig_cl_ord_id))
    _refuse(ledger, command, about, reason, text)
    return True


def _refusal_of_new(
    ledger: Ledger, settings: VenueSettings, symbol: SymbolSettings | None, command: NewOrder
) -> Refusal | None:
    odd = OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC
    if symbol is None:
        return OrdRejReason.UNKNOWN_SYMBOL, f"Symbol (55) {command.symbol}: not listed here"
    if command.side not in _SIDES:
        return odd, f"Side (54) {command.side}: must be 1, 2 or 5"
    if command.ord_type not in _ORD_TYPES:
        return odd, f"OrdType (40) {command.ord_type}: must be 1, 2, 3 or 4"
    if command.time_in_force not in _TIMES_IN_FORCE:
        return odd, f"TimeInForce (59) {command.time_in_force}: must be 0, 1, 3, 4, 6 or 7"
    if text := _bad_qty(settings, symbol, command.order_qty):
        return OrdRejReason.INCORRECT_QUANTITY, text
    if command.ord_type not in _WITH_PRICE and command.price is not None:
        return odd, f"Price (44) {command.price:f}: not allowed on a market order"
    if command.ord_type in _WITH_PRICE and (text := _bad_price(settings, symbol, command.price)):
        return OrdRejReason.OTHER, text
    if text := _bad_conditions(command, symbol):
        return odd, text
    if ledger.faults.take("reject_next"):
        return OrdRejReason.BROKER_OPTION, "refused by the venue"
    return None


def _refusal_of_change(
    ledger: Ledger, command: CancelOrder | ReplaceOrder, order: VenueOrder | None
) -> tuple[CxlRejReason, str] | None:
    if order is None:
        return CxlRejReason.UNKNOWN_ORDER, f"OrigClOrdID (41) {command.orig_cl_ord_id}: unknown"
    if command.symbol != order.symbol:
        return CxlRejReason.OTHER, f"Symbol (55) {command.symbol}: the order has {order.symbol}"
    if command.side != order.side:
        return CxlRejReason.OTHER, f"Side (54) {command.side}: the order has {order.side}"
    if not order.leaves_qty:
        return CxlRejReason.TOO_LATE_TO_CANCEL, f"the order is closed: {order.ord_status.name}"
    if ledger.faults.take("reject_cancels_next"):
        return CxlRejReason.BROKER_OPTION, "refused by the venue"
    return None


def _refusal_of_terms(
    settings: VenueSettings, order: VenueOrder, command: ReplaceOrder
) -> tuple[CxlRejReason, str] | None:
    symbol = next(item for item in settings.symbols if item.symbol == order.symbol)
    if command.ord_type != order.ord_type:
        return CxlRejReason.OTHER, f"OrdType (40) {command.ord_type}: may not change"
    text = _bad_qty(settings, symbol, command.order_qty)
    if command.ord_type in _WITH_PRICE:
        text = text or _bad_price(settings, symbol, command.price)
    return (CxlRejReason.OTHER, text) if text else None


def _bad_conditions(command: NewOrder, symbol: SymbolSettings) -> str:
    stops, until = command.ord_type in _STOPS, command.time_in_force == TimeInForce.GTD
    if stops != (command.stop_px is not None):
        return "StopPx (99): required on a stop order, and on no other"
    if command.stop_px is not None and (command.stop_px <= 0 or command.stop_px % symbol.tick):
        return f"StopPx (99) {command.stop_px:f}: must be above 0, a multiple of {symbol.tick:f}"
    if until != bool(command.expire_time or command.expire_date):
        return "ExpireTime (126), ExpireDate (432): one is required with 59=6, and with no other"
    if command.min_qty is not None and command.time_in_force != TimeInForce.IOC:
        return f"MinQty (110) {command.min_qty:f}: only with 59=3 here"
    if command.max_floor is not None and command.max_floor <= 0:
        return f"MaxFloor (111) {command.max_floor:f}: must be above 0"
    other = [one for one in command.exec_inst.split() if one not in _EXEC_INSTS]
    return f"ExecInst (18) {other[0]}: not taken here" if other else ""


def _bad_qty(settings: VenueSettings, symbol: SymbolSettings, qty: Decimal) -> str:
    if not qty.is_finite() or qty <= 0:
        return f"OrderQty (38) {qty}: must be above 0"
    if qty > settings.max_order_qty:
        return f"OrderQty (38) {qty:f}: must be at most {settings.max_order_qty:f}"
    if qty % symbol.lot:
        return f"OrderQty (38) {qty:f}: must be a multiple of {symbol.lot:f}"
    return ""


def _bad_price(settings: VenueSettings, symbol: SymbolSettings, price: Decimal | None) -> str:
    if price is None:
        return "Price (44): missing on a limit order"
    if not price.is_finite() or price <= 0:
        return f"Price (44) {price}: must be above 0"
    if price > settings.max_price:
        return f"Price (44) {price:f}: must be at most {settings.max_price:f}"
    if price % symbol.tick:
        return f"Price (44) {price:f}: must be a multiple of {symbol.tick:f}"
    return ""
