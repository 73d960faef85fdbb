"""What a venue's report says of how a child stands besides its fills, and of its client order.

Stopped, Suspended and Calculated are marks on an order that has its own life beside them: its
OrdStatus is the highest by FIX precedence of all that holds. Restated is a new quantity that nobody
asked for.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from oms.domain.commands import ExecutionReport
from oms.domain.events import DiscrepancyFound, Event, OrderExpired
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.order import Order
from oms.domain.standing_events import OrderMarked, QuantityRestated
from oms.domain.state import State
from oms.domain.values import decimal_text

_MARKS: Final = {
    ExecType.STOPPED: OrdStatus.STOPPED,
    ExecType.SUSPENDED: OrdStatus.SUSPENDED,
    ExecType.CALCULATED: OrdStatus.CALCULATED,
    ExecType.DONE_FOR_DAY: OrdStatus.DONE_FOR_DAY,
}
_AT_WORK: Final = frozenset({OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED})


def decide_standing(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """The facts in a report of one of these kinds."""
    mark = _MARKS.get(report.exec_type)
    if mark is OrdStatus.CALCULATED and child.is_open:
        yield OrderExpired(order_id=child.order_id, text=report.text, done_for_day=True)
    if mark is None:
        yield from _restated(child, report)
    elif child.mark is not mark and (child.is_open or mark is OrdStatus.CALCULATED):
        yield OrderMarked(
            order_id=child.order_id,
            mark=mark,
            venue=child.counterparty,
            text=report.text,
            last_qty=report.last_qty,
            last_px=report.last_px,
        )


def unmarked(child: Order, report: ExecutionReport) -> Iterator[Event]:
    """A report that shows the order plainly at work ends its mark; a guarantee outlives trades."""
    kept = child.mark is OrdStatus.STOPPED and report.exec_type is ExecType.TRADE
    if report.ord_status in _AT_WORK and child.mark is not OrdStatus.CALCULATED and not kept:
        yield OrderMarked(
            order_id=child.order_id, mark=None, venue=child.counterparty, text=report.text
        )


def _restated(child: Order, report: ExecutionReport) -> Iterator[Event]:
    told, price = report.order_qty, report.price
    if told is not None and told != child.order_qty and told > 0 and child.is_open:
        yield QuantityRestated(
            order_id=child.order_id,
            order_qty=max(told, child.cum_qty),
            restatement=report.restatement,
            text=report.text,
        )
    elif child.mark is None and (price is None or price == child.price):
        yield DiscrepancyFound(
            order_id=child.order_id, field="ExecType (150)", ours="", theirs="RESTATED"
        )
    if price is not None and child.price is not None and price != child.price:
        ours, theirs = decimal_text(child.price), decimal_text(price)
        yield DiscrepancyFound(
            order_id=child.order_id, field="Price (44)", ours=ours, theirs=theirs
        )


def for_parent(state: State, event: OrderMarked | QuantityRestated) -> Iterator[Event]:
    """What a child's standing makes of its client order."""
    child = state.orders[event.order_id]
    if not child.is_child:
        return
    parent = state.orders[child.parent_id]
    if isinstance(event, QuantityRestated):
        # The sum of what was placed is what the client order now asks for.
        working = [state.orders[one] for one in parent.children if one in parent.open_children]
        leaves = sum((one.leaves_qty for one in working), -parent.leaves_qty)
        if parent.is_open and leaves and not parent.requests and not parent.expiring:
            order_qty = parent.order_qty + leaves
            yield replace(event, order_id=parent.order_id, order_qty=order_qty)
        return
    mark = _shared(state, parent)
    if mark is not parent.mark and (parent.is_open or mark is OrdStatus.CALCULATED):
        yield replace(event, order_id=parent.order_id, mark=mark)


def _shared(state: State, parent: Order) -> OrdStatus | None:
    """The mark that all of its open children have, or, of one that is done, all that traded."""
    children = [state.orders[one] for one in parent.children]
    concerned = [one for one in children if one.order_id in parent.open_children]
    if not concerned:
        concerned = [one for one in children if one.cum_qty or one.mark is not None]
    marks = {one.mark for one in concerned}
    mark = marks.pop() if len(marks) == 1 else None
    return None if mark is OrdStatus.CALCULATED and parent.is_open else mark
