"""Average-cost bookkeeping of one position, exact: what is rounded off a cost stays in the rest.

Closing part of a position releases its share of the cost, rounded half even to 1e-12; the
remainder keeps the difference, so realised profit plus open cost is conserved to the last digit and
a full close releases exactly what is left. A trade through zero closes first, then opens.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from oms.domain.fix import Side
from oms.domain.order import Execution
from oms.domain.state import Position
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


def rebuild(position: Position, trades: list[tuple[Side, Execution]]) -> None:
    """The position from its trades in order, busted ones left out: after a bust or a correction."""
    position.quantity = position.cost = position.realised = ZERO
    position.bought = position.sold = position.bought_value = position.sold_value = ZERO
    for side, execution in trades:
        if not execution.busted:
            book_trade(position, side, execution.last_qty, execution.last_px)
