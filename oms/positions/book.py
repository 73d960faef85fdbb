"""Average-cost bookkeeping of one position, exact: what is rounded off a cost stays in the rest.

Closing part of a position releases its share of the cost, rounded half even to 1e-12; the
remainder keeps the difference, so realised profit plus open cost is conserved to the last digit and
a full close releases exactly what is left. A trade through zero closes first, then opens.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from oms.domain.fix import Side
from oms.domain.order import Order
from oms.domain.splits import rounded
from oms.domain.state import Position, PositionSplit, State, Working
from oms.domain.values import COST_QUANTUM, ZERO


def book_trade(position: Position, side: Side, last_qty: Decimal, last_px: Decimal) -> None:
    """Move the position by one trade; quantities in units, money in the instrument's currency."""
    sign = side.sign
    if sign > 0:
        position.bought += last_qty
        position.bought_value += last_qty * last_px
    else:
        position.sold += last_qty
        position.sold_value += last_qty * last_px
    closing = ZERO
    if position.quantity * sign < 0:
        closing = min(abs(position.quantity), last_qty)
        _close(position, sign, closing, last_px)
    opening = last_qty - closing
    position.quantity += sign * opening
    position.cost += sign * opening * last_px


def _close(position: Position, sign: int, closing: Decimal, last_px: Decimal) -> None:
    held = abs(position.quantity)
    released = position.cost
    if closing < held:
        share = position.cost * closing / held
        released = share.quantize(COST_QUANTUM, rounding=ROUND_HALF_EVEN)
    position.realised -= sign * closing * last_px + released
    position.cost -= released
    position.quantity += sign * closing


def rebuild(position: Position) -> None:
    """The position from its trades and splits in order, busted trades left out: after a bust or a
    correction.
    """
    position.quantity = position.cost = position.realised = ZERO
    position.bought = position.sold = position.bought_value = position.sold_value = ZERO
    splits = list(reversed(position.splits))
    for n, trade in enumerate(position.trades):
        while splits and splits[-1].trades <= n:
            _split(position, splits.pop())
        if trade is not None:
            book_trade(position, *trade)
    while splits:
        _split(position, splits.pop())


def book_split(position: Position, ratio: Fraction, cash_qty: Decimal, cash_px: Decimal) -> None:
    """Move the position into the shares after a split, less what is paid out: cash_qty, signed as
    the position, counts as traded at cash_px.
    """
    trades = len(position.trades)
    split = PositionSplit(trades=trades, ratio=ratio, cash_qty=cash_qty, cash_px=cash_px)
    position.splits.append(split)
    _split(position, split)


def _split(position: Position, split: PositionSplit) -> None:
    position.quantity = rounded(Fraction(position.quantity) * split.ratio)
    position.sold = rounded(Fraction(position.sold) * split.ratio)
    position.bought = position.quantity + position.sold
    if split.cash_qty:
        side = Side.SELL if split.cash_qty > 0 else Side.BUY
        book_trade(position, side, abs(split.cash_qty), split.cash_px)


def track_working(state: State, order: Order, exposure_before: Decimal) -> None:
    """What the order can still trade is another quantity than before; count the difference."""
    key = (order.account, order.symbol)
    working = state.working.get(key)
    if working is None:
        working = state.working[key] = Working()
    change = order.exposure - exposure_before
    if order.side is Side.BUY:
        working.buy += change
    else:
        working.sell += change
