"""What a venue's report says of how a child stands besides its fills, and of its client order.

Stopped, Suspended and Calculated are marks on an order that has its own life beside them: its
OrdStatus is the highest by FIX precedence of all that holds. Restated is a new quantity or limit
price that nobody asked for.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from oms.domain.commands import ExecutionReport
from oms.domain.events import DiscrepancyFound, Event, OrderExpired
from oms.domain.fix import ExecType, OrdStatus, OrdType
from oms.domain.order import Order, open_children_leaves
from oms.domain.standing_events import (
    OrderMarked,
    PriceRestated,
    QuantityRestated,
    StandingFact,
)
from oms.domain.state import State
from oms.domain.values import ZERO, decimal_text

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


def resized_to(child: Order, report: ExecutionReport, told: Decimal) -> QuantityRestated:
    """The venue has given the child that OrderQty; what has traded is the least of it."""
    return QuantityRestated(
        order_id=child.order_id,
        order_qty=max(told, child.cum_qty),
        restatement=report.restatement,
        text=report.text,
        order_qty_before=child.order_qty,
    )


def _restated(child: Order, report: ExecutionReport) -> Iterator[Event]:
    told = report.order_qty
    resized = told is not None and told != child.order_qty and told > 0 and child.is_open
    repriced = _repriced(child, report)
    if told is not None and resized:
        yield resized_to(child, report, told)
    if repriced is not None:
        yield repriced
    elif not resized and child.mark is None:
        yield DiscrepancyFound(
            order_id=child.order_id, field="ExecType (150)", ours="", theirs="RESTATED"
        )


def _repriced(child: Order, report: ExecutionReport) -> PriceRestated | None:
    """The limit that the venue has given an open order; of a peg it is the price of the moment."""
    price = report.price
    if price is None or child.price is None or price == child.price or price <= 0:
        return None
    if not child.is_open or child.ord_type is OrdType.PEGGED:
        return None
    return PriceRestated(
        order_id=child.order_id, price=price, restatement=report.restatement, text=report.text
    )


def _quantity_for_parent(
    state: State, parent: Order, event: QuantityRestated
) -> Iterator[QuantityRestated]:
    """What works is what the client order now asks for; and what waits for a venue, if any does."""
    if not parent.is_open or parent.requests or parent.expiring:
        return
    working = open_children_leaves(state.orders[one] for one in parent.open_children)
    cum_qty = state.orders[event.order_id].cum_qty
    grown = max(event.order_qty - cum_qty, ZERO) - max(event.order_qty_before - cum_qty, ZERO)
    waiting = max(parent.leaves_qty - (working - grown), ZERO)
    change = working + waiting - parent.leaves_qty
    if change:
        before = parent.order_qty
        yield replace(
            event,
            order_id=parent.order_id,
            order_qty=before + change,
            order_qty_before=before,
        )


def _price_for_parent(state: State, parent: Order, event: PriceRestated) -> Iterator[Event]:
    """A price that holds for all that works is the client order's, unless it breaks its limit."""
    working = {state.orders[one].price for one in parent.open_children}
    limit = parent.price
    if limit is None or working != {event.price} or not parent.is_open:
        return
    worse = event.price > limit if parent.side.sign > 0 else event.price < limit
    if worse:
        yield DiscrepancyFound(
            order_id=event.order_id,
            field="Price (44)",
            ours=decimal_text(limit),
            theirs=decimal_text(event.price),
        )
    elif event.price != limit and not parent.requests and not parent.expiring:
        yield replace(event, order_id=parent.order_id)


def for_parent(state: State, event: StandingFact) -> Iterator[Event]:
    """What a child's standing makes of its client order."""
    child = state.orders[event.order_id]
    if not child.is_child:
        return
    parent = state.orders[child.parent_id]
    if isinstance(event, PriceRestated):
        yield from _price_for_parent(state, parent, event)
        return
    if isinstance(event, QuantityRestated):
        yield from _quantity_for_parent(state, parent, event)
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
