"""What a split makes of the open orders of its symbol, and why it may have to wait."""

from decimal import Decimal
from fractions import Fraction

from oms.domain.fix import Side
from oms.domain.instrument import Instrument
from oms.domain.order import Order
from oms.domain.reasons import Reason
from oms.domain.session_commands import LogoutCause
from oms.domain.splits import OrderChange, RebasedTerms, Split, on_grid, rounded
from oms.domain.state import State
from oms.domain.values import decimal_text

_ORDERLY = (LogoutCause.OURS, LogoutCause.PEER)


def share_unit(instrument: Instrument) -> Decimal:
    """What a quantity that was traded or is held comes in: whole shares, or smaller lots."""
    return min(instrument.lot, Decimal(1))


def concerned(state: State, split: Split) -> list[Order]:
    """Open orders of before the split, each client order followed by its children."""
    found = [state.orders[one] for one in state.open_orders]
    clients = sorted(
        (
            one
            for one in found
            if one.symbol == split.symbol
            and not one.is_child
            and one.trade_date < split.effective_date
        ),
        key=lambda one: (one.created_at, one.order_id),
    )
    return [
        one
        for client in clients
        for one in (client, *(state.orders[n] for n in client.children if n in state.open_orders))
    ]


def old_shares_fault(state: State, order: Order) -> str:
    """Why what the order has traded does not go together with a quantity of today; mostly empty.

    What was done when its symbol was split stayed as it was, and so does what is opened again.
    """
    missed, last = Fraction(1), ""
    for action in state.corporate_actions.values():
        split = action.event.split
        later = order.trade_date < split.effective_date and action.applied_at > order.created_at
        if split.symbol == order.symbol and action.applied and later:
            missed *= split.ratio
            last = max(last, split.effective_date)
    for _, ratio in order.rebasings:
        missed /= ratio
    if missed == 1:
        return ""
    return (
        f"order {order.order_id} was done before {order.symbol} was split on {last}:"
        " it stays in old shares, send a new order"
    )


def change_of(order: Order, split: Split, instrument: Instrument) -> tuple[OrderChange, list[str]]:
    """The order before and after, and the rules that would be broken by what it became.

    A price is rounded to the tick so that a limit is not worse for its owner than before and a stop
    is not triggered earlier.
    """
    asked, buying = order.conditions, order.side is Side.BUY
    calculated = _Calculation(split.ratio, instrument)
    quantity, price = calculated.quantity, calculated.price
    lot, unit = instrument.lot, share_unit(instrument)
    after = RebasedTerms(
        order_qty=quantity("OrderQty (38)", order.order_qty, lot),
        cum_qty=quantity("CumQty (14)", order.cum_qty, unit),
        price=price("Price (44)", order.price, up=not buying),
        stop_px=price("StopPx (99)", asked.stop_px, up=buying) if asked else None,
        min_qty=calculated.optional("MinQty (110)", asked.min_qty) if asked else None,
        max_floor=calculated.optional("MaxFloor (111)", asked.max_floor) if asked else None,
        peg_offset=calculated.offset(asked.peg_offset, up=not buying) if asked else None,
    )
    change = OrderChange(
        order_id=order.order_id,
        parent_id=order.parent_id,
        counterparty=order.counterparty,
        cl_ord_id=order.cl_ord_id,
        before=_terms(order),
        after=after,
    )
    return change, [f"order {order.order_id}: {fault}" for fault in calculated.faults]


def _terms(order: Order) -> RebasedTerms:
    asked = order.conditions
    return RebasedTerms(
        order_qty=order.order_qty,
        cum_qty=order.cum_qty,
        price=order.price,
        stop_px=asked.stop_px if asked else None,
        min_qty=asked.min_qty if asked else None,
        max_floor=asked.max_floor if asked else None,
        peg_offset=asked.peg_offset if asked else None,
    )


class _Calculation:
    """One order's figures after the split, and what is wrong with them."""

    def __init__(self, ratio: Fraction, instrument: Instrument) -> None:
        self._ratio = ratio
        self._instrument = instrument
        self.faults: list[str] = []

    def quantity(self, field: str, value: Decimal, step: Decimal) -> Decimal:
        """Exactly that, or the next multiple of step below, and a fault."""
        found = Fraction(value) * self._ratio
        told = on_grid(found, step, up=False)
        if Fraction(told) != found:
            self.faults.append(
                f"{field} = {decimal_text(value)}: would be {decimal_text(rounded(found))},"
                f" no multiple of {decimal_text(step)}"
            )
        return told

    def optional(self, field: str, value: Decimal | None) -> Decimal | None:
        """A quantity that may be absent."""
        return None if value is None else self.quantity(field, value, self._instrument.lot)

    def price(self, field: str, value: Decimal | None, *, up: bool) -> Decimal | None:
        """On the tick, above or below."""
        if value is None:
            return None
        told = on_grid(Fraction(value) / self._ratio, self._instrument.tick, up=up)
        if told <= 0:
            self.faults.append(f"{field} = {decimal_text(value)}: would be below one tick")
        return told

    def offset(self, value: Decimal | None, *, up: bool) -> Decimal | None:
        """PegOffsetValue (211), which may be zero or less."""
        if value is None:
            return None
        return on_grid(Fraction(value) / self._ratio, self._instrument.tick, up=up)


def waits(state: State, order: Order) -> str:
    """Why an order cannot be re-based now; empty where it can."""
    named = f"order {order.order_id}: "
    if not order.is_child and not order.time_in_force.good_till:
        return f"{named}{order.time_in_force.name} orders must have ended before a split"
    if order.requests or order.waiting or order.expiring:
        return f"{named}is being cancelled, replaced or expired; that must have come to its end"
    if not order.is_child:
        return ""
    if not order.accepted:
        return f"{named}{order.counterparty} has not acknowledged it"
    if order.in_doubt and not _rests(state, order):
        return f"{named}its state at {order.counterparty} is unknown; that must be settled first"
    return ""


def _rests(state: State, child: Order) -> bool:
    """Whether the child is in doubt only because its venue's session has ended, in order: then all
    that the venue had said has come, and what it says next is said after the split.
    """
    session = state.session(child.session)
    orderly = not session.logged_on and session.closed_cause in _ORDERLY
    return child.doubt_reason is Reason.SESSION_LOST and orderly
