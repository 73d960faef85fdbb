"""ExecIDs of a venue: whose they are.

ExecID (17) is unique for a trading date, or the life of an order of several dates (FIX 4.4, Volume
4): a venue that counts anew each date gives another order's trade a name of before.
"""

from collections.abc import Iterator

from ems.amendments import trade_named
from ems.differences import more_to_tell, told_otherwise
from oms.domain.commands import ExecutionReport
from oms.domain.events import DuplicateExecutionDropped, Event
from oms.domain.order import Order
from oms.domain.packing import exec_ids_of
from oms.domain.state import State


def booked_as(state: State, child: Order, venue: str, exec_id: str) -> str | None:
    """The OrderID of the child whose trade has that ExecID, or an ExecID of a change of it; empty
    where it was only reported, and None where a report on `child` may have it as a new one.
    """
    name = venue, exec_id
    booked = state.exec_ids.get(name)
    if not booked or booked == child.order_id:
        return booked
    if name in exec_ids_of(child):
        return child.order_id  # and another's of before
    other = state.orders.get(booked)
    if other is None:
        return booked
    return None if _of_before(state, other, exec_id) else booked


def reported_as(state: State, venue: str, exec_id: str, transact_time: int) -> str | None:
    """The same for a trade of no order of ours; transact_time: TransactTime (60), 0 for none."""
    booked = state.exec_ids.get((venue, exec_id))
    if not booked or transact_time < state.trade_date_at:
        return booked
    other = state.orders.get(booked)
    return None if other is not None and _of_before(state, other, exec_id) else booked


def _of_before(state: State, order: Order, exec_id: str) -> bool:
    trade = trade_named(order, exec_id)
    return trade is not None and trade.at < state.trade_date_at


def told_again(child: Order, booked: str, report: ExecutionReport) -> Iterator[Event]:
    """A trade whose ExecID is booked already. Where that is another order's, one of the two names
    is wrong: nothing is booked, and the order is in doubt.
    """
    venue, exec_id = child.counterparty, report.exec_id
    yield DuplicateExecutionDropped(order_id=booked, venue=venue, exec_id=exec_id)
    yield from told_otherwise(child, booked, report)
    if booked != child.order_id and child.closed is None and report.cum_qty > child.cum_qty:
        yield more_to_tell(child)
